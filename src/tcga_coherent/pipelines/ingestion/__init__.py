"""From raw files to one table a modality and one clinical table."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
