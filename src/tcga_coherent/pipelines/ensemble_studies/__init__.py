"""Long studies of the ensembles; no part of the main job."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
