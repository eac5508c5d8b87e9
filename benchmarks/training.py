"""Time until the pair models reach the validation scores of a plain training loop.

    python benchmarks/training.py --env cohort [--quick]

The plain loop trains the models one after another: batches of 64 rows handed out one at a time,
Adam at a constant rate, noise prediction, no moving average. The engine trains them in one stack
with the environment's parameters. Both are validated by the same draws, whose time is not counted.
The ratio is the plain loop's time to its best scores over the engine's time until every model was
within 0.2 % of the plain loop's best, which is what the scores of one model differ by between two
sets of noise. ``ratio_to_best``, until every model has reached or passed it, is not a number where
one never does. The last line gives the ratio, with the quality of coherent draws on the test split
from all sources: of the plain models, and of the engine's when all had reached the best scores,
or at the end.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import torch

import results
from curves import draw_curves
from environment import Environment, open_environment, trained_models
from fast_training import FastRun, train_fast
from plain_denoiser import stack_from_plain
from plain_training import PlainBudget, PlainRun, train_plain
from quality import last_line, mean_over_targets, measure
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.denoiser import StackedDenoiser
from tcga_coherent.diffusion.device import resolve_precision
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.consensus import halves_of_validation, measure_errors
from tcga_coherent.diffusion.sampling.ensemble import Ensemble, make_sampler
from tcga_coherent.diffusion.training.tasks import DenoiserTask, single_tasks
from tcga_coherent.diffusion.training.trainer import TrainedDenoiser, group_by_shape
from validation_score import ValidationScore, with_precise_scores

GOAL = 10.0
# Scores of one model differ by as much between two sets of noise.
TOLERANCE = 0.002
STOCHASTIC_STEPS = 40
BUDGET = PlainBudget(max_steps=8_000, every=250, patience=12)
QUICK_BUDGET = PlainBudget(max_steps=4_000, every=250, patience=6)


def run(environment: Environment, quick: bool) -> dict[str, Any]:
    """Train both ways, print the comparison and return it.

    Parameters
    ----------
    environment
        Latents and parameters.
    quick
        Train the models of the first target only, on a small budget.

    Returns
    -------
    dict
        ``ratio``, ``plain`` and ``fast`` (measures), ``models`` and ``quality`` (tables),
        ``plain_budget``, ``figure``.
    """
    tasks = single_tasks(environment.latents, environment.split)
    budget = QUICK_BUDGET if quick else BUDGET
    if quick:
        tasks = [task for task in tasks if task.target == tasks[0].target]
        print(
            f"Quick: the {len(tasks)} models of {tasks[0].target} only, plain loop of at most "
            f"{budget.max_steps} steps; the full run trains all pairs for up to {BUDGET.max_steps}."
        )
    config, device = with_precise_scores(environment.training), environment.device
    plain = train_all_plain(tasks, config, budget, device)
    wanted = {name: run.best_score for name, run in plain.items()}
    fast = train_fast(tasks, config, wanted, device, to_the_end=not quick)
    models = compare(plain, fast)
    print(models.round(4).to_string(index=False))

    versions = {
        "plain": loaded_plain(tasks, plain, config),
        "fast": loaded_fast(fast.at_reach, config, device),
    }
    if not quick:
        versions["fast, whole training"] = loaded_fast(fast.at_end, config, device)
    quality = pd.concat(
        [measure_ensembles(models, environment, name) for name, models in versions.items()],
        ignore_index=True,
    )
    print(quality.round(4).to_string(index=False))
    plain_seconds = float(models["plain_seconds_to_best"].sum())
    fast_seconds = fast.seconds_until(wanted)
    near_seconds = fast.seconds_until(nearly(wanted))
    ratio, to_best = _ratio(plain_seconds, near_seconds), _ratio(plain_seconds, fast_seconds)
    for row in models[models["fast_steps_to_plain_best"].isna()].itertuples():
        print(
            f"The engine never reached the plain loop's best score of {row.model}: "
            f"{row.fast_best_score:.4f} against {row.plain_best_score:.4f}."
        )
    print(
        f"Plain loop: {plain_seconds:.1f} s to its best scores; engine: {near_seconds:.1f} s until all "
        f"models were within {TOLERANCE:.1%} of them, {fast_seconds:.1f} s (ratio {to_best:.2f}) until "
        f"all had reached them. Goal: a ratio of {GOAL:.0f}, {'met' if ratio >= GOAL else 'missed'}."
    )
    return {
        "ratio": ratio,
        "ratio_to_best": to_best,
        "plain": mean_over_targets(quality[quality["version"] == "plain"]),
        "fast": mean_over_targets(quality[quality["version"] == "fast"]),
        "plain_seconds": plain_seconds,
        "fast_seconds": near_seconds,
        "fast_seconds_to_best": fast_seconds,
        "plain_budget": asdict(budget),
        "precision": str(resolve_precision(config.precision, device)),
        "models": models,
        "quality": quality,
        "figure": draw_curves(plain, fast),
    }


def train_all_plain(
    tasks: Sequence[DenoiserTask], config: TrainingConfig, budget: PlainBudget, device: torch.device
) -> dict[str, PlainRun]:
    """Train a plain model of every task, one after another."""
    config = replace(config, prediction="noise")
    runs = {}
    for shape, group in group_by_shape(tasks, config).items():
        for task in group:
            score = ValidationScore(task, config, device)
            run = train_plain(task, shape, config.process, budget, score, device, config.seed)
            runs[task.name] = run
            print(
                f"plain {task.name}: best energy score {run.best_score:.4f} after "
                f"{run.seconds_to_best:.1f} s, stopped after {run.curve[-1][0]} steps and "
                f"{run.curve[-1][1]:.1f} s",
                flush=True,
            )
    return runs


def compare(plain: Mapping[str, PlainRun], fast: FastRun) -> pd.DataFrame:
    """Return one row a model: when it was best in plain training and when the engine got there.

    Parameters
    ----------
    plain
        Model to its plain training.
    fast
        The engine's training.
    """
    wanted = {name: run.best_score for name, run in plain.items()}
    reached, near = fast.reached(wanted), fast.reached(nearly(wanted))
    best = fast.curve.groupby("model")["score"].min()
    return pd.DataFrame(
        [
            {
                "model": name,
                "plain_best_score": run.best_score,
                "plain_seconds_to_best": run.seconds_to_best,
                "fast_best_score": best[name],
                "fast_steps_to_plain_best": reached.loc[name, "step"],
                "fast_stack_seconds_to_plain_best": reached.loc[name, "seconds"],
                "fast_stack_seconds_within_tolerance": near.loc[name, "seconds"],
            }
            for name, run in plain.items()
        ]
    )


def nearly(wanted: Mapping[str, float]) -> dict[str, float]:
    """Return scores that are as good up to the tolerance; energy scores are positive."""
    return {name: score * (1.0 + TOLERANCE) for name, score in wanted.items()}


def _ratio(plain_seconds: float, fast_seconds: float) -> float:
    return plain_seconds / fast_seconds if math.isfinite(fast_seconds) else math.nan


def loaded_plain(
    tasks: Sequence[DenoiserTask], runs: Mapping[str, PlainRun], config: TrainingConfig
) -> list[LoadedDenoiser]:
    """Return plain models as the engine's ensembles take them."""
    loaded = []
    for task in tasks:
        model = runs[task.name].model
        score = ValidationScore(task, config, model.output.weight.device)
        loaded.append(
            LoadedDenoiser(
                name=task.name,
                target=task.target,
                sources=task.sources,
                network=stack_from_plain(model),
                process=config.process,
                mse=score.mse(model),
            )
        )
    return loaded


