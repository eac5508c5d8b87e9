"""From a figure to its files: the same bytes for the same figure, and names as they are written."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axis import Tick
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter
from matplotlib.transforms import Bbox

# One that is not escaped.
DOLLAR = re.compile(r"(?<!\\)\$")

# Decimals of a position, as a share of the figure: finer than any pixel, coarser than rounding errors.
DECIMALS = 6

# How to draw a figure. Nodes return it in the place of the figure, so that a drawing that fails costs
# nothing but itself.
Drawing = Callable[[], Figure]


def draw_reason(reason: str) -> Figure:
    """Draw an empty panel that says why there is no figure."""
    figure = Figure(figsize=(7.2, 1.2))
    figure.text(0.5, 0.5, reason, ha="center", va="center", fontsize=9, wrap=True)
    return figure


def render(drawing: Drawing, options: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Draw a figure as PNG and as SVG.

    Parameters
    ----------
    drawing
        Makes the figure.
    options
        Arguments of ``Figure.savefig`` for both formats.
    """
    # Letters as paths look the same without the fonts; elements would otherwise have names that differ
    # from run to run.
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "tcga_coherent"}):
        figure = drawing()
        write_dollars(figure)
        settle(figure)
        raster, vector = BytesIO(), BytesIO()
        figure.savefig(raster, **{**options, "format": "png"})
        # A date would differ from run to run.
        figure.savefig(vector, **{**options, "format": "svg", "metadata": {"Date": None}})
    return raster.getvalue(), vector.getvalue()


def settle(figure: Figure) -> None:
    """Lay a figure out, once and to rounded positions.

    Matplotlib solves for the layout in the order of addresses in memory, so that the last digits of
    positions differ from process to process, and with them names of elements and what lies on the edge
    of a pixel.

    Parameters
    ----------
    figure
        A figure that is complete; it has no layout engine afterwards.
    """
    engine = figure.get_layout_engine()
    if engine is None:
        return
    engine.execute(figure)
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.set_points(np.round(part.bbox_relative.get_points(), DECIMALS))
    for axes in figure.axes:
        corners = np.round(axes.get_position(original=True).get_points(), DECIMALS)
        is_in_layout = axes.get_in_layout()
        axes.set_position(Bbox(corners))
        # Setting a position takes axes out of the frame that is drawn.
        axes.set_in_layout(is_in_layout)


def write_dollars(figure: Figure) -> None:
    """Keep matplotlib from reading dollars in names as formulas.

    The labels of logarithmic axes are formulas of its own and stay so.

    Parameters
    ----------
    figure
        A figure that is complete.
    """
    ticks = [label for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)]
    for text in figure.findobj(Text):
        if text not in ticks:
            text.set_parse_math(False)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            own = axis.get_major_formatter()
            # The labels that a figure gives itself are names; they become texts only when it is drawn.
            if isinstance(own, FuncFormatter | FixedFormatter):
                axis.set_major_formatter(FuncFormatter(partial(_escaped, own)))


def _escaped(formatter: Formatter, value: float, position: int) -> str:
    # Axes that are shared come here twice.
    return DOLLAR.sub(r"\$", formatter(value, position))
