"""From a figure to its files: the same bytes for the same figure, and names as they are written."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axis import Tick
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter

# One that is not escaped.
DOLLAR = re.compile(r"(?<!\\)\$")

# The name of an element where it is given and where it is used.
HASHED_NAME = re.compile(rb"(?<=[\"#])\w*[0-9a-f]{10}(?=[\")])")

# How to draw a figure. Nodes return it in the place of the figure, so that a drawing that fails costs
# nothing but itself.
Drawing = Callable[[], Figure]

# Letters as paths look the same without the fonts; the names of elements would otherwise differ from
# run to run.
STYLE = {"svg.fonttype": "path", "svg.hashsalt": "tcga_coherent"}


def render(drawing: Drawing, options: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Draw a figure as PNG and as SVG.

    Parameters
    ----------
    drawing
        Makes the figure.
    options
        Arguments of ``Figure.savefig`` for both formats.
    """
    with rc_context(STYLE):
        figure = drawing()
        write_dollars(figure)
        raster, vector = BytesIO(), BytesIO()
        figure.savefig(raster, **{**options, "format": "png"})
        # A date would differ from run to run.
        figure.savefig(vector, **{**options, "format": "svg", "metadata": {"Date": None}})
    return raster.getvalue(), number_elements(vector.getvalue())


def number_elements(svg: bytes) -> bytes:
    """Name the elements of an SVG by their order.

    Matplotlib names them by hashes of positions in full precision, whose last digit differs from run to
    run: a layout is solved in the order of addresses in memory. What is drawn has six digits.

    Parameters
    ----------
    svg
        As matplotlib writes it.
    """
    numbers: dict[bytes, int] = {}

    def name(hashed: re.Match[bytes]) -> bytes:
        return b"element%d" % numbers.setdefault(hashed[0], len(numbers))

    return HASHED_NAME.sub(name, svg)


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
