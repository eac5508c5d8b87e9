"""What trained models and generated patients give away of the patients they learned from."""
