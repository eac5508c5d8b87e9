"""Measure what models and generated patients give away of the training patients."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
