import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.attacks.groups import match_by_cancer_type
from tcga_coherent.privacy.attacks.losses import Noising, model_losses
from tcga_coherent.privacy.attacks.membership import (
    ALL,
    ALL_LEVELS,
    MATCHED,
    UNMATCHED,
    attack_released_models,
    calibrated_losses,
    likelihood_ratios,
)
from tcga_coherent.privacy.attacks.scores import attack_result, auroc, crossed_attack_result
from tests.privacy.trained_denoisers import make_patients, tensors, train_models

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.95)
NOISING = Noising(timesteps=(150, 500), n_noises=8, seed=0)


def make_cohort(n_train: int = 40) -> Cohort:
    latents = make_patients(n_train + 20 + 60, seed=0)
    patients = latents["cna"].index
    train, val, test = np.split(patients, [n_train, n_train + 20])
    # Five training patients lack a modality: they are no matched members.
    latents["rnaseq"] = latents["rnaseq"].drop(train[:5])
    types = pd.Series(np.where(np.arange(len(patients)) % 2, "LUAD", "BRCA"), index=patients)
    return Cohort(latents, pd.Index(train), pd.Index(val), pd.Index(test), types)


def split_of(cohort: Cohort) -> pd.Series:
    split = pd.Series("test", index=cohort.cancer_type.index)
    split[cohort.train], split[cohort.val] = "train", "val"
    return split


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_cohort()


@pytest.fixture(scope="module")
def overtrained(cohort) -> TrainedModels:
    torch.set_num_threads(1)
    return train_models(cohort.latents, split_of(cohort), steps=300)


@pytest.fixture(scope="module")
def table(cohort, overtrained) -> pd.DataFrame:
    groups = match_by_cancer_type(cohort, seed=0)
    rows = attack_released_models(
        overtrained, SamplingConfig(), cohort, groups, NOISING, BOOTSTRAP, 0
    )
    return rows.set_index(["attack", "group", "setting", "method", "target"]).sort_index()


def test_patients_that_an_overtrained_model_remembers_are_found(table) -> None:
    for name in ("loss", "calibrated_loss"):
        found = table.loc[(name, MATCHED, ALL_LEVELS)]
        for method in ("single", "multi", "coherent"):
            # Members are those with the LOWER loss: the other way round this would be below 0.5.
            assert found.loc[(method, ALL), "low"].item() > 0.8
            assert found.loc[(method, ALL), "tpr_at_1_fpr"].item() > 0.2


def test_the_control_knows_the_length_of_latents_alone(table, cohort) -> None:
    groups = match_by_cancer_type(cohort, seed=0)
    lengths = [
        np.square(cohort.latents["cna"].loc[side]).sum(axis=1).to_numpy()
        for side in (groups.members, groups.nonmembers)
    ]
    control = table.loc[("loss", MATCHED, ALL_LEVELS, "standard_normal", "cna")]
    assert control["auroc"] == pytest.approx(auroc(-lengths[0], -lengths[1])[0])


def test_every_noise_level_model_and_group_has_its_row(table) -> None:
    assert set(table.index.unique("setting")) == {
        ALL_LEVELS,
        "timestep 150",
        "timestep 500",
    }
    matched = table.loc[("loss", MATCHED, ALL_LEVELS)]
    # 2 targets and their total: single, multi, coherent and the control.
    assert len(matched) == 12
    assert (matched[["n_members", "n_nonmembers"]] == 35).all(axis=None)
    # Ensembles have no training patients of their own.
    assert set(table.loc[("loss", UNMATCHED)].index.unique("method")) == {"single", "multi"}


def test_models_that_saw_neither_group_flag_held_out_patients_at_the_nominal_rate(
    overtrained,
) -> None:
    # 20 times two groups of 50 strangers.
    strangers = make_patients(2000, seed=2)
    values = tensors(strangers, strangers["cna"].index)
    losses = model_losses(overtrained, SamplingConfig(), values, values, NOISING)
    scores = -calibrated_losses(losses)["coherent", ALL, ""].reshape(20, 2, 50)
    results = [attack_result(*pair, BOOTSTRAP, seed=0) for pair in scores]
    assert np.mean([result.auroc.value for result in results]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([result.tpr.value for result in results]) == pytest.approx(0.01, abs=0.02)
    missed = [not result.auroc.low <= 0.5 <= result.auroc.high for result in results]
    assert np.mean(missed) <= 0.2


def halves(n_trainings: int, n_patients: int, random: np.random.Generator) -> np.ndarray:
    first = random.permuted(np.tile(np.arange(n_patients) % 2 == 0, (n_trainings // 2, 1)), axis=1)
    return np.stack([first, ~first], axis=1).reshape(n_trainings, n_patients)


def test_references_find_members_where_patients_differ_more_than_memory_does() -> None:
    random = np.random.default_rng(0)
    is_member = halves(8, 200, random)
    hard = random.normal(size=(1, 200, 1))
    losses = hard + 0.1 * random.normal(size=(8, 200, 1)) - 0.2 * is_member[..., None]
    alone = crossed_attack_result(-losses[..., 0], is_member, BOOTSTRAP, 0)
    assert alone.auroc.value < 0.6
    for scores in likelihood_ratios(losses, is_member).values():
        assert crossed_attack_result(scores, is_member, BOOTSTRAP, 0).auroc.low > 0.8


@pytest.mark.parametrize("n_trainings", [4, 8])
def test_references_find_nothing_where_there_is_no_memory(n_trainings) -> None:
    random = np.random.default_rng(1)
    found: dict[str, list[float]] = {"lira_online": [], "lira_offline": []}
    for _ in range(40):
        is_member = halves(n_trainings, 60, random)
        losses = random.normal(size=(1, 60, 2)) + random.normal(size=(n_trainings, 60, 2))
        for name, scores in likelihood_ratios(losses, is_member).items():
            found[name] += [
                auroc(row[member], row[~member])[0]
                for row, member in zip(scores, is_member, strict=True)
            ]
    for values in found.values():
        assert np.mean(values) == pytest.approx(0.5, abs=0.02)


def test_wrong_labels_turn_the_attack_around() -> None:
    random = np.random.default_rng(2)
    is_member = halves(6, 100, random)
    losses = 0.1 * random.normal(size=(6, 100, 1)) - 0.3 * is_member[..., None]
    scores = likelihood_ratios(losses, ~is_member)["lira_online"]
    assert crossed_attack_result(scores, ~is_member, BOOTSTRAP, 0).auroc.value > 0.9
    assert crossed_attack_result(scores, is_member, BOOTSTRAP, 0).auroc.value < 0.1


def test_trainings_that_are_no_halves_are_refused() -> None:
    with pytest.raises(ValueError, match="two pairs of complementary trainings"):
        likelihood_ratios(np.zeros((4, 3, 1)), np.ones((4, 3), dtype=bool))
