"""Cascaded diffusion: a small tile from expression, then its details."""
