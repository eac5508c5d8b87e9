import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.weights.figure import EXPERT_COLOR, draw_weights

MODALITIES = parse_modalities(
    {
        "cna": {"label": "CNA", "color": "#0072B2", "steps": []},
        "rppa": {"label": "RPPA", "color": "#009E73", "steps": []},
        "wsi": {"label": "WSI", "color": "#CC79A7", "steps": []},
    }
)


def weights_table() -> pd.DataFrame:
    rows = []
    for number, target in enumerate(MODALITIES):
        first, second = (name for name in MODALITIES if name != target)
        for kind, gain in (("inverse_mse", 0.0), ("composed", 0.05)):
            rows.append(
                {
                    "target": target,
                    "weights": kind,
                    f"weight_{first}": 0.6,
                    f"weight_{second}": 0.4 + 2 * gain,
                    "weight_expert": -2 * gain,
                    "r2_of_mean_mean": 0.1 * number + gain,
                    "r2_of_mean_low": 0.1 * number + gain - 0.02,
                    "r2_of_mean_high": 0.1 * number + gain + 0.03,
                    "r2_of_mean_gain": gain,
                    "r2_of_mean_gain_low": 0.9 * gain,
                    "r2_of_mean_gain_high": 1.1 * gain,
                    "crps_gain": -gain / 2,
                    "crps_gain_low": -gain,
                    "crps_gain_high": 0.0,
                    "n_patients": 25,
                }
            )
    return pd.DataFrame(rows)


def test_bars_are_the_weights_in_the_colour_of_their_source() -> None:
    figure = draw_weights(weights_table(), MODALITIES)
    figure.canvas.draw()
    panels = figure.axes
    titles = [panel.get_title() for panel in panels[:3]]
    assert titles == ["CNA", "RPPA", "WSI"]
    widths = {}
    for patch in panels[0].patches:
        widths.setdefault(patch.get_facecolor(), []).append(patch.get_width())
    assert widths[to_rgba("#009E73")] == pytest.approx([0.6, 0.6])
    assert widths[to_rgba("#CC79A7")] == pytest.approx([0.4, 0.5])
    assert widths[to_rgba(EXPERT_COLOR)] == pytest.approx([0.0, -0.1])
    assert to_rgba("#0072B2") not in widths


def test_points_are_the_measures_and_the_papers_weights_are_the_line_to_compare_with() -> None:
    figure = draw_weights(weights_table(), MODALITIES)
    fidelity, gain, score = (figure.axes[row * 3 + 2] for row in (1, 2, 3))
    points, reference = fidelity.lines
    assert list(points.get_xdata()) == pytest.approx([0.2, 0.25])
    assert list(reference.get_xdata()) == pytest.approx([0.2, 0.2])
    assert list(gain.lines[0].get_xdata()) == pytest.approx([0.0, 0.05])
    assert list(score.lines[0].get_xdata()) == pytest.approx([0.0, -0.025])
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["1/MSE (paper)", "composed"]
    assert figure.get_supxlabel().endswith("25 test patients.")
