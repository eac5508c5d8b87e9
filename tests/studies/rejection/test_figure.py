import pandas as pd
import pytest
from matplotlib.colors import to_hex

from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.rejection.figure import PAPER_LIKE, PRESENT, draw_rejection

MODALITIES = parse_modalities(
    {
        "cna": {"label": "CNA", "color": "#0072B2", "steps": []},
        "rppa": {"label": "RPPA", "color": "#009E73", "steps": []},
    }
)


def rejection_table() -> pd.DataFrame:
    rows = []
    for settings, factor in ((PRESENT, 1.0), (PAPER_LIKE, 2.0)):
        for target, share in (("cna", 0.04), ("rppa", 0.02)):
            # Not in order: the figure sorts.
            for threshold in (1.0, 0.7, 1.3):
                value = 0.3 * factor * share / threshold
                rows.append(
                    {
                        "settings": settings,
                        "target": target,
                        "threshold": threshold,
                        "redrawn_share": factor * share / threshold,
                        "rejected_share": factor * share / threshold / 4,
                        **{f"r2_of_mean_{end}": value for end in ("mean", "low", "high")},
                        **{f"crps_{end}": 1 - value for end in ("mean", "low", "high")},
                    }
                )
    return pd.DataFrame(rows)


def test_each_target_has_its_shares_and_scores_over_the_thresholds() -> None:
    figure = draw_rejection(rejection_table(), MODALITIES)
    rejected, fidelity, score = figure.axes[3:6]
    lines = [line for line in rejected.lines if to_hex(line.get_color()) == "#0072b2"]
    redrawn, still = lines
    assert list(redrawn.get_xdata()) == [0.7, 1.0, 1.3]
    assert list(redrawn.get_ydata()) == pytest.approx([8 / 0.7, 8.0, 8 / 1.3])
    assert list(still.get_ydata()) == pytest.approx([2 / 0.7, 2.0, 2 / 1.3])
    assert still.get_linestyle() == ":"
    rppa = next(line for line in fidelity.lines if to_hex(line.get_color()) == "#009e73")
    assert rppa.get_ydata()[1] == pytest.approx(0.3 * 2 * 0.02)
    assert score.lines[0].get_ydata()[1] == pytest.approx(1 - 0.3 * 2 * 0.04)


def test_settings_are_named_at_their_row_and_an_empty_panel_has_an_axis_of_a_percent() -> None:
    table = rejection_table().assign(redrawn_share=0.0, rejected_share=0.0)
    figure = draw_rejection(table, MODALITIES)
    assert figure.axes[0].get_ylabel() == "settings in use"
    assert "1/MSE" in figure.axes[3].get_ylabel()
    assert figure.axes[0].get_ylim() == (0.0, 1.0)
