"""Diffusion models that generate one modality's latents from the others'."""
