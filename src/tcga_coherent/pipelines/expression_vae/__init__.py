"""Split patients and fit the expression code."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
