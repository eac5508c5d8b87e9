"""What each part of the training recipe does to the draws of an environment's ensembles.

    python benchmarks/ablation.py --env cohort [--targets rnaseq,wsi]

The single-condition denoisers of the targets are trained again for every variant and seed: the environment's
recipe, and the recipe with one part taken back to the paper's. Conditions are latents, as the paper's, and no
linear expert takes part: ``conditions.py`` compares these. The ensembles then draw the test
split from all other modalities, stochastically. Their spread is measured as it comes, ``crps_recalibrated`` after
recalibration on validation. Ridge regression stands beside them.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional

import results
from environment import Environment, open_environment, trained_models
from sampling import raw_draws
from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.models import fit_baseline
from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser, describe_denoiser, load_denoiser
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.linear_gaussian import LinearGaussian
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.consensus import halves_of_validation, measure_errors
from tcga_coherent.diffusion.sampling.ensemble import make_sampler
from tcga_coherent.diffusion.sampling.recalibration import fit_spread
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.tasks import single_tasks, told_beside_latents
from tcga_coherent.diffusion.training.trainer import (
    StackTrainer,
    group_by_shape,
    with_whole_conditions,
)
from tcga_coherent.measures.calibration import (
    coverage_over_sets,
    crps,
    independent_sets,
    mean_over_sets,
)
from tcga_coherent.measures.fidelity import r2, variance_percent

SEEDS = (0, 1, 2)
STOCHASTIC_STEPS = 40
PAPER: dict[str, Any] = {
    "prediction": "noise",
    "weight_decay": 0.0,
    "ema_decay": 0.0,
    "learning_rate_schedule": "constant",
}
VARIANTS: dict[str, dict[str, Any]] = {
    "shipped": {},
    "noise prediction": {"prediction": "noise"},
    "no weight decay": {"weight_decay": 0.0},
    "no moving average": {"ema_decay": 0.0},
    "constant rate": {"learning_rate_schedule": "constant"},
    "MSE criterion": {"criterion": "mse"},
    "dropout 0.1": {"dropout": 0.1},
    "float32": {"precision": "float32"},
    "all of the paper's": {**PAPER, "criterion": "mse"},
}
MEASURES = (
    "r2_of_mean",
    "crps",
    "variance_percent",
    "coverage_50",
    "coverage_90",
    "crps_recalibrated",
)


def changed(config: TrainingConfig, change: Mapping[str, Any], seed: int) -> TrainingConfig:
    """Return training parameters with some of them changed."""
    rest = {key: value for key, value in change.items() if key not in ("criterion", "dropout")}
    validation = replace(
        config.validation, criterion=change.get("criterion", config.validation.criterion)
    )
    return replace(config, **rest, seed=seed, validation=validation, conditions="latents")


def train(
    environment: Environment, targets: Sequence[str], config: TrainingConfig, dropout: float
) -> dict[str, LoadedDenoiser]:
    """Train the single-condition denoisers of some targets."""

    def drop(norm: nn.Module, _: object, output: torch.Tensor) -> torch.Tensor:
        # Before the rectifier, which commutes with it.
        return functional.dropout(output, dropout, norm.training)

    prints = {name: fingerprint_frame(frame) for name, frame in environment.conditions.items()}
    told = told_beside_latents(config, environment.conditions)
    trained = []
    tasks = single_tasks(environment.latents, environment.split, targets, told)
    for shape, group in group_by_shape(tasks, config).items():
        trainer = StackTrainer(group, shape, config, environment.device)
        torch.manual_seed(config.seed)
        for norm in trainer.denoiser.norms if dropout else ():
            norm.register_forward_hook(drop)
        for _ in trainer.train():
            pass
        trained += map(with_whole_conditions, trainer.results())
    return {
        one.task.name: load_denoiser(
            one.weights,
            describe_denoiser(one, config, prints, prints),
            "latents",
            prints,
            environment.device,
        )
        for one in trained
    }


def score(
    environment: Environment,
    targets: Sequence[str],
    denoisers: Mapping[str, LoadedDenoiser],
    linear: Mapping[str, LinearGaussian] | None = None,
) -> list[dict[str, Any]]:
    """Draw validation and test split from all sources, with linear experts or none; return one row a target."""
    experts = linear or {}
    # What predicts noise is to be followed with noise.
    config = replace(
        raw_draws(environment.sampling), eta=1.0, n_steps=STOCHASTIC_STEPS, linear_experts=True
    )
    multi = trained_models(environment).multi
    val, test = (environment.values(environment.patients(part)) for part in ("val", "test"))
    given = {part: environment.given(environment.patients(part)) for part in ("val", "test")}
    halves = halves_of_validation(list(environment.patients("val")))
    rows = []
    for target in targets:
        sources = environment.sources(target)
        members = [denoisers[f"{target}_from_{source}"] for source in sources]
        visited = make_sampler(members[0].process, config).timesteps
        errors = measure_errors(
            members,
            [expert for expert in experts.values() if expert.target == target],
            *(multi[target], val[target], given["val"], halves, visited, config.seed),
        )
        models = TrainedModels(denoisers, multi, {target: errors}, linear=experts)
        ensemble = models.ensemble(target, "coherent", sources, config)
        draws = []
        for part, values in given.items():
            keys = named_keys(config.seed, f"{part} {target}", list(environment.patients(part)))
            if part == "val":
                drawn = models.draw_validation(
                    target, "coherent", sources, config, values, halves, keys
                )
            else:
                drawn = ensemble.draw({s: values[s] for s in sources}, keys).latents
            draws.append(drawn.transpose(0, 1).numpy())
        spread = fit_spread(val[target].cpu().numpy(), draws[0])
        truth, raw = test[target].cpu().numpy(), draws[1]
        mean = raw.mean(axis=0)
        rows.append(
            {
                "target": target,
                "r2_of_mean": r2(truth, mean),
                **_spread_measures(truth, raw, config.antithetic),
                "crps_recalibrated": _spread_measures(
                    truth, mean + spread * (raw - mean), config.antithetic
                )["crps"],
            }
        )
    return rows


def _spread_measures(truth: np.ndarray, draws: np.ndarray, antithetic: bool) -> dict[str, float]:
    sets = independent_sets(draws, antithetic)
    return {
        "crps": mean_over_sets(crps, truth, sets),
        "variance_percent": mean_over_sets(variance_percent, truth, sets),
        "coverage_50": coverage_over_sets(truth, sets, 0.5).observed,
        "coverage_90": coverage_over_sets(truth, sets, 0.9).observed,
    }


def ridge(environment: Environment) -> pd.Series:
    """Return the R2 of ridge regression from all sources, by target."""
    parameters = BaselineParameters(
        ridge_alphas=tuple(10.0**k for k in range(-1, 6)),
        ridge_features_alphas=(1.0,),
        knn_neighbors=(10,),
    )
    train, val, test = (environment.patients(part) for part in ("train", "val", "test"))
    no_types = pd.Series("", index=environment.split.index)
    cohort = Cohort(environment.latents, train, val, test, no_types)
    found = {}
    for target, frame in environment.latents.items():
        sources = environment.sources(target)
        fitted = fit_baseline("ridge", target, sources, cohort, parameters)
        predicted = fitted.predict(cohort, test)
        found[target] = r2(frame.loc[test].to_numpy(float), predicted)
    return pd.Series(found)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over the seeds, and standard deviation, of each variant and target."""
    groups = table.groupby(["variant", "target"], sort=False)[list(MEASURES)]
    return groups.mean().join(groups.std().add_suffix("_sd")).reset_index()


