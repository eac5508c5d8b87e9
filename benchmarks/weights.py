"""How the consensus of an environment's ensembles is best weighted, and how best read.

    python benchmarks/weights.py --env cohort

Draws every modality from all others with each kind of consensus weights, on validation, where the
default is chosen, and on the test split, over several seeds of the noise. ``coherence_aware`` are
composed weights that lean, patient by patient and step by step, towards the denoisers that agree
with the others. A second table reads the composed draws: the mean of more and fewer draws,
antithetic or not, and single draws at several temperatures. Draws are taken as they come, without
recalibration.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch.nn import functional

import results
from environment import Environment, open_environment, trained_models
from quality import measure
from sampling import raw_draws
from tcga_coherent.diffusion.config import SamplingConfig, Weighting
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.ensemble import Ensemble
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.calibration import coverage_over_sets, independent_sets
from tcga_coherent.measures.fidelity import r2, r2_of_draws

SEEDS = (0, 1, 2)
MEASURES = ("r2_of_mean", "crps", "coverage_50", "coverage_90")
SHARPNESS = 3.0
DRAWS = (2, 10, 20, 40, 80)
TEMPERATURES = (0.0, 0.25, 0.5, 0.75, 1.0)


class CoherenceAware(Ensemble):
    """Weights each denoiser also by how well its estimate agrees with those of the others."""

    def _combine(self, visit: int, estimates: torch.Tensor) -> torch.Tensor:
        weights = self.weights[visit]
        n_members = len(estimates)
        directions = functional.normalize(estimates, dim=1)
        similarity = torch.einsum("mfr,nfr->mnr", directions, directions)
        agreement = (similarity.sum(dim=1) - 1.0) / (n_members - 1)
        leaning = weights.unsqueeze(1) * torch.softmax(SHARPNESS * agreement, dim=0)
        # The sum stays what it was: it decides how much of the expert is taken out.
        leaning *= weights.sum() / leaning.sum(dim=0).clamp(min=1e-6)
        return torch.einsum("mr,mfr->fr", leaning, estimates)


def ensemble(
    models: TrainedModels, target: str, sources: tuple[str, ...], config: SamplingConfig, kind: str
) -> Ensemble:
    """Return an ensemble with one kind of weights."""
    if kind != "coherence_aware":
        weights: Any = kind
        return models.ensemble(target, "coherent", sources, replace(config, weights=weights))
    members = models.members(target, "coherent", sources)
    return CoherenceAware(members, replace(config, weights="composed"), models.errors[target])


def compare_weights(environment: Environment) -> pd.DataFrame:
    """Return one row a kind of weights, split, target and seed."""
    models = trained_models(environment)
    config = raw_draws(environment.sampling)
    rows = []
    for kind in (*get_args(Weighting), "coherence_aware"):
        for target in environment.latents:
            sources = environment.sources(target)
            one = ensemble(models, target, sources, config, kind)
            for part in ("val", "test"):
                values = environment.values(environment.patients(part))
                given = environment.given(environment.patients(part))
                for seed in SEEDS:
                    keys = named_keys(seed, f"{part} {target}", list(environment.patients(part)))
                    drawn = one.draw({source: given[source] for source in sources}, keys)
                    row = scores(values[target], drawn.latents, config.antithetic)
                    rows.append(
                        {"weights": kind, "split": part, "target": target, "seed": seed, **row}
                    )
        print(f"{kind}: done", flush=True)
    return pd.DataFrame(rows)


def scores(truth: torch.Tensor, latents: torch.Tensor, antithetic: bool) -> dict[str, float]:
    """Return the measures of the benchmarks, and the coverage of 50 % intervals."""
    sets = independent_sets(latents.cpu().numpy().transpose(1, 0, 2), antithetic)
    measured = truth.cpu().numpy()
    half = coverage_over_sets(measured, sets, 0.5).observed
    return {**measure(truth, latents, antithetic), "coverage_50": half}


def compare_readings(environment: Environment) -> pd.DataFrame:
    """Return one row a target and way to read the draws of the test split."""
    models = trained_models(environment)
    config = replace(raw_draws(environment.sampling), n_draws=max(DRAWS))
    patients = environment.patients("test")
    values, given = environment.values(patients), environment.given(patients)
    rows = []
    for target in environment.latents:
        sources = environment.sources(target)
        truth = values[target].cpu().numpy()
        for antithetic in (False, True):
            paired = replace(config, antithetic=antithetic)
            drawn = models.ensemble(target, "coherent", sources, paired).draw(
                {source: given[source] for source in sources},
                named_keys(0, target, list(patients)),
            )
            draws = drawn.latents.transpose(0, 1).numpy()
            half = len(draws) // 2
            for n_draws in DRAWS:
                # Of pairs, the first ones whole.
                first = np.r_[: n_draws // 2, half : half + n_draws // 2]
                chosen = draws[first] if antithetic else draws[:n_draws]
                reading = f"mean of {n_draws} {'antithetic' if antithetic else 'independent'} draws"
                rows.append(
                    {"target": target, "reading": reading, "r2": r2(truth, chosen.mean(axis=0))}
                )
        mean = draws.mean(axis=0)
        for temperature in TEMPERATURES:
            cooled = mean + temperature * (draws - mean)
            single = float(r2_of_draws(truth, cooled).mean())
            rows.append(
                {
                    "target": target,
                    "reading": f"one draw at temperature {temperature:g}",
                    "r2": single,
                }
            )
    return pd.DataFrame(rows)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over the seeds, and standard deviation, of each kind of weights, split and target."""
    groups = table.groupby(["split", "target", "weights"], sort=False)[list(MEASURES)]
    return groups.mean().join(groups.std().add_suffix("_sd")).reset_index()


