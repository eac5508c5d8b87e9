import pandas as pd
import pytest
from pydantic import TypeAdapter

from tcga_coherent.diffusion.training.tuning_config import ARCHITECTURE_NAMES, TRAINING_NAMES
from tcga_coherent.figures.tuning import LABELS, draw_tuning
from tcga_coherent.modality import ModalityConfig

MODALITIES = {
    name: TypeAdapter(ModalityConfig).validate_python(
        {"label": name.upper(), "color": "#0072B2", "steps": []}
    )
    for name in ("cna", "rppa")
}


def trials() -> pd.DataFrame:
    """Trial 0 and two others, the second of them pruned; mean scores 2, 1.5 and 3."""
    return pd.DataFrame(
        {
            "trial": [0, 0, 1, 1, 2, 2],
            "model": ["cna_from_rppa", "rppa_from_cna"] * 3,
            "state": ["complete"] * 4 + ["pruned"] * 2,
            "hidden_dim": [256, 256, 64, 64, 512, 512],
            "n_layers": [4, 4, 5, 5, 5, 5],
            "energy_score": [1.0, 3.0, 0.5, 2.5, 3.0, 3.0],
            "mse": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        }
    )


def points(panel, marker: str) -> list[tuple[float, float]]:
    return [
        (round(float(x), 3), pytest.approx(float(y)))
        for line in panel.lines
        if line.get_marker() == marker
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]


def test_each_hyperparameter_has_a_panel_with_its_values_in_their_order():
    sizes, layers, models = draw_tuning(
        trials(), ["hidden_dim", "n_layers"], "energy_score", MODALITIES
    ).axes
    assert sizes.get_xlabel() == "hidden size"
    assert [label.get_text() for label in sizes.get_xticklabels()] == ["64", "256", "512"]
    assert [label.get_text() for label in layers.get_xticklabels()] == ["4", "5"]
    assert [label.get_text() for label in models.get_xticklabels()] == [
        "CNA\nfrom\nRPPA",
        "RPPA\nfrom\nCNA",
    ]


def test_scores_are_drawn_relative_to_the_present_settings():
    sizes, layers, models = draw_tuning(
        trials(), ["hidden_dim", "n_layers"], "energy_score", MODALITIES
    ).axes
    # Percent of the mean score 2 of the present settings.
    assert points(sizes, "o") == [(0, -25), (1, 0)]
    assert points(sizes, "x") == [(2, 50)]
    assert points(sizes, "*") == [(0, -25)]
    assert points(layers, "o") == [(0, 0), (0.7, -25)]
    assert points(layers, "x") == [(1.3, 50)]
    # Each model beside its own score of 1 and 3.
    assert points(models, "*") == [(0, -50), (1, pytest.approx(-100 / 6))]


def test_the_title_names_score_and_number_of_trials():
    figure = draw_tuning(trials(), ["hidden_dim"], "mse", MODALITIES)
    assert "MSE of draws of 2 trials" in figure.get_suptitle()


def test_every_hyperparameter_that_can_be_searched_has_a_label():
    assert set(LABELS) == {*ARCHITECTURE_NAMES, *TRAINING_NAMES}
