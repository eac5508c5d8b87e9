"""Train the denoisers of both families: single-condition and multi-condition."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
