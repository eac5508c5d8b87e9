"""One palette, and figures that belong to no study."""
