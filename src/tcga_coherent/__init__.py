"""Coherent cross-modal generation of missing cancer data."""

__version__ = "0.1.0"
