import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.coherence.figure import draw_coherence_error
from tcga_coherent.studies.coherence.table import coherence_error_table
from tests.studies.coherence.made_up_probe import N_DRAWS, N_PATIENTS, made_up_probe

MODALITIES = parse_modalities(
    {
        name: {"label": label, "color": color, "steps": []}
        for name, label, color in [
            ("cna", "CNA", "#0072B2"),
            ("rnaseq", "RNA-Seq", "#D55E00"),
            ("rppa", "RPPA", "#009E73"),
        ]
    }
)


def draw(probe: pd.DataFrame) -> tuple[Figure, pd.DataFrame, np.ndarray]:
    table = coherence_error_table(probe, BootstrapParameters(repeats=50, level=0.95), seed=0)
    figure = draw_coherence_error(probe, table, MODALITIES)
    return figure, table, np.array(figure.axes).reshape(4, -1)


def test_there_is_a_column_a_target_in_the_order_of_the_modalities() -> None:
    _, _, grid = draw(made_up_probe())
    assert [axes.get_title() for axes in grid[0]] == ["CNA", "RNA-Seq"]
    assert grid[0, 1].title.get_color() == "#D55E00"


def test_every_patient_is_a_point_and_the_correlation_is_stated() -> None:
    probe = made_up_probe()
    _, table, grid = draw(probe)
    own = probe[(probe["target"] == "cna") & (probe["swapped"] == "")]
    for axes, statistic in zip(grid[:2, 0], ("cosine_distance", "disagreement"), strict=True):
        points = next(line for line in axes.lines if line.get_marker() == ".")
        means = own.groupby("patient_id")[statistic].mean()
        assert points.get_xdata() == pytest.approx(means.to_numpy())
        chosen = (table["measure"] == "spearman") & (table["statistic"] == statistic)
        value = table.loc[chosen & (table["target"] == "cna"), "value"].item()
        assert axes.texts[0].get_text().startswith(f"ρ = {value:.2f}")


def test_the_title_of_the_third_row_says_what_the_rule_rejects() -> None:
    _, _, grid = draw(made_up_probe())
    n_draws = N_PATIENTS * N_DRAWS
    assert f"the rule rejects none of {n_draws} draws" in grid[2, 0].get_title(loc="left")
    _, table, grid = draw(made_up_probe(rejected=0.1))
    rejected = table[(table["measure"] == "error_of_rejected") & (table["target"] == "cna")]
    text = grid[2, 0].get_title(loc="left")
    assert f"the rule rejects {rejected['n_draws'].item()} of {n_draws} draws" in text
    assert f"error {rejected['value'].item():.2f} against" in text


def test_the_legend_gives_the_area_under_each_curve() -> None:
    _, table, grid = draw(made_up_probe(shift=2))
    areas = table[(table["measure"] == "auroc") & (table["target"] == "cna")]
    areas = areas.set_index(["swapped", "statistic"])["value"]
    legend = grid[3, 0].get_legend()
    for text, name in zip(legend.get_texts(), ("rnaseq", "rppa"), strict=True):
        expected = f"{areas[name, 'disagreement']:.2f} ({areas[name, 'cosine_distance']:.2f})"
        assert text.get_text() == f"{MODALITIES[name].label} {expected}"
    curves = [line for line in grid[3, 0].lines if line.get_color() == "#009E73"]
    solid = next(line for line in curves if line.get_linestyle() == "-" and len(line.get_xdata()))
    area = np.trapezoid(solid.get_ydata(), solid.get_xdata())
    assert area == pytest.approx(areas["rppa", "disagreement"])


def test_what_is_not_there_is_said_and_not_drawn() -> None:
    probe = made_up_probe().assign(disagreement=np.nan)
    _, _, grid = draw(probe)
    assert [text.get_text() for text in grid[1, 0].texts] == ["not defined"]
    assert "none (0.50)" in grid[3, 0].get_legend().get_texts()[0].get_text()
    _, _, grid = draw(probe[probe["swapped"] == ""])
    assert [text.get_text() for text in grid[3, 0].texts] == ["no source\nwas swapped"]


def test_with_two_modalities_the_figure_says_that_nothing_can_disagree() -> None:
    probe = made_up_probe().iloc[:0]
    table = coherence_error_table(probe, BootstrapParameters(repeats=50, level=0.95), seed=0)
    figure = draw_coherence_error(probe, table, MODALITIES)
    assert "No target has two sources" in figure.texts[0].get_text()


def test_the_figure_can_be_written() -> None:
    file = io.BytesIO()
    draw(made_up_probe())[0].savefig(file, dpi=60)
    assert file.tell() > 10_000
