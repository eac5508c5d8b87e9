"""Time of coherent sampling from all sources against a plain loop of 1000 steps.

    python benchmarks/sampling.py --env cohort [--quick]
    python benchmarks/sampling.py --env cohort --steps

Both versions use the same trained denoisers, consensus weights, patients of the test split and
number of draws, count incoherent steps and make rejected draws again. The plain loop takes the
paper's 1000 DDPM steps, one repeat after another, and runs every network whole at each step; the
engine uses the environment's sampler. The last line gives the plain loop's time over the engine's,
and the quality of the draws of both. Draws are taken as they come, without recalibration.

``--steps`` makes another table instead: quality and time of each sampler against its steps, on the
validation split, from which the default is chosen, beside the engine's own 1000 DDPM steps.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

import results
from clock import seconds
from environment import Environment, open_environment, trained_models
from plain_denoiser import plain_from_stack
from plain_sampling import PlainEnsemble, draw_plain
from quality import MEASURES, last_line, mean_over_targets, measure
from steps import draw_steps, summarise_steps
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.device import resolve_precision
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.trained_models import TrainedModels

GOAL = 60.0
FAST_SEEDS = (0, 1, 2)
PATIENTS, PATIENTS_QUICK = 150, 80
STEPS = (10, 20, 40, 80)
VARIANTS: tuple[tuple[Literal["dpm_solver", "ddim"], float], ...] = (
    ("dpm_solver", 1.0),
    ("dpm_solver", 0.0),
    ("ddim", 1.0),
    ("ddim", 0.0),
)


def run(
    environment: Environment, targets: Sequence[str], n_patients: int, plain_seeds: int
) -> dict[str, Any]:
    """Draw both ways, print the comparison and return it.

    Parameters
    ----------
    environment
        Latents and parameters.
    targets
        Modalities to generate.
    n_patients
        Patients of the test split, chosen once.
    plain_seeds
        How often the plain loop is run.

    Returns
    -------
    dict
        ``ratio``, ``plain`` and ``fast`` (measures), ``table``.
    """
    models = trained_models(environment)
    patients = some_patients(environment, n_patients)
    config = raw_draws(environment.sampling)
    print(
        f"{len(patients)} patients of the test split, {config.n_draws} draws, "
        f"{', '.join(targets)} from all other modalities",
        flush=True,
    )
    rows = []
    for target in targets:
        for seed in FAST_SEEDS:
            row = draw_fast(environment, models, target, patients, replace(config, seed=seed))
            rows.append({"version": "fast", **row})
        for seed in range(plain_seeds):
            row = draw_plainly(environment, models, target, patients, replace(config, seed=seed))
            rows.append({"version": "plain", **row})
            print(f"plain {target}: {row['seconds']:.1f} s", flush=True)
    table = pd.DataFrame(rows)
    print(table.round(4).to_string(index=False))
    spent = table.groupby(["version", "target"])["seconds"].mean().groupby("version").sum()
    ratio = float(spent["plain"] / spent["fast"])
    plain = mean_over_targets(table[table["version"] == "plain"])
    fast = mean_over_targets(table[table["version"] == "fast"])
    print_spread(table, plain, fast)
    print(
        f"Plain loop: {spent['plain']:.1f} s; {config.sampler} with {config.n_steps} steps: "
        f"{spent['fast']:.2f} s. Goal: a ratio of {GOAL:.0f}, {'met' if ratio >= GOAL else 'missed'}."
    )
    return {
        "ratio": ratio,
        "plain": plain,
        "fast": fast,
        "plain_seconds": float(spent["plain"]),
        "fast_seconds": float(spent["fast"]),
        "n_patients": len(patients),
        "n_draws": config.n_draws,
        "sampler": config.sampler,
        "n_steps": config.n_steps,
        "eta": config.eta,
        "precision": str(resolve_precision(config.precision, environment.device)),
        "table": table,
    }


def run_steps(environment: Environment, targets: Sequence[str], n_patients: int) -> pd.DataFrame:
    """Draw with every sampler and number of steps; return one row a sampler, target and seed.

    Parameters
    ----------
    environment, targets, n_patients
        As in :func:`run`, but of the validation split.
    """
    models = trained_models(environment)
    # What is chosen here is chosen before the test split is looked at.
    patients = some_patients(environment, n_patients, "val")
    config = raw_draws(environment.sampling)
    yardstick = replace(config, sampler="ddpm", n_steps=environment.training.process.n_timesteps)
    runs: list[tuple[SamplingConfig, tuple[int, ...]]] = [(yardstick, FAST_SEEDS[:2])]
    runs += [
        (replace(config, sampler=sampler, eta=eta, n_steps=n_steps), FAST_SEEDS)
        for sampler, eta in VARIANTS
        for n_steps in STEPS
    ]
    rows = []
    for variant, seeds in runs:
        for seed in seeds:
            for target in targets:
                seeded = replace(variant, seed=seed)
                rows.append(
                    {
                        "sampler": variant.sampler,
                        "eta": variant.eta,
                        "n_steps": variant.n_steps,
                        **draw_fast(environment, models, target, patients, seeded),
                    }
                )
        print(f"{variant.sampler}, eta {variant.eta}, {variant.n_steps} steps: done", flush=True)
    return pd.DataFrame(rows)


def draw_fast(
    environment: Environment,
    models: TrainedModels,
    target: str,
    patients: pd.Index,
    config: SamplingConfig,
) -> dict[str, Any]:
    """Draw with the engine; return target, seed, time, measures and share of rejected draws."""
    values, given = environment.values(patients), environment.given(patients)
    sources = environment.sources(target)
    conditions = {source: given[source] for source in sources}
    keys = named_keys(config.seed, target, list(patients))
    started = seconds(environment.device)
    # The ensemble's set-up is part of its cost.
    drawn = models.ensemble(target, "coherent", sources, config).draw(conditions, keys)
    spent = seconds(environment.device) - started
    return {
        "target": target,
        "seed": config.seed,
        "seconds": spent,
        **measure(values[target], drawn.latents, config.antithetic),
        "rejected": float((~drawn.accepted).float().mean()),
    }


def draw_plainly(
    environment: Environment,
    models: TrainedModels,
    target: str,
    patients: pd.Index,
    config: SamplingConfig,
) -> dict[str, Any]:
    """Draw with the plain loop; return what :func:`draw_fast` does."""
    values, given = environment.values(patients), environment.given(patients)
    sources = environment.sources(target)
    ensemble = plain_ensemble(models, target, sources, config)
    conditions = {source: given[source] for source in sources}
    started = seconds(environment.device)
    drawn = draw_plain(ensemble, conditions, config.n_draws, config.seed)
    spent = seconds(environment.device) - started
    return {
        "target": target,
        "seed": config.seed,
        "seconds": spent,
        **measure(values[target], drawn.latents, antithetic=False),
        "rejected": float((~drawn.accepted).float().mean()),
    }


def plain_ensemble(
    models: TrainedModels, target: str, sources: tuple[str, ...], config: SamplingConfig
) -> PlainEnsemble:
    """Return the engine's ensemble as the plain loop takes it: same networks, same weights.

    Raises
    ------
    SystemExit
        When the unconditional expert is a trained model, which the plain loop does not know.
    """
    if config.weights == "composed_trained":
        raise SystemExit(
            "The plain loop knows no trained unconditional expert: set coherent_sampling.weights to "
            "composed, learned, inverse_mse or equal."
        )
    every_step = models.ensemble(target, "coherent", sources, replace(config, sampler="ddpm"))
    members = models.members(target, "coherent", sources)
    return PlainEnsemble(
        denoisers={d.sources[0]: plain_from_stack(d.network) for d in members},
        weights=every_step.weights,
        expert_weights=every_step.expert_weights,
        process=members[0].process,
        coherence=config.coherence,
    )


def raw_draws(config: SamplingConfig) -> SamplingConfig:
    """Return sampling parameters of denoisers alone, without what is done to finished draws."""
    return replace(
        config, linear_experts=False, multi_expert=False, recalibrate=False, temperature=1.0
    )


def some_patients(environment: Environment, n_patients: int, part: str = "test") -> pd.Index:
    """Return some patients of a split, the same ones in every run."""
    patients = environment.patients(part)
    chosen = np.random.default_rng(0).permutation(len(patients))[:n_patients]
    return patients[np.sort(chosen)]


def print_spread(
    table: pd.DataFrame, plain: Mapping[str, float], fast: Mapping[str, float]
) -> None:
    """Say how far the two versions' quality is apart, and how far the engine's seeds are."""
    by_seed = table[table["version"] == "fast"].groupby("seed")[list(MEASURES)].mean()
    for name in MEASURES:
        print(
            f"{name}: fast - plain = {fast[name] - plain[name]:+.4f}; seeds of the fast version "
            f"spread from {by_seed[name].min():.4f} to {by_seed[name].max():.4f}"
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="demo", help="environment whose models are used")
    parser.add_argument("--device", help="auto, cpu or cuda; default: the environment's")
    parser.add_argument("--quick", action="store_true", help="within 3 minutes; writes no files")
    parser.add_argument("--steps", action="store_true", help="table of steps against quality")
    parser.add_argument("--targets", help="modalities joined by commas; default: all")
    parser.add_argument("--patients", type=int, help="patients that are drawn")
    parser.add_argument("--plain-seeds", type=int, default=1, help="runs of the plain loop")
    arguments = parser.parse_args()
    environment = open_environment(arguments.env, arguments.device)
    targets = arguments.targets.split(",") if arguments.targets else list(environment.latents)
    if arguments.steps:
        table = run_steps(environment, targets, arguments.patients or PATIENTS)
        print(summarise_steps(table).round(4).to_string(index=False))
        results.write_table(f"steps_{environment.name}", table)
        results.write_figure(f"steps_{environment.name}", draw_steps(summarise_steps(table)))
        results.write_json(f"steps_{environment.name}", results.machine(environment.device))
        return
    n_patients = arguments.patients or PATIENTS
    if arguments.quick:
        targets, n_patients = targets[:1], arguments.patients or PATIENTS_QUICK
        print(f"Quick: {targets[0]} only, {n_patients} patients.")
    found = run(environment, targets, n_patients, arguments.plain_seeds)
    if not arguments.quick:
        save(environment, found)
    print(last_line(found["ratio"], found["plain"], found["fast"]))


def save(environment: Environment, found: Mapping[str, Any]) -> None:
    """Write table and description to the folder of results."""
    name = f"sampling_{environment.name}"
    results.write_table(name, found["table"])
    numbers = {key: value for key, value in found.items() if key != "table"}
    results.write_json(name, {**numbers, **results.machine(environment.device)})


if __name__ == "__main__":
    main()
