"""Cut slides into tiles, or take tiles that are cut, and store them."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
