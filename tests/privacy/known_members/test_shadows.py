from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.training.tasks import single_tasks
from tcga_coherent.privacy.attacks.parameters import (
    CanaryParameters,
    MembershipParameters,
    ShadowParameters,
)
from tcga_coherent.privacy.known_members.shadows import (
    CANARY,
    LOSS,
    SELECTED,
    UTILITY,
    ShadowSettings,
    half_of_training,
    run_shadow,
    train_recorded,
)
from tests.pipelines.latent_cohort import SAMPLING, TRAINING, make_split
from tests.privacy.audited import make_audited

SHADOWS = ShadowParameters(
    n_trainings=4,
    steps=(1 / 3, 1.0),
    n_draws=4,
    n_steps=4,
    canaries=CanaryParameters(
        n_each=1, copies=(1, 2), far_factor=3.0, n_alternatives=7, timesteps=(300,), n_noises=2
    ),
)
MEMBERSHIP = MembershipParameters(timesteps=(100, 500), n_noises=2)


@pytest.fixture(scope="module")
def audited():
    torch.set_num_threads(1)
    return make_audited()


@pytest.fixture(scope="module")
def settings(audited) -> ShadowSettings:
    return ShadowSettings(
        TRAINING, SAMPLING, SHADOWS, MEMBERSHIP, audited.models.errors, seed=0, device="cpu"
    )


@pytest.fixture(scope="module")
def recorded(audited, settings) -> pd.DataFrame:
    return run_shadow(audited.cohort, settings, 1)


def test_two_trainings_share_out_all_training_patients(audited) -> None:
    cohort = audited.cohort
    for number in (0, 2):
        first, second = (half_of_training(cohort, number + side, seed=0) for side in (0, 1))
        assert set(first) | set(second) == set(cohort.train)
        assert not set(first) & set(second)
    assert set(half_of_training(cohort, 0, seed=0)) != set(half_of_training(cohort, 2, seed=0))
    assert set(half_of_training(cohort, 0, seed=0)) != set(half_of_training(cohort, 0, seed=1))


def test_halves_are_alike_in_cancer_types_and_modalities(audited) -> None:
    cohort = audited.cohort
    types = pd.Series(
        np.where(np.arange(len(cohort.cancer_type)) % 3, "LUAD", "BRCA"), cohort.cancer_type.index
    )
    cohort = Cohort(cohort.latents, cohort.train, cohort.val, cohort.test, types)
    half = half_of_training(cohort, 0, seed=0)
    for cancer_type in ("LUAD", "BRCA"):
        for frame in cohort.latents.values():
            wanted = cohort.train[(types[cohort.train] == cancer_type).to_numpy()]
            lacking = wanted[~wanted.isin(frame.index)]
            assert abs(half.isin(lacking).sum() - len(lacking) / 2) <= 0.5


def test_every_checkpoint_is_attacked_and_judged(recorded, audited) -> None:
    assert set(recorded["checkpoint"]) == {"10", "30", SELECTED}
    for _, rows in recorded.groupby("checkpoint"):
        assert set(rows["kind_of_row"]) == {LOSS, CANARY, UTILITY}
    losses = recorded[recorded["kind_of_row"] == LOSS]
    cohort = audited.cohort
    known = cohort.complete(cohort.train)
    members = half_of_training(cohort, 1, seed=0)
    # 6 pairs, 9 linear experts, 3 multi models, 3 ensembles and 3 controls.
    assert len(losses) == 3 * (6 + 9 + 3 + 3 + 3) * (len(known) + len(cohort.test))
    flags = losses.drop_duplicates("patient_id").set_index("patient_id")["member"]
    assert flags[cohort.test].isna().all()
    assert flags[known].tolist() == known.isin(members).tolist()
    assert np.isfinite(losses[["t100", "t500"]]).all(axis=None)


def test_canaries_of_the_training_and_of_no_training_are_ranked(recorded) -> None:
    canaries = recorded[recorded["kind_of_row"] == CANARY]
    assert set(canaries["copies"].astype(int)) == {0, 1, 2}
    assert set(canaries["attack"]) == {"canary_loss", "canary_draws"}
    assert canaries["exposure"].between(0, 3).all()


def test_recorded_models_differ_and_are_worth_what_their_draws_are(recorded) -> None:
    utility = (
        recorded[recorded["kind_of_row"] == UTILITY]
        .set_index(["checkpoint", "method", "target"])
        .sort_index()
    )
    assert len(utility) == 3 * 2 * 3
    early, late = (utility.loc[step, "crps"] for step in ("10", "30"))
    assert (early != late).all()
    assert (utility["r2_of_mean"] < 1).all()


def test_a_training_is_the_same_however_often_it_is_run(audited, settings) -> None:
    short = replace(settings, shadows=replace(SHADOWS, steps=(1 / 3,)))
    first, again = (run_shadow(audited.cohort, short, 0) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"steps are \[1\.0, 0\.5\]: let them rise"):
        replace(SHADOWS, steps=(1.0, 0.5))


def test_selected_models_have_the_error_of_the_validation_that_selected_them(audited) -> None:
    tasks = single_tasks(audited.cohort.latents, make_split()["split"])
    found: dict[str, dict[str, LoadedDenoiser]] = {}
    steps = (10, 20, 30, 40, 50)
    # So high a rate that the last validation is not the best one.
    config = replace(TRAINING, learning_rate=0.5, learning_rate_schedule="constant")
    for checkpoint, denoiser in train_recorded(tasks, config, steps, "cpu"):
        found.setdefault(denoiser.name, {})[checkpoint] = denoiser
    differing = 0
    for models in found.values():
        weights = {
            name: torch.cat([value.flatten() for value in model.network.state_dict().values()])
            for name, model in models.items()
        }
        (same,) = [s for s in map(str, steps) if torch.equal(weights[s], weights[SELECTED])]
        assert models[SELECTED].mse == models[same].mse
        differing += models[SELECTED].mse != models["50"].mse
    assert differing


@pytest.mark.parametrize(
    ("max_steps", "every", "shares", "steps"),
    [
        (2500, 125, (0.1, 0.2, 0.4, 1.0), (250, 500, 1000, 2500)),
        (2000, 125, (0.0625, 0.25), (125, 500)),
        # Only validations record, the first at the earliest; the last is the end.
        (1050, 100, (0.001, 0.05, 0.5, 1.0), (100, 500, 1000)),
        (50, 100, (0.5, 1.0), (50,)),
    ],
)
def test_recorded_steps_are_shares_of_the_released_training(
    max_steps, every, shares, steps
) -> None:
    validation = replace(TRAINING.validation, every=every)
    training = replace(TRAINING, max_steps=max_steps, validation=validation)
    assert replace(SHADOWS, steps=shares).gradient_steps(training) == steps
