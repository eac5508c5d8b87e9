"""Draw the test split from every source set, and complete the cohort."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