def loaded_fast(
    trained: Sequence[TrainedDenoiser], config: TrainingConfig, device: torch.device
) -> list[LoadedDenoiser]:
    """Return checkpoints of the engine as its ensembles take them."""
    loaded = []
    for model in trained:
        network = StackedDenoiser(1, model.shape)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in model.weights.items()})
        loaded.append(
            LoadedDenoiser(
                name=model.task.name,
                target=model.task.target,
                sources=model.task.sources,
                network=network.to(device).eval(),
                process=config.process,
                mse=model.mse,
            )
        )
    return loaded


def measure_ensembles(
    denoisers: Sequence[LoadedDenoiser], environment: Environment, version: str
) -> pd.DataFrame:
    """Draw the test split from all sources, with weights learned on validation; score the draws.

    Parameters
    ----------
    denoisers
        Single-condition denoisers; every target among them from all its sources.
    environment
        Latents and sampling parameters.
    version
        Name of what is measured.

    Returns
    -------
    DataFrame
        One row a target: ``version``, ``target`` and the measures.
    """
    validation = environment.values(environment.patients("val"))
    test_patients = environment.patients("test")
    test = environment.values(test_patients)
    # What predicts noise, as the plain models do, is to be followed with noise.
    sampling = replace(environment.sampling, eta=1.0, n_steps=STOCHASTIC_STEPS, temperature=1.0)
    multi = trained_models(environment).multi
    rows = []
    for target in dict.fromkeys(d.target for d in denoisers):
        members = [d for d in denoisers if d.target == target]
        errors = measure_errors(
            members,
            [],
            multi[target],
            validation[target],
            validation,
            halves_of_validation(list(environment.patients("val"))),
            make_sampler(members[0].process, sampling).timesteps,
            environment.training.seed,
        )
        drawn = Ensemble(members, sampling, errors, multi[target]).draw(
            {source: test[source] for source in environment.sources(target)},
            named_keys(sampling.seed, target, list(test_patients)),
        )
        scores = measure(test[target], drawn.latents, sampling.antithetic)
        rows.append({"version": version, "target": target, **scores})
    return pd.DataFrame(rows)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="demo", help="environment whose latents are used")
    parser.add_argument("--device", help="auto, cpu or cuda; default: the environment's")
    parser.add_argument("--quick", action="store_true", help="within 3 minutes; writes no files")
    arguments = parser.parse_args()
    environment = open_environment(arguments.env, arguments.device)
    found = run(environment, arguments.quick)
    if not arguments.quick:
        save(environment, found)
    print(last_line(found["ratio"], found["plain"], found["fast"]))


def save(environment: Environment, found: Mapping[str, Any]) -> None:
    """Write tables, figure and description to the folder of results."""
    name = f"training_{environment.name}"
    results.write_table(f"{name}_models", found["models"])
    results.write_table(f"{name}_quality", found["quality"])
    results.write_figure(name, found["figure"])
    numbers = {key: found[key] for key in found if key not in ("models", "quality", "figure")}
    results.write_json(name, {**numbers, **results.machine(environment.device)})


if __name__ == "__main__":
    main()
