"""Compress each modality to a few latent dimensions and read latents back as features."""
