"""What predictions are still worth when modalities are missing or generated."""
