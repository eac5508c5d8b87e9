from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.datasets.tiles.tile_folder import TileFolderDataset
from tcga_coherent.histology.cascade.sampling import (
    MovedParameters,
    TileSamplingParameters,
    draw_tiles,
    exchange,
    plan_tiles,
)
from tcga_coherent.histology.expression.encoder import fit_expression_encoder
from tcga_coherent.histology.expression.parameters import ExpressionParameters
from tcga_coherent.histology.expression.programmes import Programme, programme_scores
from tcga_coherent.histology.tiles import read_tiles

RNG = np.random.default_rng(1)
PATIENTS = pd.Index([f"P{n:02d}" for n in range(40)], name="patient_id")
GENES = ["A1", "A2", "B1", "B2"]
FACTORS = RNG.standard_normal((40, 2))
EXPRESSION = pd.DataFrame(
    FACTORS.repeat(2, axis=1) + 0.1 * RNG.standard_normal((40, 4)), index=PATIENTS, columns=GENES
)
SPLIT = pd.Series(["train"] * 25 + ["val"] * 5 + ["test"] * 10, index=PATIENTS)
PROGRAMMES = {"a": Programme(("A*",), "eosin"), "b": Programme(("B*",))}
PARAMETERS = TileSamplingParameters(
    tiles=2, moved=MovedParameters(shifts=(-1.0, 0.0, 1.0), patients=3), batch_size=8
)


@pytest.fixture(scope="module")
def encoder():
    return fit_expression_encoder(
        EXPRESSION, SPLIT, ExpressionParameters(encoder="pca", code_size=4), torch.device("cpu")
    )


@pytest.fixture
def plan(encoder):
    return plan_tiles(EXPRESSION, SPLIT, encoder, PROGRAMMES, PARAMETERS)


def test_test_patients_alone_are_drawn_as_they_are_and_with_anothers_expression(plan, encoder):
    test = SPLIT.index[SPLIT == "test"]
    codes = encoder.codes(encoder.z_scores(EXPRESSION))
    for source in ("own", "shuffled"):
        rows = plan.rows[plan.rows["source"] == source]
        assert rows["patient_id"].value_counts().to_dict() == dict.fromkeys(test, 2)
        own = codes.loc[rows["profile_of"]].to_numpy()
        assert np.allclose(plan.codes.iloc[rows.index].to_numpy(), own, atol=1e-5)
        same = rows["profile_of"] == rows["patient_id"]
        assert same.all() if source == "own" else not same.any()
        assert rows["profile_of"].value_counts().eq(2).all()


def test_expression_is_exchanged_between_patients_whose_programmes_have_nothing_in_common():
    scores = np.random.default_rng(3).standard_normal((60, 6))
    others = exchange(scores, np.random.default_rng(0))
    assert sorted(others) == list(range(60))
    assert (others != np.arange(60)).all()
    r = [np.corrcoef(scores[:, n], scores[others, n])[0, 1] for n in range(6)]
    # At random the largest of six is about .22.
    assert np.abs(r).max() < 0.13
    assert exchange(scores[:1], np.random.default_rng(0)).tolist() == [0]


def test_a_moved_programme_moves_by_its_shift_and_takes_what_goes_along_with_it(plan, encoder):
    train = encoder.z_scores(EXPRESSION.loc[SPLIT == "train"])
    moved = plan.rows[plan.rows["source"] == "moved"]
    assert len(moved) == 2 * 3 * 3
    # Four components of four genes lose nothing: the profiles come back from the codes.
    z = pd.DataFrame(encoder.reconstruct(plan.codes.iloc[moved.index]), columns=GENES)
    scores, spread = programme_scores(z, PROGRAMMES), programme_scores(train, PROGRAMMES).std()
    own = programme_scores(encoder.z_scores(EXPRESSION), PROGRAMMES)
    for name in PROGRAMMES:
        at = (moved["programme"] == name).to_numpy()
        rise = scores[name][at].to_numpy() - own[name].loc[moved["patient_id"][at]].to_numpy()
        # The variance over n, where pandas divides by n - 1.
        expected = moved["shift"][at] * spread[name] * 24 / 25
        assert np.allclose(rise, expected, atol=1e-4)
    other = scores["b"].to_numpy() - own["b"].loc[moved["patient_id"]].to_numpy()
    along = np.cov(programme_scores(train, PROGRAMMES).to_numpy().T)
    at = ((moved["programme"] == "a") & (moved["shift"] == 1)).to_numpy()
    assert np.allclose(other[at], along[0, 1] / along[0, 0] ** 0.5 * 24 / 25, atol=1e-4)


def test_a_patients_number_has_the_same_noise_whatever_the_profile(plan):
    seeds = plan.rows.groupby(["patient_id", "number"])["seed"]
    assert seeds.nunique().eq(1).all()
    assert plan.rows["seed"].nunique() == 20


def test_no_more_patients_than_asked_for(encoder):
    few = replace(PARAMETERS, patients=4)
    rows = plan_tiles(EXPRESSION, SPLIT, encoder, PROGRAMMES, few).rows
    assert rows["patient_id"].nunique() == 4


class Drawn:
    """A cascade whose tiles are of the colour that a seed says."""

    calls = 0

    def generate(self, codes, seeds, base, super_resolution, noise_level):
        Drawn.calls += 1
        return np.stack([np.full((4, 4, 3), seed % 251, np.uint8) for seed in seeds])


def test_what_was_drawn_is_not_drawn_again_unless_something_changed(plan, tmp_path):
    dataset = TileFolderDataset(path=str(tmp_path / "generated"))

    def draw(identity="model", parameters=PARAMETERS, stop=None):
        Drawn.calls = 0
        for number, batch in enumerate(
            draw_tiles(plan, Drawn(), identity, dataset.load(), parameters)
        ):
            if number == stop:
                return Drawn.calls
            dataset.save(batch)
        return Drawn.calls

    n_batches = 3 + 3 + 3
    assert draw(stop=4) == 5
    assert draw() == n_batches - 4
    assert draw() == 0
    assert draw("other") == n_batches
    assert draw("other", replace(PARAMETERS, noise_level=0.5)) == n_batches
    index = dataset.load().index
    assert len(index) == len(plan.rows)
    keys = ["patient_id", "source", "programme", "shift", "number", "seed"]
    assert (
        index.set_index(keys)
        .index.sort_values()
        .equals(plan.rows.set_index(keys).index.sort_values())
    )
    shown = read_tiles(dataset.load(), index.index)[:, 0, 0, 0]
    assert (shown == index["seed"] % 251).all()
