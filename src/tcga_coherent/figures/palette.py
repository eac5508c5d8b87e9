"""Colours and markers that mean the same thing in every figure.

Methods and cancer types differ in colour *and* marker. The colours are from the palettes of Okabe &
Ito and of Paul Tol and stay apart with red-green colour blindness. Modalities bring their own
colours in the parameters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from matplotlib.lines import Line2D

from tcga_coherent.baselines.registry import BASELINES, STRONGEST


@dataclass(frozen=True)
class Style:
    """Colour and marker of a group of points."""

    color: str
    marker: str


METHOD_STYLES = {
    "single": Style("#56B4E9", "s"),
    "multi": Style("#E69F00", "^"),
    "coherent": Style("#000000", "o"),
    **{name: Style(baseline.color, baseline.marker) for name, baseline in BASELINES.items()},
    # What methods are held against: measured data, and a modality that is left missing.
    "real": Style("#1F3FBF", "*"),
    "ablation": Style("#C3E187", "X"),
}

METHOD_LABELS = {
    "single": "Single-condition",
    "multi": "Multi-condition",
    "coherent": "Coherent Denoising",
    **{name: baseline.label for name, baseline in BASELINES.items()},
    "real": "Real",
    "ablation": "Ablation",
}

# Ways to choose whom to measure next. Generators keep the colours they have as methods; the oracle
# has that of the real data, which it alone sees.
STRATEGY_STYLES = {
    STRONGEST: METHOD_STYLES[STRONGEST],
    "multi": METHOD_STYLES["multi"],
    "coherent": METHOD_STYLES["coherent"],
    "entropy": Style("#A0522D", "D"),
    "random": Style("#BBBBBB", "x"),
    "oracle": Style(METHOD_STYLES["real"].color, "*"),
}

STRATEGY_LABELS = {
    STRONGEST: METHOD_LABELS[STRONGEST],
    "multi": METHOD_LABELS["multi"],
    "coherent": METHOD_LABELS["coherent"],
    "entropy": "Entropy",
    "random": "Random",
    "oracle": "Oracle",
}

_GROUP_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
_GROUP_MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*", "<", ">", "p", "h")


def cancer_type_styles(cancer_types: Iterable[str]) -> dict[str, Style]:
    """Give each cancer type a combination of colour and marker of its own.

    Parameters
    ----------
    cancer_types
        Names; repetitions and order do not matter.

    Raises
    ------
    ValueError
        When there are more cancer types than combinations.
    """
    names = sorted(set(cancer_types))
    combinations = [
        Style(color, marker) for marker, color in product(_GROUP_MARKERS, _GROUP_COLORS)
    ]
    if len(names) > len(combinations):
        raise ValueError(
            f"{len(names)} cancer types, but only {len(combinations)} can be told apart in a figure: merge some"
        )
    return dict(zip(names, combinations, strict=False))


def legend_key(label: str, color: str = "0.3", **style: Any) -> Line2D:
    """Return a key for a legend that is not made from what was drawn.

    Parameters
    ----------
    label, color
        What it says, and in which colour.
    style
        Further properties of the line.
    """
    return Line2D([], [], color=color, markersize=4, label=label, **style)


def method_key(method: str, **style: Any) -> Line2D:
    """Return a key for a method, with its colour and marker.

    Parameters
    ----------
    method
        Name of the method.
    style
        Further properties of the line.
    """
    own = METHOD_STYLES[method]
    return legend_key(METHOD_LABELS[method], own.color, marker=own.marker, **style)
