"""What panels of many figures have in common."""

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

WIDTH = 7.2  # inches: the text width of a page
SMALL = 7  # points


def plain(axes: Axes) -> None:
    """Write small, and leave out the lines above and on the right."""
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def band(axes: Axes, x: Any, low: Any, high: Any, color: str, alpha: float = 0.12) -> None:
    """Shade an interval along a curve."""
    axes.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)


def legend_above(
    figure: Figure | SubFigure, handles: Sequence[Artist], columns: int, **more: Any
) -> None:
    """Put a small legend above all panels; `more` are arguments of ``Figure.legend``."""
    figure.legend(
        handles=list(handles),
        loc="outside upper center",
        ncols=columns,
        fontsize=SMALL,
        frameon=False,
        **more,
    )
