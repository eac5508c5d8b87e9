"""From latents to trained denoisers."""
