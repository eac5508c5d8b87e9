"""Score generated modalities: fidelity, calibration, coherence and the real manifold."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
