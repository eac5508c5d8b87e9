"""Complete a user's own patients with trained models."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
