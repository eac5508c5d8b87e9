from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from sklearn.decomposition import PCA

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.privacy.generation.experiment import (
    ALL,
    Audited,
    UnconditionalParameters,
    training_patients,
    values,
)
from tcga_coherent.privacy.generation.figure import (
    TITLES,
    TRAIN_COLOR,
    draw_unconditional,
    project_unconditional,
)
from tests.privacy.audited import make_audited

PARAMETERS = UnconditionalParameters(n_repeats=2, k=3, max_rows=60, n_neighbors=10, min_dist=0.1)


@pytest.fixture(scope="module")
def audited() -> Audited:
    torch.set_num_threads(1)
    return make_audited()


@pytest.fixture(scope="module")
def projections(audited):
    return project_unconditional(audited, PARAMETERS, 0)


def test_both_maps_are_fitted_on_complete_training_patients(projections, audited) -> None:
    cohort = audited.cohort
    train = values(cohort, ALL, training_patients(cohort, ALL))
    assert [projection.name for projection in projections] == ["PCA", "UMAP"]
    pca = PCA(n_components=2).fit(train)
    np.testing.assert_allclose(projections[0].train, pca.transform(train), atol=1e-6)
    held_out = pca.transform(values(cohort, ALL, cohort.test))
    np.testing.assert_allclose(projections[0].sets["held_out"], held_out, atol=1e-6)
    for projection in projections:
        assert {name: len(rows) for name, rows in projection.sets.items()} == {
            **dict.fromkeys(TITLES, 60),
            "held_out": 25,
        }
        assert projection.train.shape == (80, 2)


def test_narrow_rows_lie_closer_together(projections) -> None:
    sets = projections[0].sets
    assert sets["coherent_narrow"].std() < 0.5 * sets["coherent"].std()


def test_every_panel_shows_rows_over_training_patients(projections) -> None:
    figure = draw_unconditional(projections)
    panels = np.array(figure.axes).reshape(2, len(TITLES))
    assert [axes.get_title() for axes in panels[0]] == list(TITLES.values())
    assert [axes.get_ylabel() for axes in panels[:, 0]] == ["PCA", "UMAP"]
    for row, projection in zip(panels, projections, strict=True):
        for axes, rows in zip(row, projection.sets.values(), strict=True):
            background, shown = axes.collections
            np.testing.assert_allclose(background.get_offsets(), projection.train)
            np.testing.assert_allclose(shown.get_offsets(), rows)
            assert tuple(background.get_facecolor()[0][:3]) == to_rgb(TRAIN_COLOR)


def test_too_few_training_patients_are_refused_with_the_parameter(audited) -> None:
    with pytest.raises(
        CannotEvaluate,
        match=r"80 complete training patients .* privacy\.unconditional\.n_neighbors = 80",
    ):
        project_unconditional(audited, replace(PARAMETERS, n_neighbors=80), 0)
