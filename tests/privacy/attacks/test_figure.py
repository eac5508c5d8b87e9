import numpy as np
import pandas as pd
import pytest

from tcga_coherent.modality import parse_modalities
from tcga_coherent.privacy.attacks.attributes import GAIN
from tcga_coherent.privacy.attacks.distances import OF_MEMBERS
from tcga_coherent.privacy.attacks.figure import draw_attacks
from tcga_coherent.privacy.attacks.membership import ALL, ALL_LEVELS, MATCHED
from tcga_coherent.privacy.attacks.table import join_attacks
from tcga_coherent.privacy.known_members.shadows import SELECTED
from tcga_coherent.privacy.known_members.utility_figure import draw_privacy_and_utility

MODALITIES = parse_modalities(
    {name: {"label": name.upper(), "color": "#0072B2", "steps": []} for name in ("cna", "rnaseq")}
)


def row(attack: str, statistic: str, value: float, null: float, **changes) -> dict:
    return {
        "attack": attack,
        "method": "multi",
        "target": ALL,
        "setting": ALL_LEVELS,
        "group": MATCHED,
        "statistic": statistic,
        "value": value,
        "low": value - 0.1,
        "high": value + 0.1,
        "null": null,
    } | changes


@pytest.fixture
def table() -> pd.DataFrame:
    rates = {"tpr_at_1_fpr": 0.3, "tpr_at_1_fpr_low": 0.2, "tpr_at_1_fpr_high": 0.4}
    share = {"group": OF_MEMBERS, "null_low": 0.4, "null_high": 0.6}
    return join_attacks(
        [
            pd.DataFrame(
                [
                    row("loss", "auroc", 0.8, 0.5, **rates),
                    row("loss", "auroc", 0.9, 0.5, **rates, setting="timestep 50"),
                    row("nearest_record", "share_closer_to_train", 0.55, 0.5, **share),
                    row("linkage", "linked_share_difference", 0.2, 0.0),
                    row("canary_draws", "exposure_bits", 4.0, 1.4, group="far from it"),
                    row("cancer_type", GAIN, 0.1, 0.0, target="cna", group="members"),
                ]
            )
        ],
        level=0.95,
    )


def marked(axes) -> list[float]:
    """Return where markers stand."""
    lines = [line for line in axes.lines if line.get_marker() not in ("None", "", None)]
    return [float(np.ravel(line.get_xdata())[0]) for line in lines]


def test_every_attack_is_marked_once_in_its_panel(table) -> None:
    figure = draw_attacks(table, MODALITIES)
    expected = {
        "Membership, all targets": [0.8],
        "Membership at 1 % false positives": [0.3],
        "Nearest records, all modalities": [0.55],
        "Linkage": [0.2],
        "Canaries, by conditional draws": [4.0],
        "Attributes of members": [0.1],
    }
    assert {axes.get_title(): marked(axes) for axes in figure.axes} == expected


def test_the_null_is_drawn(table) -> None:
    figure = draw_attacks(table, MODALITIES)
    nulls = {
        axes.get_title(): [
            float(line.get_xdata()[0]) for line in axes.lines if line.get_linestyle() == "--"
        ]
        for axes in figure.axes
    }
    assert nulls["Membership at 1 % false positives"] == [0.01]
    assert nulls["Canaries, by conditional draws"] == [1.4]


def test_an_attack_that_could_not_be_made_leaves_a_word_in_its_panel(table) -> None:
    figure = draw_attacks(table[table["attack"] != "linkage"], MODALITIES)
    (axes,) = [axes for axes in figure.axes if axes.get_title() == "Linkage"]
    assert [text.get_text() for text in axes.texts] == ["not measured: see the table"]


def test_usefulness_and_privacy_are_drawn_over_the_steps() -> None:
    table = pd.DataFrame(
        [
            {"checkpoint": checkpoint, "method": method, "measure": measure, "value": value}
            for checkpoint, value in (("250", 0.2), ("1000", 0.4), (SELECTED, 0.3))
            for method in ("multi", "coherent")
            for measure in ("r2_of_mean", "crps", "lira_online_auroc")
        ]
    ).assign(low=np.nan, high=np.nan, null=np.nan)
    table["steps"] = pd.to_numeric(table["checkpoint"].where(table["checkpoint"] != SELECTED))
    figure = draw_privacy_and_utility(table)
    first, *_, last = figure.axes
    curve = first.lines[1]
    assert curve.get_xdata().tolist() == [250, 1000]
    assert curve.get_ydata().tolist() == [0.2, 0.4]
    assert {text.get_text() for text in last.texts} == {"250", "1000"}
