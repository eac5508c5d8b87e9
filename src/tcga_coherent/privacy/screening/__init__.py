"""Generated records that are too close to a training patient."""
