"""Score generated modalities: Table 1 and Figure 1."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
