"""From denoisers to draws."""
