"""The attacks from datasets to tables and figures, on the small cohort."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from matplotlib.figure import Figure

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.measures.bootstrap import BootstrapParameters
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
def cohort() -> list:
    """Latents, split and presence, as the catalog loads them; three cancer types."""
    split = make_split()
    split["cancer_type"] = np.resize(["LUAD", "BRCA", "SKCM"], len(split))
    latents = make_latents(split)
    presence = pd.DataFrame({name: split.index.isin(latents[name].index) for name in SIZES})
    presence.index = split.index
    return [lazily(latents), split, presence]


@pytest.fixture(scope="module")
def models(stored) -> list:
    return [lazily(stored[name]) for name in ("single", "multi", "consensus")]


@pytest.fixture(scope="module")
def draws(cohort, models, stored, parameters) -> dict[str, pd.DataFrame]:
    return regenerate_complete_patients(
        *cohort, *models, lazily(stored["recalibration"]), MODALITIES, SAMPLING, parameters, "cpu"
    )


@pytest.fixture(scope="module")
def repeats(cohort, models, parameters) -> dict[str, pd.DataFrame]:
    return train(cohort, models, parameters, {})


def train(cohort, models, parameters, finished) -> dict[str, pd.DataFrame]:
    yielded = train_on_halves(
        *cohort, models[2], lazily(finished), MODALITIES, TRAINING, SAMPLING, parameters, "cpu", 1
    )
    return {name: frame for part in yielded for name, frame in part.items()}


def test_complete_patients_of_both_splits_are_regenerated(draws, cohort) -> None:
    _, split, presence = cohort
    assert set(draws) == {f"{name}/{method}" for name in SIZES for method in ("multi", "coherent")}
    complete = split.index[presence.all(axis=1) & (split["split"] != "val")]
    for frame in draws.values():
        assert set(frame.index.unique("patient_id")) == set(complete)
        assert frame.index.unique("draw").tolist() == [0, 1, 2, 3]


def test_models_of_other_latents_are_refused(cohort, models, parameters) -> None:
    latents, split, presence = cohort
    other = lazily({name: load() + 1 for name, load in latents.items()})
    with pytest.raises(ValueError, match="was trained on other latents"):
        attack_losses(other, split, presence, *models, MODALITIES, SAMPLING, parameters, "cpu")


def test_trainings_that_are_there_are_not_made_again(
    cohort, models, parameters, repeats, monkeypatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("this training is there")

    monkeypatch.setattr(attacks_references, "run_shadow", refuse)
    finished = {name: frame for name, frame in repeats.items() if "complete" not in name}
    (complete,) = train(cohort, models, parameters, finished).values()
    assert len(complete) == sum(map(len, finished.values()))


def test_all_attacks_end_in_one_table_and_one_figure(
    cohort, models, draws, repeats, parameters
) -> None:
    clinical = pd.DataFrame({"stage": None}, index=cohort[1].index)
    common = [MODALITIES, SAMPLING, parameters, "cpu"]
    references, utility = attack_with_halves(
        lazily(repeats), *cohort, *models, MODALITIES, TRAINING, *common[1:]
    )
    table, figure = tabulate_attacks(
        attack_generated_patients(lazily(draws), *cohort, MODALITIES, parameters),
        attack_generation_from_nothing(*cohort, *models, *common),
        attack_losses(*cohort, *models, *common),
        references,
        attack_attributes(lazily(draws), *cohort, clinical, MODALITIES, parameters),
        MODALITIES,
        parameters,
    )
    assert isinstance(figure(), Figure)
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
    cohort, models, draws, repeats, parameters
) -> None:
    latents, split, presence = cohort
    # Training and test patients share three cancer types; now only three test patients have one.
    split = split.copy()
    split.loc[split.index[split["split"] == "test"][3:], "cancer_type"] = "UVM"
    few = [latents, split, presence]
    clinical = pd.DataFrame({"stage": None}, index=split.index)
    common = [MODALITIES, SAMPLING, parameters, "cpu"]
    references, _ = attack_with_halves(
        lazily(repeats), *few, *models, MODALITIES, TRAINING, *common[1:]
    )
    parts = {
        "generated": attack_generated_patients(lazily(draws), *few, MODALITIES, parameters),
        "unconditional": attack_generation_from_nothing(*few, *models, *common),
        "membership": attack_losses(*few, *models, *common),
        "references": references,
        "attributes": attack_attributes(lazily(draws), *few, clinical, MODALITIES, parameters),
    }
    table, figure = tabulate_attacks(*parts.values(), MODALITIES, parameters)
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
    assert isinstance(figure(), Figure)
