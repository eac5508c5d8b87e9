"""Write the card of trained models from whichever tables there are."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
