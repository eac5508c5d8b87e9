import io
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.source_sets import (
    generative_methods,
    join_sources,
    source_sets,
)
from tcga_coherent.studies.reconstruction.by_type_figure import (
    draw_reconstruction_by_type,
    draw_source_sets_by_type,
)

MODALITIES = {
    name: ModalityConfig(label=name.upper(), color=color, steps=())
    for name, color in [("cna", "#0072B2"), ("rnaseq", "#D55E00"), ("rppa", "#009E73")]
}


def made_up(n_types: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    types = ["all", *(f"T{number:02d}" for number in range(n_types))]
    table = pd.DataFrame(
        [
            {
                "target": target,
                "method": method,
                "source": join_sources(sources),
                "cancer_type": name,
                "every_type": name == "all",
                "n_patients": 7 * (number + 1),
            }
            for target in MODALITIES
            for sources in source_sets(target, list(MODALITIES))
            for method in generative_methods(sources) + tuple(BASELINES)
            for number, name in enumerate(types)
        ]
    )
    for metric in ("r2_of_mean", "r2_beyond_type"):
        values = rng.uniform(-0.2, 0.8, len(table))
        table = table.assign(
            **{metric: values, f"{metric}_low": values - 0.1, f"{metric}_high": values + 0.1}
        )
    return table


def test_each_method_stands_at_its_value_from_all_sources_in_the_row_of_its_type() -> None:
    table = made_up(5)
    figure = draw_reconstruction_by_type(table, MODALITIES)
    for row, metric in enumerate(("r2_of_mean", "r2_beyond_type")):
        for column, target in enumerate(MODALITIES):
            axes = figure.axes[row * 3 + column]
            others = "+".join(name for name in MODALITIES if name != target)
            own = table[(table["target"] == target) & (table["source"] == others)]
            for method in ("multi", "coherent", "ridge_features"):
                (line,) = [
                    line for line in axes.lines if line.get_color() == METHOD_STYLES[method].color
                ]
                expected = own[own["method"] == method].set_index("cancer_type")[metric]
                order = ["all", "T00", "T01", "T02", "T03", "T04"]
                np.testing.assert_allclose(line.get_xdata(), expected[order])
                np.testing.assert_array_equal(np.round(line.get_ydata()), range(6))


@pytest.mark.parametrize("n_types", [5, 20])
def test_names_of_types_do_not_overlap_and_say_how_many_patients(n_types) -> None:
    figure = draw_reconstruction_by_type(made_up(n_types), MODALITIES)
    figure.savefig(io.BytesIO(), dpi=100)
    labels = figure.axes[0].get_yticklabels()
    assert labels[1].get_text() == "T00 (14)"
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert all(box.x0 >= 0 for box in boxes)
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))


def test_every_source_set_and_type_is_a_cell_of_both_generators() -> None:
    table = made_up(20)
    figure = draw_source_sets_by_type(table, MODALITIES)
    multi, ensemble = (figure.axes[i].images[0].get_array() for i in (2, 3))
    assert multi.shape == ensemble.shape == (3, 21)
    own = table[table["target"] == "rnaseq"].set_index(["method", "source", "cancer_type"])
    assert multi[2, 4] == own.loc[("multi", "cna+rppa", "T03"), "r2_of_mean"]
    assert ensemble[1, 0] == own.loc[("coherent", "rppa", "all"), "r2_of_mean"]
    assert ensemble[2, 20] == own.loc[("coherent", "cna+rppa", "T19"), "r2_of_mean"]
    image = figure.axes[2].images[0]
    assert image.norm.vmin == -image.norm.vmax
    assert [label.get_text() for label in figure.axes[2].get_yticklabels()] == [
        "CNA",
        "RPPA",
        "CNA + RPPA",
    ]
