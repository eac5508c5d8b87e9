"""Hold generated tiles against real ones and against gene programmes."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
