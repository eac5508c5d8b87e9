import numpy as np
import pandas as pd

from tcga_coherent.histology.evaluation.figures import (
    draw_losses,
    draw_moves,
    draw_programmes,
    draw_sheet,
)
from tcga_coherent.histology.evaluation.programmes import follow_moves, follow_programmes
from tests.histology.evaluation import test_programmes as made_up
from tests.histology.stored_tiles import StoredTiles, colored


def texts(figure):
    return [text.get_text() for text in figure.texts] + [
        axes.get_title() for axes in figure.axes if axes.get_visible()
    ]


def test_a_panel_a_programme_shows_r_of_real_generated_and_exchanged():
    settings = made_up.SCORES, made_up.PROGRAMMES, made_up.BOOTSTRAP, 0
    figure = draw_programmes(follow_programmes(made_up.measured(), *settings))
    assert texts(figure) == ["programme growth", "programme idle"]
    r = follow_programmes(made_up.measured(), *settings)["r_real"][0]
    assert figure.axes[0].lines[0].get_ydata()[0] == r


def test_a_panel_a_programme_shows_the_measures_over_its_shift():
    moved = [
        made_up.tiles("moved", np.full(made_up.N, s), 1, programme="growth", shift=s)
        for s in (0.0, 1.0)
    ]
    rows = pd.concat([made_up.measured(), *moved])
    tables = follow_moves(rows, made_up.SCORES, made_up.PROGRAMMES, made_up.BOOTSTRAP, 0)
    figure = draw_moves(*tables)
    bold = [line for line in figure.axes[0].lines if line.get_linewidth() > 2]
    assert len(bold) == 1
    curve = tables[0].query("measure == 'nuclear_count'")["mean"]
    assert np.array_equal(bold[0].get_ydata(), curve)


def test_the_sheet_shows_tiles_of_the_same_patient_beside_each_other():
    patients = ["A", "B", "C"]
    real = StoredTiles([(p, colored(10 * n)) for n, p in enumerate(patients) for _ in range(3)])
    drawn = StoredTiles(
        [(p, colored(100 + 10 * n)) for n, p in enumerate(patients) for _ in range(2)] * 2,
        source=["own"] * 6 + ["shuffled"] * 6,
    )
    split = pd.DataFrame({"cancer_type": ["X", "Y", "Z"]}, index=patients)
    figure = draw_sheet(real, drawn, split, n_patients=2, n_tiles=2)
    rows = np.array(figure.axes).reshape(2, 5)
    for row, (n, kind) in zip(rows, [(0, "X"), (1, "Y")], strict=True):
        shown = [panel.images[0].get_array() if panel.images else None for panel in row]
        assert shown[2] is None
        for place, value in ((0, 10 * n), (1, 10 * n), (3, 100 + 10 * n), (4, 100 + 10 * n)):
            assert np.array_equal(shown[place], colored(value))
        assert row[0].texts[0].get_text() == kind


def test_the_losses_of_both_stages_are_drawn():
    history = pd.DataFrame(
        {"stage": ["base", "base", "super_resolution"], "step": [1, 2, 1], "train_loss": 1.0, "val_loss": [3.0, 2.0, 4.0]}
    )  # fmt: skip
    figure = draw_losses(history)
    assert texts(figure) == ["base", "super resolution"]
    assert list(figure.axes[0].lines[1].get_ydata()) == [3.0, 2.0]