def draw(summary: pd.DataFrame) -> Figure:
    """Draw R2, CRPS and coverage of every kind of weights, a colour a target."""
    figure = Figure(figsize=(13.0, 4.0), layout="constrained")
    panels = figure.subplots(1, len(MEASURES), sharey=True)
    kinds = list(summary["weights"].unique())
    titles: Mapping[str, str] = {
        "r2_of_mean": "R2 of the mean draw",
        "crps": "CRPS",
        "coverage_50": "coverage of 50 % intervals",
        "coverage_90": "coverage of 90 % intervals",
    }
    for panel, name in zip(panels, MEASURES, strict=True):
        for number, target in enumerate(summary["target"].unique()):
            for part, fill in (("val", "none"), ("test", results.COLORS[number])):
                rows = summary[(summary["target"] == target) & (summary["split"] == part)]
                panel.errorbar(
                    rows[name],
                    np.arange(len(rows)) + 0.15 * (number - 1.5),
                    xerr=rows[f"{name}_sd"],
                    linestyle="none",
                    marker=results.MARKERS[number],
                    color=results.COLORS[number],
                    markerfacecolor=fill,
                    label=f"{target}, {part}",
                )
        panel.set_xlabel(titles[name])
        panel.set_yticks(range(len(kinds)), kinds)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    for panel, nominal in zip(panels[2:], (0.5, 0.9), strict=True):
        panel.axvline(nominal, color="black", linestyle=":")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(labels) // 2, frameon=False
    )
    return figure


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="demo", help="environment whose models are used")
    parser.add_argument("--device", help="auto, cpu or cuda; default: the environment's")
    arguments = parser.parse_args()
    environment = open_environment(arguments.env, arguments.device)
    readings = compare_readings(environment)
    pivot = readings.pivot_table(index="reading", columns="target", values="r2", sort=False)
    pivot = pivot[list(environment.latents)].reset_index()
    print(pivot.round(3).to_string(index=False))
    table = compare_weights(environment)
    summary = summarise(table)
    print(summary.round(4).to_string(index=False))
    results.write_table(f"readings_{environment.name}", pivot)
    results.write_table(f"weights_{environment.name}", table)
    results.write_json(f"weights_{environment.name}", results.machine(environment.device))
    results.write_figure(f"weights_{environment.name}", draw(summary))


if __name__ == "__main__":
    main()
