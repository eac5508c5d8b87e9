"""From modality tables in input units to standardised, imputed features and a split."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
