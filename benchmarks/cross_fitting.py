"""What it does to the intervals that the same patients choose checkpoints and widen the draws.

    python benchmarks/cross_fitting.py --env cohort [--seeds 1]

The validation patients are parted in halves. The single-condition denoisers are trained again, with one half
to choose their checkpoints and to learn the consensus weights from. The factor of the spread is then fitted on
the same half (``same``), and on the other, which nothing was chosen by (``other``); either is judged on the test
split. Each half plays each part once. Encoders were chosen by all of validation in both.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import results
from ablation import train
from environment import Environment, open_environment, trained_models
from sampling import raw_draws
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.consensus import halves_of_validation, measure_errors
from tcga_coherent.diffusion.sampling.ensemble import make_sampler
from tcga_coherent.diffusion.sampling.recalibration import fit_spread
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.calibration import (
    coverage_over_sets,
    crps,
    independent_sets,
    mean_over_sets,
)

LEFT_OUT = "left_out"
MEASURES = ("spread", "coverage_50", "coverage_90", "crps")


def cross_fit(environment: Environment, half: int, seed: int) -> list[dict[str, Any]]:
    """Train with one half of validation; return a row a target and half that the spread is fitted on."""
    validation = environment.patients("val")
    halves = halves_of_validation(list(validation))
    chosen, others = validation[halves == half], validation[halves != half]
    split = environment.split.mask(environment.split.index.isin(others), LEFT_OUT)
    config = replace(environment.training, seed=seed)
    halved = replace(environment, split=split)
    denoisers = train(halved, list(environment.latents), config, dropout=0.0)
    multi = trained_models(environment).multi
    sampling = raw_draws(environment.sampling)
    parts = {"same": chosen, "other": others, "test": environment.patients("test")}
    values = {part: environment.values(patients) for part, patients in parts.items()}
    given = {part: environment.given(patients) for part, patients in parts.items()}
    rows = []
    for target in environment.latents:
        sources = environment.sources(target)
        members = [denoisers[f"{target}_from_{source}"] for source in sources]
        visited = make_sampler(members[0].process, sampling).timesteps
        parted = halves_of_validation(list(chosen))
        errors = measure_errors(
            *(members, [], multi[target], values["same"][target], given["same"]),
            *(parted, visited, seed),
        )
        ensemble = TrainedModels(denoisers, multi, {target: errors}).ensemble(
            target, "coherent", sources, sampling
        )
        draws = {}
        for part, patients in parts.items():
            keys = named_keys(seed, f"{part} {target}", list(patients))
            conditions = {source: given[part][source] for source in sources}
            draws[part] = ensemble.draw(conditions, keys).latents.transpose(0, 1).cpu().numpy()
        truth, mean = values["test"][target].cpu().numpy(), draws["test"].mean(axis=0)
        for part in ("same", "other"):
            spread = fit_spread(values[part][target].cpu().numpy(), draws[part])
            sets = independent_sets(mean + spread * (draws["test"] - mean), sampling.antithetic)
            rows.append(
                {
                    "seed": seed,
                    "half": half,
                    "target": target,
                    "fitted_on": part,
                    "spread": spread,
                    "coverage_50": coverage_over_sets(truth, sets, 0.5).observed,
                    "coverage_90": coverage_over_sets(truth, sets, 0.9).observed,
                    "crps": mean_over_sets(crps, truth, sets),
                }
            )
    return rows


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over targets of both ways, and their difference with its standard deviation over runs."""
    runs = table.groupby(["fitted_on", "seed", "half"])[list(MEASURES)].mean()
    same, other = runs.loc["same"], runs.loc["other"]
    return pd.DataFrame(
        {
            "same": same.mean(),
            "other": other.mean(),
            "difference": (other - same).mean(),
            "sd_over_runs": (other - same).std(),
        }
    )


def draw(table: pd.DataFrame) -> Figure:
    """Draw the coverage of both ways, a panel a level."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    panels: Sequence[Any] = figure.subplots(1, 2)
    targets = list(table["target"].unique())
    styles = {"same": (results.PLAIN_COLOR, "o", -0.12), "other": (results.FAST_COLOR, "s", 0.12)}
    for panel, level in zip(panels, (50, 90), strict=True):
        for part, (color, marker, shift) in styles.items():
            rows = table[table["fitted_on"] == part]
            at = [targets.index(target) + shift for target in rows["target"]]
            panel.scatter(at, rows[f"coverage_{level}"], color=color, marker=marker, label=part)
        panel.axhline(level / 100, color="0.5", lw=1)
        panel.set_xticks(range(len(targets)), targets)
        panel.set_ylabel(f"coverage of {level} % intervals")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(title="spread fitted on", frameon=False)
    return figure


def main() -> None:
    """Compare the two ways."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="demo", help="environment whose latents are used")
    parser.add_argument("--device", help="auto, cpu or cuda; default: the environment's")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each half")
    arguments = parser.parse_args()
    environment = open_environment(arguments.env, arguments.device)
    rows = []
    for seed in range(arguments.seeds):
        for half in (0, 1):
            rows += cross_fit(environment, half, seed)
            print(f"seed {seed}, half {half} done", flush=True)
    table = pd.DataFrame(rows)
    print(summarise(table).round(4).to_string())
    name = f"cross_fitting_{environment.name}"
    results.write_table(name, table)
    results.write_json(name, results.machine(environment.device))
    results.write_figure(name, draw(table))


if __name__ == "__main__":
    main()
