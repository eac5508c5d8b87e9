"""Fit an encoder for each modality and embed all patients."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
