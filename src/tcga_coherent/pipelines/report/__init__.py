"""Write the report anew from the tables and figures that exist."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
