from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import ablation
from environment import Environment
from tests.pipelines.latent_cohort import TRAINING


def test_a_variant_changes_what_it_names_and_nothing_else() -> None:
    changed = ablation.changed(TRAINING, {"ema_decay": 0.0, "criterion": "mse"}, seed=3)
    assert (changed.ema_decay, changed.seed) == (0.0, 3)
    assert changed.validation.criterion == "mse"
    assert changed.validation.every == TRAINING.validation.every
    assert changed.learning_rate == TRAINING.learning_rate
    unchanged = ablation.changed(TRAINING, {}, seed=TRAINING.seed)
    assert unchanged == replace(TRAINING, conditions="latents")


def test_dropout_changes_what_is_learned_and_its_seed_decides_how(
    environment: Environment,
) -> None:
    weights = [
        ablation.train(environment, ["rppa"], TRAINING, dropout)["rppa_from_cna"].network
        for dropout in (0.0, 0.5, 0.5)
    ]
    plain, dropped, again = (network.output.weight for network in weights)
    assert (plain != dropped).any()
    assert (dropped == again).all()


def test_every_target_is_scored_with_its_ridge_beside_it(environment: Environment) -> None:
    denoisers = ablation.train(environment, ["rppa"], TRAINING, 0.0)
    assert set(denoisers) == {"rppa_from_cna", "rppa_from_rnaseq"}
    (row,) = ablation.score(environment, ["rppa"], denoisers)
    assert row["crps_recalibrated"] < row["crps"] + 0.05
    of_ridge = ablation.ridge(environment)
    assert (of_ridge > 0.3).all()
    table = pd.DataFrame([{"variant": "shipped", "seed": seed, **row} for seed in (0, 1)])
    summary = ablation.summarise(table)
    np.testing.assert_allclose(summary["r2_of_mean_sd"], 0)
    assert isinstance(ablation.draw(summary, of_ridge), Figure)
