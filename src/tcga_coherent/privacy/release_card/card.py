"""What trained models are, what they were measured to do and to give away, for those who get them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from pydantic.dataclasses import dataclass as validated

import tcga_coherent
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.figures.palette import METHOD_LABELS
from tcga_coherent.modality import STRICT
from tcga_coherent.omics.patients.tables import TOTAL
from tcga_coherent.privacy.release_card.findings import FINDINGS, findings
from tcga_coherent.report.display import ABSENT, format_number
from tcga_coherent.report.headlines import headlines
from tcga_coherent.report.parts import Parts
from tcga_coherent.report.sections import SECTIONS
from tcga_coherent.studies.reconstruction.section import from_all_sources

# Tables that the card reads beside those of the findings.
TABLES = ("table4_cohort", "split", "table1_reconstruction", "table2_rescue", *FINDINGS)

FAMILIES = {
    "single": "denoisers of one modality from one other (coherent ensemble)",
    "multi": "denoisers of one modality from any others (masked conditions)",
    "consensus": "error moments, from which weights of the ensemble follow",
    "linear": "linear-Gaussian experts of each set of sources (coherent ensemble)",
    "encoders": "encoders and decoders of latents",
    "preprocessors": "preprocessing, invertible",
    "calibration": "spread of draws, agreement of modalities",
}


@validated(frozen=True, config=STRICT)
class ReleaseCardParameters:
    """What only those who release models can say.

    Attributes
    ----------
    name
        Name of the models.
    intended_use, data_licence, contact
        Text in Markdown; the card says where one is not stated.
    """

    name: str
    intended_use: str | None
    data_licence: str | None
    contact: str | None


@dataclass(frozen=True)
class Released:
    """What is released.

    Attributes
    ----------
    checkpoints
        Kind of model (see :data:`FAMILIES`) to checkpoints by name.
    modalities
        Modality to its name in sentences.
    sampling
        Settings of draws.
    """

    checkpoints: Mapping[str, Mapping[str, Checkpoint]]
    modalities: Mapping[str, str]
    sampling: SamplingConfig

    @property
    def denoisers(self) -> list[dict[str, Any]]:
        """Descriptions of all denoisers."""
        return [
            checkpoint.metadata
            for family in ("single", "multi")
            for checkpoint in self.checkpoints[family].values()
        ]


def write_card(released: Released, parts: Parts, parameters: ReleaseCardParameters) -> str:
    """Return the card in Markdown.

    Parameters
    ----------
    released
        The models.
    parts
        Tables that exist; the card names those that do not, with the command that makes them.
    parameters
        What only those who release models can say.

    Raises
    ------
    ValueError
        When there are no denoisers.
    """
    denoisers = released.denoisers
    if not denoisers:
        raise ValueError(
            "There are no denoisers to write a release card for: run the diffusion_training pipeline."
        )
    tables = {name: parts.tables[name]() for name in TABLES if name in parts.tables}
    fingerprints = _fingerprints(denoisers)
    template = files(__package__).joinpath("release_card.md").read_text(encoding="utf-8")
    page = Environment(
        autoescape=False,  # Markdown, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return page.from_string(template).render(
        card=parameters,
        version=tcga_coherent.__version__,
        environment=parts.environment,
        modalities=list(released.modalities.values()),
        models=_models(released.checkpoints),
        process=_distinct(denoisers, "process"),
        training=_distinct(denoisers, "training"),
        sampling=_settings(asdict(released.sampling)),
        model_versions=sorted({str(d.get("version", "unknown")) for d in denoisers}),
        fingerprints=markdown_table(
            ["", "SHA-256"], [[key, " / ".join(found)] for key, found in fingerprints.items()]
        ),
        mixed_fingerprints=any(len(found) > 1 for found in fingerprints.values()),
        cohort=_cohort(tables.get("table4_cohort"), released.modalities),
        split=_split(tables.get("split")),
        types_without_tests=_never_tested(tables.get("split")),
        metrics=_metrics(tables.get("table1_reconstruction"), released.modalities),
        headlines=headlines(
            SECTIONS, _without(parts, "table1_reconstruction"), released.modalities
        ),
        n_train=_range(denoisers, "n_train"),
        findings=findings(tables, released.modalities),
        unconditional_allowed=released.sampling.allow_unconditional,
        absent=_absent(tables, parts),
    )


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _models(checkpoints: Mapping[str, Mapping[str, Checkpoint]]) -> str:
    rows = []
    for family, about in FAMILIES.items():
        stored = checkpoints[family]
        size = sum(array.size for one in stored.values() for array in one.arrays.values())
        steps = [one.metadata["step"] for one in stored.values() if "step" in one.metadata]
        kept = f"{min(steps):,} to {max(steps):,}" if steps else ABSENT
        rows.append([about, ", ".join(stored), f"{size:,}", kept])
    return markdown_table(["what", "names", "numbers stored", "training steps kept"], rows)


def _fingerprints(denoisers: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for description in denoisers:
        for kind, by_modality in description["fingerprints"].items():
            for modality, print_ in by_modality.items():
                found.setdefault(f"{kind} of {modality}", {})[print_] = None
    return {key: list(prints) for key, prints in sorted(found.items())}


def _distinct(denoisers: Sequence[Mapping[str, Any]], key: str) -> str:
    """All settings of the denoisers, those that differ one after the other."""
    return "; or ".join(dict.fromkeys(_settings(one[key]) for one in denoisers))


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} ({_settings(value)})" if isinstance(value, Mapping) else f"{name} {value}"
        for name, value in settings.items()
    )


def _range(denoisers: Sequence[Mapping[str, Any]], key: str) -> str:
    """Smallest and largest of a number, as denoisers learn from different patients."""
    numbers = [int(one[key]) for one in denoisers]
    low, high = f"{min(numbers):,}", f"{max(numbers):,}"
    return low if low == high else f"{low} to {high}"


def _cohort(table: pd.DataFrame | None, labels: Mapping[str, str]) -> str:
    if table is None:
        return ""
    counted = [name for name in labels if name in table]
    columns = ["cancer_type", "total", *counted, "complete"]
    rows = table[columns].to_numpy().tolist()
    for _, whole in table[table["cancer_type"] == TOTAL].iterrows():
        missing = [f"{100 * (1 - whole[name] / whole['total']):.0f} %" for name in columns[2:]]
        rows.append(["missing", "", *missing])
    header = ["cancer type", "patients", *(labels[name] for name in counted), "complete"]
    return markdown_table(header, rows)


def _split(table: pd.DataFrame | None) -> str:
    if table is None:
        return ""
    sums = table[["train", "val", "test"]].sum()
    return (
        f"Split: {sums['train']:,} training, {sums['val']:,} validation and {sums['test']:,} test patients; "
        f"test patients are of {int((table['test'] > 0).sum())} of {len(table)} cancer types."
    )


def _never_tested(table: pd.DataFrame | None) -> list[str]:
    return [] if table is None else list(table.loc[table["test"] == 0, "cancer_type"])


def _metrics(table: pd.DataFrame | None, labels: Mapping[str, str]) -> str:
    if table is None:
        return ""
    rows = [
        [
            labels[row["target"]],
            METHOD_LABELS[row["method"]],
            f"{_number(row['r2_of_mean'])} [{_number(row['r2_of_mean_low'])}, "
            f"{_number(row['r2_of_mean_high'])}]",
            *(_number(row[name]) for name in ("crps", "coverage_50", "coverage_90")),
            row["n_patients"],
        ]
        for _, row in from_all_sources(table).iterrows()
    ]
    header = ["modality", "method", "R² of mean", "CRPS", "coverage 50", "coverage 90", "patients"]
    return markdown_table(header, rows)


def _without(parts: Parts, table: str) -> Parts:
    """Leave out a table that is shown as such."""
    return replace(parts, tables={name: t for name, t in parts.tables.items() if name != table})


def _number(value: float) -> str:
    return format_number(float(value), 3)


def _absent(tables: Mapping[str, pd.DataFrame], parts: Parts) -> dict[str, list[str]]:
    commands = {
        view.name: view.command or section.command for section in SECTIONS for view in section.views
    }
    absent: dict[str, list[str]] = {}
    for name in TABLES:
        if name not in tables:
            command = f"kedro run --env {parts.environment} {commands[name]}"
            reason = f" ({parts.outdated[name]})" if name in parts.outdated else ""
            absent.setdefault(command, []).append(f"{name}.csv{reason}")
    return absent
