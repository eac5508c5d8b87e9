"""Put the results that are in benchmarks/results into the page docs/benchmarks.md.

python benchmarks/report.py
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

import ablation
import conditions
import results
import weights
from quality import MEASURES
from scaling import sizes_and_costs
from steps import summarise_steps

PAGE = Path("docs/benchmarks.md")
HEADING = "## Results\n"


def render(folder: Path) -> str:
    """Return the results of a folder as Markdown.

    Parameters
    ----------
    folder
        Folder of results.
    """
    parts = [
        *(_training(path) for path in sorted(folder.glob("training_*.json"))),
        *(_sampling(path) for path in sorted(folder.glob("sampling_*.json"))),
        *(_steps(path) for path in sorted(folder.glob("steps_*.json"))),
        *(_scaling(path) for path in sorted(folder.glob("scaling_*.json"))),
        *(_weights(path) for path in sorted(folder.glob("weights_*.json"))),
        *(_ablation(path) for path in sorted(folder.glob("ablation_*.json"))),
        *(_conditions(path) for path in sorted(folder.glob("conditions_*.json"))),
        *(_external_proof(path) for path in sorted(folder.glob("external_proof.csv"))),
    ]
    return "\n\n".join(parts) if parts else "None yet."


def _training(path: Path) -> str:
    found = _read(path)
    return "\n\n".join(
        [
            f"### Training, environment {path.stem.removeprefix('training_')}",
            f"Ratio **{found['ratio']:.1f}**: {found['plain_seconds']:.1f} s of the plain loop to its "
            f"best scores, {found['fast_seconds']:.1f} s of the engine until all models were within "
            f"0.2 % of them. Ratio until all had reached them: {found['ratio_to_best']:.1f} (nan: not "
            f"all did). {_machine(found)}",
            _csv(path.with_name(f"{path.stem}_models.csv")),
            _csv(path.with_name(f"{path.stem}_quality.csv")),
            f"Figure: `benchmarks/results/{path.stem}.png`.",
        ]
    )


def _sampling(path: Path) -> str:
    found = _read(path)
    table = pd.read_csv(path.with_suffix(".csv"))
    by_target = table.groupby(["target", "version"], sort=False)
    columns = ["seconds", *MEASURES]
    summary = by_target[columns].mean()
    for name in MEASURES:
        summary[f"{name}_sd"] = by_target[name].std()
    return "\n\n".join(
        [
            f"### Sampling, environment {path.stem.removeprefix('sampling_')}",
            f"Ratio **{found['ratio']:.1f}**: {found['plain_seconds']:.1f} s of the plain loop, "
            f"{found['fast_seconds']:.2f} s of {found['sampler']} with {found['n_steps']} steps, "
            f"{found['n_patients']} patients, {found['n_draws']} draws. `_sd` is over seeds. "
            f"{_machine(found)}",
            results.markdown_table(summary.reset_index()),
        ]
    )


def _steps(path: Path) -> str:
    return "\n\n".join(
        [
            f"### Steps, environment {path.stem.removeprefix('steps_')}",
            results.markdown_table(summarise_steps(pd.read_csv(path.with_suffix(".csv")))),
            f"Means over the targets, times added up; `_sd` is over seeds. {_machine(_read(path))} "
            f"Figure: `benchmarks/results/{path.stem}.png`.",
        ]
    )


def _scaling(path: Path) -> str:
    return "\n\n".join(
        [
            f"### Scaling of sampling, {path.stem.removeprefix('scaling_')}",
            results.markdown_table(sizes_and_costs(pd.read_csv(path.with_suffix(".csv")))),
            f"{_machine(_read(path))} Figure: `benchmarks/results/{path.stem}.png`.",
        ]
    )


def _weights(path: Path) -> str:
    name = path.stem.removeprefix("weights_")
    summary = weights.summarise(pd.read_csv(path.with_suffix(".csv")))
    return "\n\n".join(
        [
            f"### Consensus weights, environment {name}",
            results.markdown_table(summary),
            f"`_sd` is over the seeds of the noise. {_machine(_read(path))} Figure: "
            f"`benchmarks/results/{path.stem}.png`.",
            f"### R2 of ways to read the draws, environment {name}",
            _csv(path.with_name(f"readings_{name}.csv")),
        ]
    )


def _ablation(path: Path) -> str:
    summary = ablation.summarise(pd.read_csv(path.with_suffix(".csv")))
    return "\n\n".join(
        [
            f"### Training recipes, environment {path.stem.removeprefix('ablation_')}",
            results.markdown_table(summary),
            f"`_sd` is over {len(ablation.SEEDS)} trainings. {_machine(_read(path))} Figure: "
            f"`benchmarks/results/{path.stem}.png`.",
        ]
    )


def _conditions(path: Path) -> str:
    found = _read(path)
    ridge = ", ".join(
        f"{target} {value:.3f}" for target, value in found["ridge_on_features"].items()
    )
    return "\n\n".join(
        [
            f"### Conditions and linear experts, environment {path.stem.removeprefix('conditions_')}",
            results.markdown_table(conditions.summarise(pd.read_csv(path.with_suffix(".csv")))),
            f"`_sd` is over {len(conditions.SEEDS)} trainings. R2 of ridge on features: {ridge}. {_machine(found)} "
            f"Figure: `benchmarks/results/{path.stem}.png`.",
        ]
    )


def _external_proof(path: Path) -> str:
    return "\n\n".join(
        [
            "### Immune checkpoints from slides alone, on a published hold-out",
            _csv(path),
            "`published`: AUROC of Diao et al., 2021. `coherent`: mean of the decoded draws. `ridge`: from slide features to the "
            "gene. Intervals are over patients. `brier` is of P(high) from draws, `brier_of_share` of the share of high patients "
            "in its place.",
            "P(high) in five groups of patients a gene, and how many of them have high expression:",
            _csv(path.with_name("external_proof_reliability.csv")),
            "Figure: `benchmarks/results/external_proof.png`.",
        ]
    )


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _csv(path: Path) -> str:
    return results.markdown_table(pd.read_csv(path))


def _machine(found: dict[str, Any]) -> str:
    cuda = f", CUDA {found['cuda']}" if found["cuda"] else f", {found['cpu_threads']} thread(s)"
    return (
        f"{found['device']}{cuda}, torch {found['torch']}, tcga_coherent {found['tcga_coherent']}, "
        f"{found['date']}."
    )


def main() -> None:
    """Rewrite the last section of the page."""
    before, heading, _ = PAGE.read_text(encoding="utf-8").partition(HEADING)
    if not heading:
        raise SystemExit(f"{PAGE} has no line {HEADING.strip()!r}, under which the results go.")
    PAGE.write_text(f"{before}{HEADING}\n{render(results.FOLDER)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
