"""What denoisers gain by being told more of a source, and ensembles by linear experts.

    python benchmarks/conditions.py --env cohort [--targets cna,rnaseq]

The single-condition denoisers of the targets are trained again for every seed with either kind of
``diffusion_training.conditions``. The ensembles draw the test split from all other modalities, with the environment's
linear experts and without; errors are measured, and spread recalibrated, on validation. Ridge on features
stands beside them.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args, get_type_hints

import pandas as pd
from matplotlib.figure import Figure

import results
from ablation import SEEDS, score, train
from environment import Environment, open_environment, trained_models
from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.models import fit_baseline
from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.latents import code_frames
from tcga_coherent.measures.fidelity import r2

KINDS = get_args(get_type_hints(TrainingConfig)["conditions"])
SHOWN = ("r2_of_mean", "crps_recalibrated")
WAYS = [(kind, linear) for kind in KINDS for linear in (False, True)]


def compare(environment: Environment, targets: Sequence[str]) -> pd.DataFrame:
    """Return a row a kind of conditions, use of linear experts, seed and target."""
    linear = trained_models(environment).linear
    rows = []
    for seed in SEEDS:
        for kind in KINDS:
            config = replace(environment.training, conditions=kind, seed=seed)
            denoisers = train(environment, targets, config, dropout=0.0)
            for used in (False, True):
                found = score(environment, targets, denoisers, linear if used else None)
                keys = {"conditions": kind, "linear_experts": used, "seed": seed}
                rows += [{**keys, **row} for row in found]
            print(f"seed {seed}, {kind}: done", flush=True)
    return pd.DataFrame(rows)


def ridge_on_features(environment: Environment, targets: Sequence[str]) -> pd.Series:
    """Return the R2 of the strongest baseline from all sources, by target."""
    parameters = BaselineParameters(
        ridge_alphas=(1.0,),
        ridge_features_alphas=tuple(10 ** (k / 2) for k in range(-2, 7)),
        knn_neighbors=(10,),
    )
    train_, val, test = (environment.patients(part) for part in ("train", "val", "test"))
    no_types = pd.Series("", index=environment.split.index)
    codes = code_frames(environment.latents, environment.conditions)
    cohort = Cohort(environment.latents, train_, val, test, no_types, codes=codes)
    found = {}
    for target in targets:
        fitted = fit_baseline(STRONGEST, target, environment.sources(target), cohort, parameters)
        truth = environment.latents[target].loc[test].to_numpy(float)
        found[target] = r2(truth, fitted.predict(cohort, test))
    return pd.Series(found)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over the seeds, and standard deviation, of R2 and CRPS."""
    keys = ["conditions", "linear_experts", "target"]
    groups = table.groupby(keys, sort=False)[list(SHOWN)]
    return groups.mean().join(groups.std().add_suffix("_sd")).reset_index()


def draw(summary: pd.DataFrame, ridge: pd.Series) -> Figure:
    """Draw R2 of each kind of conditions, with linear experts and without, a panel a target."""
    targets = list(summary["target"].unique())
    figure = Figure(figsize=(2.8 * len(targets), 2.8), layout="constrained")
    panels = figure.subplots(1, len(targets), sharey=True, squeeze=False)[0]
    names = [
        f"{kind.replace('_', ' ')},\n{'linear experts' if used else 'denoisers alone'}"
        for kind, used in WAYS
    ]
    for panel, target in zip(panels, targets, strict=True):
        own = summary[summary["target"] == target].set_index(["conditions", "linear_experts"])
        rows = own.loc[WAYS]
        panel.errorbar(
            rows["r2_of_mean"], range(len(rows)), xerr=rows["r2_of_mean_sd"], fmt="o",
            color=results.FAST_COLOR, capsize=3,
        )  # fmt: skip
        panel.axvline(ridge[target], color=results.PLAIN_COLOR, ls="--")
        panel.set_yticks(range(len(rows)), names, fontsize=8)
        panel.set_xlabel("R2 of the mean draw")
        panel.set_title(f"{target} (dashes: ridge on features)", fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    return figure


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="demo", help="environment whose latents are used")
    parser.add_argument("--device", help="auto, cpu or cuda; default: the environment's")
    parser.add_argument("--targets", help="modalities joined by commas; default: all")
    arguments = parser.parse_args()
    environment = open_environment(arguments.env, arguments.device)
    targets = arguments.targets.split(",") if arguments.targets else list(environment.latents)
    table = compare(environment, targets)
    ridge = ridge_on_features(environment, targets)
    summary = summarise(table)
    print(summary.round(3).to_string(index=False))
    name = f"conditions_{environment.name}"
    results.write_table(name, table)
    machine = results.machine(environment.device)
    results.write_json(name, {**machine, "ridge_on_features": ridge.round(4).to_dict()})
    results.write_figure(name, draw(summary, ridge))


if __name__ == "__main__":
    main()
