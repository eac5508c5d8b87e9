"""Whether generated patients lie where real ones do."""
