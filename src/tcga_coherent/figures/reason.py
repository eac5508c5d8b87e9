"""The figure of what could not be computed."""

from matplotlib.figure import Figure


def draw_reason(reason: str) -> Figure:
    """Draw an empty panel that says why there is no figure."""
    figure = Figure(figsize=(7.2, 1.2))
    figure.text(0.5, 0.5, reason, ha="center", va="center", fontsize=9, wrap=True)
    return figure
