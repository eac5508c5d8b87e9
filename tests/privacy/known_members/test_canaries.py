import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.privacy.attacks.parameters import CanaryParameters
from tcga_coherent.privacy.known_members.canaries import (
    FAR,
    NOT_IMPLANTED,
    WITHIN,
    expected_exposure,
    exposure,
    implant,
    make_canaries,
    measure_canaries,
)
from tests.privacy.trained_denoisers import cohort_of, make_patients, train_models

PARAMETERS = CanaryParameters(
    n_each=3,
    copies=(1, 8),
    far_factor=3.0,
    n_alternatives=31,
    timesteps=(150, 500),
    n_noises=4,
)
SAMPLING = SamplingConfig(n_draws=4, n_steps=5, recalibrate=False)


def test_exposure_is_counted_from_the_highest_rank() -> None:
    scores = np.array([[0.0, 1, 2, 3], [3.0, 0, 1, 2], [1.0, 1, 1, 9]])
    # First of four: 2 bits. Last of four: 0. Two equal ones: rank 2.
    assert exposure(scores) == pytest.approx([2, 0, 1])


def test_expected_exposure_is_that_of_uniform_ranks() -> None:
    assert expected_exposure(2) == pytest.approx(0.5)
    assert expected_exposure(100_000) == pytest.approx(1 / np.log(2), abs=1e-3)
    random = np.random.default_rng(0).normal(size=(20_000, 32))
    assert exposure(random).mean() == pytest.approx(expected_exposure(32), abs=0.03)


def test_canaries_are_like_patients_or_farther_and_their_modalities_unrelated() -> None:
    latents = make_patients(3000, seed=0)
    many = CanaryParameters(
        n_each=2000,
        copies=(1,),
        far_factor=3.0,
        n_alternatives=1,
        timesteps=(1,),
        n_noises=2,
    )
    canaries = make_canaries(cohort_of(latents, latents["cna"].index), many, seed=0)
    kind = canaries.table["kind"]
    spread = latents["cna"].to_numpy().std()
    for name, factor in ((WITHIN, 1.0), (FAR, 3.0)):
        values = canaries.latents["cna"][kind == name]
        assert values.std() == pytest.approx(factor * spread, rel=0.05)
        alternatives = canaries.alternatives["cna"][kind == name]
        assert alternatives.std() == pytest.approx(factor * spread, rel=0.05)
    pairs = np.corrcoef(canaries.latents["cna"][:, 0], canaries.latents["rnaseq"][:, 0])
    assert abs(pairs[0, 1]) < 0.1
    patients = np.corrcoef(latents["cna"]["z00"], latents["rnaseq"]["z00"])
    assert patients[0, 1] > 0.4


def test_canaries_stand_in_the_training_split_as_often_as_they_have_copies() -> None:
    latents = make_patients(20, seed=0)
    split = pd.Series("val", index=latents["cna"].index)
    canaries = make_canaries(cohort_of(latents, split.index), PARAMETERS, seed=0)
    extended, parts = implant(latents, split, canaries)
    # Two kinds, three each, once and eight times.
    assert (parts == "train").sum() == 2 * 3 * (1 + 8)
    for name, frame in extended.items():
        added = frame.loc[parts.index[parts == "train"]]
        first = canaries.table.index[canaries.table["copies"] == 8][0]
        copies = added[added.index.str.startswith(f"{first}-")]
        assert len(copies) == 8
        where = canaries.table.index.get_loc(first)
        assert (copies.to_numpy() == canaries.latents[name][where]).all()
        assert frame.loc[split.index].equals(latents[name])


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    """Exposure of canaries that an overtrained model learned from, and of others."""
    torch.set_num_threads(1)
    latents = make_patients(60, seed=0)
    patients = latents["cna"].index
    split = pd.Series(np.repeat(["train", "val"], [40, 20]), index=patients)
    cohort = cohort_of(latents, patients[:40])
    own, others = (make_canaries(cohort, PARAMETERS, seed=seed) for seed in (0, 1))
    models = train_models(*implant(latents, split, own), steps=300)
    return pd.concat(
        [
            measure_canaries(models, canaries, SAMPLING, PARAMETERS, seed=0)
            for canaries in (own, others.without_copies())
        ]
    )


def test_canaries_that_a_model_remembers_are_extracted(measured) -> None:
    found = measured[(measured["copies"] == 8) & (measured["method"] != "standard_normal")]
    by_method = found.groupby(["attack", "method"])["exposure"].mean()
    assert set(by_method.index) == {
        ("canary_draws", "coherent"),
        ("canary_draws", "multi"),
        ("canary_loss", "coherent"),
        ("canary_loss", "multi"),
        ("canary_loss", "single"),
    }
    # Five bits are the most that 32 candidates allow.
    assert (by_method > 4).all()


def test_canaries_that_were_never_implanted_have_the_exposure_of_chance(measured) -> None:
    null = measured[(measured["copies"] == NOT_IMPLANTED) & (measured["method"] == "multi")]
    assert null["patient_id"].nunique() == 12
    exposures = null.groupby("patient_id")["exposure"].mean()
    error = exposures.std() / np.sqrt(len(exposures))
    assert abs(exposures.mean() - expected_exposure(32)) < 3 * error


def test_the_standard_normal_remembers_no_canary(measured) -> None:
    control = measured[measured["method"] == "standard_normal"]
    implanted = control[control["copies"] != NOT_IMPLANTED].groupby("patient_id")["exposure"]
    assert implanted.mean().mean() < 3
