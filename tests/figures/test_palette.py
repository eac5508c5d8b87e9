from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.figures.palette import (
    METHOD_LABELS,
    METHOD_STYLES,
    STRATEGY_LABELS,
    STRATEGY_STYLES,
    Style,
    cancer_type_styles,
)
from tcga_coherent.source_sets import GENERATIVE_METHODS

# Linear RGB as seen without green or without red cones: Machado et al. (2009), severity 1.
VISION = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color: str, vision: str) -> np.ndarray:
    """CIE L*a*b* of a colour as a viewer sees it."""
    encoded = np.array(to_rgb(color))
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(VISION[vision] @ linear, 0, 1) / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("styles", [METHOD_STYLES, STRATEGY_STYLES], ids=["method", "strategy"])
@pytest.mark.parametrize("vision", VISION)
def test_groups_stay_apart_for_red_green_colour_blind_readers(
    vision: str, styles: dict[str, Style]
) -> None:
    # A difference of about 2 is just noticeable; small markers need far more.
    for a, b in combinations(styles.values(), 2):
        assert np.linalg.norm(lab(a.color, vision) - lab(b.color, vision)) > 30


def test_every_method_has_a_style_a_label_and_a_marker_of_its_own() -> None:
    assert (
        set(METHOD_STYLES)
        == set(METHOD_LABELS)
        == {*(*GENERATIVE_METHODS, *BASELINES), "real", "ablation"}
    )
    assert len({style.marker for style in METHOD_STYLES.values()}) == len(METHOD_STYLES)


def test_every_strategy_has_a_style_a_label_and_a_marker_of_its_own() -> None:
    assert set(STRATEGY_STYLES) == set(STRATEGY_LABELS)
    assert len({style.marker for style in STRATEGY_STYLES.values()}) == len(STRATEGY_STYLES)


def test_twenty_cancer_types_get_twenty_different_styles() -> None:
    names = [f"T{i:02d}" for i in range(20)]
    styles = cancer_type_styles([*names, *names])
    assert list(styles) == names
    assert len(set(styles.values())) == 20


def test_more_cancer_types_than_styles_are_refused() -> None:
    with pytest.raises(ValueError, match="85 cancer types, but only 84 can be told apart"):
        cancer_type_styles(map(str, range(85)))
