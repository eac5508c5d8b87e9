"""What the size of the latents is worth."""
