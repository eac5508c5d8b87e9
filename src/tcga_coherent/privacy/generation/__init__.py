"""Generation without any patient."""