def draw(summary: pd.DataFrame, of_ridge: pd.Series) -> Figure:
    """Draw R2 and CRPS of every variant, a panel a target."""
    targets, variants = summary["target"].unique(), list(summary["variant"].unique())
    figure = Figure(figsize=(3.4 * len(targets), 6.0), layout="constrained")
    panels = figure.subplots(2, len(targets), sharey=True, squeeze=False)
    for column, target in enumerate(targets):
        rows = summary[summary["target"] == target]
        for row, (name, label) in enumerate(
            (("r2_of_mean", "R2 of the mean draw"), ("crps_recalibrated", "CRPS, recalibrated"))
        ):
            panel = panels[row, column]
            panel.errorbar(
                rows[name],
                range(len(rows)),
                xerr=rows[f"{name}_sd"],
                fmt="o",
                color=results.FAST_COLOR,
                capsize=3,
            )
            panel.set_xlabel(label)
            panel.set_yticks(range(len(variants)), variants)
            panel.spines[["top", "right"]].set_visible(False)
        panels[0, column].axvline(of_ridge[target], color=results.PLAIN_COLOR, ls="--")
        panels[0, column].set_title(f"{target} (dashes: ridge)")
    panels[0, 0].invert_yaxis()
    return figure


def main() -> None:
    """Run the ablation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="demo", help="environment whose latents are used")
    parser.add_argument("--device", help="auto, cpu or cuda; default: the environment's")
    parser.add_argument("--targets", help="modalities joined by commas; default: all")
    parser.add_argument("--variants", help="some of them, joined by commas; default: all")
    arguments = parser.parse_args()
    environment = open_environment(arguments.env, arguments.device)
    chosen = arguments.variants.split(",") if arguments.variants else list(VARIANTS)
    targets = arguments.targets.split(",") if arguments.targets else list(environment.latents)
    rows = []
    for seed in SEEDS:
        for variant in chosen:
            config = changed(environment.training, VARIANTS[variant], seed)
            dropout = VARIANTS[variant].get("dropout", 0.0)
            found = score(environment, targets, train(environment, targets, config, dropout))
            rows += [{"variant": variant, "seed": seed, **row} for row in found]
            shown = ", ".join(f"{row['target']} {row['r2_of_mean']:.3f}" for row in found)
            print(f"seed {seed}, {variant}: {shown}", flush=True)
    order = {variant: number for number, variant in enumerate(chosen)}
    table = pd.DataFrame(rows).sort_values("variant", key=lambda c: c.map(order), kind="stable")
    summary = summarise(table)
    print(summary.round(3).to_string(index=False))
    name = f"ablation_{environment.name}"
    results.write_table(name, table)
    results.write_json(name, results.machine(environment.device))
    results.write_figure(name, draw(summary, ridge(environment)))


if __name__ == "__main__":
    main()
