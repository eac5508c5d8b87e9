"""The attacks from datasets to tables and figures, on the small cohort."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from matplotlib.figure import Figure

from tcga_coherent.cohort import Cohort, read_cohort
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.privacy import attacks_references
from tcga_coherent.pipelines.privacy.attacks import (
    attack_attributes,
    attack_generated_patients,
    attack_generation_from_nothing,
    attack_losses,
    regenerate_complete_patients,
    tabulate_attacks,
)
from tcga_coherent.pipelines.privacy.attacks_references import (
    attack_with_halves,
    train_on_halves,
)
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.privacy.attacks.controls import GAUSSIAN, VALIDATION
from tcga_coherent.privacy.attacks.figure import draw_attacks
from tcga_coherent.privacy.attacks.parameters import (
    AttackParameters,
    CanaryParameters,
    MembershipParameters,
    NearestRecordParameters,
    ShadowParameters,
)
from tcga_coherent.privacy.known_members.utility_figure import draw_privacy_and_utility
from tests.pipelines.latent_cohort import (
    MODALITIES,
    SAMPLING,
    SIZES,
    TRAINING,
    lazily,
    load_trained,
    make_codes,
    make_encoders,
    make_latents,
    make_split,
    train_all,
)

ATTACKS = AttackParameters(
    nearest_records=NearestRecordParameters(n_draws=4, n_permutations=20),
    membership=MembershipParameters(timesteps=(100, 500), n_noises=2),
    shadows=ShadowParameters(
        n_trainings=4,
        steps=(1 / 3,),
        n_draws=4,
        n_steps=4,
        canaries=CanaryParameters(
            n_each=1, copies=(1,), far_factor=3.0, n_alternatives=7, timesteps=(300,), n_noises=2
        ),
    ),
)


@pytest.fixture(scope="module")
def parameters(repo_root: Path) -> PrivacyParameters:
    configured = yaml.safe_load((repo_root / "conf/base/parameters/privacy.yml").read_text())
    return replace(
        PrivacyParameters(**configured["privacy"]),
        bootstrap=BootstrapParameters(repeats=20, level=0.9),
        attacks=ATTACKS,
    )


@pytest.fixture(scope="module")
def stored() -> dict[str, dict[str, Checkpoint]]:
    torch.set_num_threads(1)
    split = make_split()
    return train_all(make_latents(split), split, make_encoders())


@pytest.fixture(scope="module")
def split() -> pd.DataFrame:
    """Patients of three cancer types."""
    split = make_split()
    split["cancer_type"] = np.resize(["LUAD", "BRCA", "SKCM"], len(split))
    return split


@pytest.fixture(scope="module")
def cohort(split) -> Cohort:
    return read(split)


@pytest.fixture(scope="module")
def models(cohort, stored) -> TrainedModels:
    return load_trained(cohort.latents, stored)


@pytest.fixture(scope="module")
def draws(cohort, stored, parameters) -> dict[str, pd.DataFrame]:
    models = load_trained(cohort.latents, stored, "recalibration")
    return regenerate_complete_patients(cohort, models, SAMPLING, parameters)


@pytest.fixture(scope="module")
def repeats(cohort, split, stored, parameters) -> dict[str, pd.DataFrame]:
    return train(cohort, split, stored, parameters, {})


def read(split: pd.DataFrame) -> Cohort:
    latents = make_latents(split)
    presence = pd.DataFrame({name: split.index.isin(latents[name].index) for name in SIZES})
    presence.index = split.index
    return read_cohort(lazily(latents), split, presence, codes=lazily(make_codes(latents)))


def train(cohort, split, stored, parameters, finished) -> dict[str, pd.DataFrame]:
    consensus = lazily(stored["consensus"])
    yielded = train_on_halves(
        cohort, split, consensus, lazily(finished), TRAINING, SAMPLING, parameters, "cpu", 1
    )
    return {name: frame for part in yielded for name, frame in part.items()}


def test_complete_patients_of_both_splits_are_regenerated(draws, cohort) -> None:
    assert set(draws) == {f"{name}/{method}" for name in SIZES for method in ("multi", "coherent")}
    complete = cohort.complete(cohort.train.append(cohort.test))
    for frame in draws.values():
        assert set(frame.index.unique("patient_id")) == set(complete)
        assert frame.index.unique("draw").tolist() == [0, 1, 2, 3]


def test_models_of_other_latents_are_refused(cohort, stored) -> None:
    other = {name: frame + 1 for name, frame in cohort.latents.items()}
    with pytest.raises(ValueError, match="was trained on other latents"):
        load_trained(other, stored)


def test_trainings_that_are_there_are_not_made_again(
    cohort, split, stored, parameters, repeats, monkeypatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("this training is there")

    monkeypatch.setattr(attacks_references, "run_shadow", refuse)
    finished = {name: frame for name, frame in repeats.items() if "complete" not in name}
    (complete,) = train(cohort, split, stored, parameters, finished).values()
    assert len(complete) == sum(map(len, finished.values()))


def test_all_attacks_end_in_one_table_and_one_figure(
    cohort, split, models, draws, repeats, parameters
) -> None:
    clinical = pd.DataFrame({"stage": None}, index=split.index)
    attacked = [cohort, models, SAMPLING, parameters]
    references, utility = attack_with_halves(
        lazily(repeats), cohort, models, TRAINING, SAMPLING, parameters
    )
    table = tabulate_attacks(
        attack_generated_patients(lazily(draws), cohort, parameters),
        attack_generation_from_nothing(*attacked),
        attack_losses(*attacked),
        references,
        attack_attributes(lazily(draws), cohort, clinical, parameters),
        parameters,
    )
    assert isinstance(draw_attacks(table, parse_modalities(MODALITIES)), Figure)
    assert set(table["attack"]) == {
        "nearest_record",
        "regeneration",
        "linkage",
        "loss",
        "calibrated_loss",
        "lira_online",
        "lira_offline",
        "canary_loss",
        "canary_draws",
        "cancer_type",
        "stage",
    }
    numbers = table[table["note"] != "no training patient has a stage"]
    assert np.isfinite(numbers[["value", "low", "high"]].astype(float)).all(axis=None)
    # Trainings of 10 of 30 steps.
    short = table["note"].str.contains("have 10 steps where diffusion_training.max_steps is 30")
    assert set(table.loc[short, "attack"]) >= {"lira_online", "lira_offline"}
    assert not short[table["group"] == "matched"][table["attack"] == "calibrated_loss"].any()
    controls = numbers["method"].isin([GAUSSIAN, VALIDATION])
    assert (numbers["null"].isna() == controls).all()
    assert set(utility["checkpoint"]) == {"10", "selected"}
    assert isinstance(draw_privacy_and_utility(utility), Figure)


def test_attacks_on_too_few_pairs_leave_notes_and_the_rest(
    split, models, draws, repeats, parameters
) -> None:
    # Training and test patients share three cancer types; now only three test patients have one.
    split = split.copy()
    split.loc[split.index[split["split"] == "test"][3:], "cancer_type"] = "UVM"
    few = read(split)
    clinical = pd.DataFrame({"stage": None}, index=split.index)
    references, _ = attack_with_halves(lazily(repeats), few, models, TRAINING, SAMPLING, parameters)
    table = tabulate_attacks(
        attack_generated_patients(lazily(draws), few, parameters),
        attack_generation_from_nothing(few, models, SAMPLING, parameters),
        attack_losses(few, models, SAMPLING, parameters),
        references,
        attack_attributes(lazily(draws), few, clinical, parameters),
        parameters,
    )
    noted = table[table["note"].str.contains("3 pairs of a training and a test patient")]
    assert noted["attack"].value_counts().to_dict() == {
        "nearest_record": 2,
        "regeneration": 1,
        "linkage": 1,
        "loss": 2,
        "calibrated_loss": 2,
        "lira_offline": 1,
        "cancer_type": 1,
        "stage": 1,
    }
    assert table.loc[~table.index.isin(noted.index), "value"].notna().all()
    assert isinstance(draw_attacks(table, parse_modalities(MODALITIES)), Figure)
