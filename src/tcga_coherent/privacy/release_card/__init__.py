"""What comes with trained models for those who get them."""
