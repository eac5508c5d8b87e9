"""Gather all that completing new patients takes in one folder."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
