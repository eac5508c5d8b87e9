"""From draws to completed patients."""
