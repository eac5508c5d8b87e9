"""All parameters of the project: which groups there are, and the type of each."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig, TrainingConfig
from tcga_coherent.diffusion.training.tuning_config import TuningConfig
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.histology.cascade.parameters import CascadeParameters
from tcga_coherent.histology.cascade.sampling import TileSamplingParameters
from tcga_coherent.histology.evaluation.parameters import TileEvaluationParameters
from tcga_coherent.histology.expression.parameters import ExpressionParameters
from tcga_coherent.histology.expression.programmes import ProgrammesParameters
from tcga_coherent.histology.tiling.parameters import TilingParameters
from tcga_coherent.modality import STRICT, parse_modalities
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.omics.patients.clinical import ClinicalColumns
from tcga_coherent.pipelines.ensemble_studies.parameters import EnsembleStudiesParameters
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.preprocessing.nodes import PreprocessingConfig, check_outlier_keys
from tcga_coherent.pipelines.privacy.parameters import PrivacyParameters
from tcga_coherent.reported import ReportedByPaper
from tcga_coherent.source_sets import Chosen


@dataclass(frozen=True, config=STRICT)
class ComputeParameters:
    """The ``compute`` parameters.

    Attributes
    ----------
    device
        ``auto``, ``cpu`` or ``cuda``, the last with a number where there are several cards.
    threads
        CPU threads of numerical libraries.
    workers
        Processes for repeats; -1 is one a core.
    """

    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]
    threads: Annotated[int, Field(ge=1, strict=True)]
    workers: Annotated[int, Field(ge=-1, strict=True)]


@dataclass(frozen=True, config=STRICT)
class IngestionParameters:
    """The ``ingestion`` parameters: see the types of its keys."""

    barcodes: BarcodeRule
    clinical_columns: ClinicalColumns


GROUPS: Mapping[str, Any] = {
    "coherent_sampling": SamplingConfig,
    "completion": CompletionConfig,
    "compute": ComputeParameters,
    "diffusion_training": TrainingConfig,
    "embedding": EmbeddingConfig,
    "ensemble_studies": EnsembleStudiesParameters,
    "evaluation": EvaluationParameters,
    "expression_vae": ExpressionParameters,
    "gene_programmes": ProgrammesParameters,
    "ingestion": IngestionParameters,
    "preprocessing": PreprocessingConfig,
    "privacy": PrivacyParameters,
    "reported_by_paper": ReportedByPaper,
    "slide_tiling": TilingParameters,
    "source_sets": Chosen,
    "tile_diffusion": CascadeParameters,
    "tile_evaluation": TileEvaluationParameters,
    "tile_sampling": TileSamplingParameters,
    "tuning": TuningConfig,
}
MODALITIES = "modalities"
# Read by the catalog alone.
CATALOG_KEYS = ("titan_dir", "xena_base_url", "cohort_dir", "split_file", "tiles_dir")


def check_parameters(parameters: Mapping[str, Any], own: frozenset[str] = frozenset()) -> None:
    """Check every parameter, whichever pipelines run: a later one would stop hours later.

    Parameters
    ----------
    parameters
        As configured, the groups as mappings.
    own
        Further groups, which pipelines of the user's read.

    Raises
    ------
    ValueError
        Naming each key that is unknown, missing or of an impossible value.
    """
    known = [*GROUPS, MODALITIES, *CATALOG_KEYS, *own]
    problems = [
        f"{name}: there is no such parameter{_similar(name, known)}"
        for name in parameters
        if name not in known
    ]
    problems += [
        f"{name}: the parameter is missing"
        for name in (*GROUPS, MODALITIES)
        if name not in parameters
    ]
    for name, kind in GROUPS.items():
        if name in parameters:
            problems += _problems(name, kind, parameters[name])
    if not problems:
        modalities = parse_modalities(parameters[MODALITIES])
        check_outlier_keys(
            TypeAdapter(PreprocessingConfig).validate_python(parameters["preprocessing"]),
            dict(modalities),
        )
        threads, cores = parameters["compute"]["threads"], os.cpu_count() or 1
        if threads > cores:
            problems.append(f"compute.threads: {threads} is more than this machine's {cores} cores")
    if problems:
        raise ValueError(f"Bad parameters: {'; '.join(problems)}.")


def _problems(name: str, kind: Any, value: Any) -> list[str]:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return [_sentence(name, value, problem) for problem in error.errors()]
    return []


def _sentence(name: str, value: Any, problem: Mapping[str, Any]) -> str:
    where = [str(part) for part in problem["loc"]]
    key = ".".join([name, *where])
    if problem["type"] == "unexpected_keyword_argument":
        return (
            f"{key}: there is no such parameter{_similar(where[-1], _fields(GROUPS[name], where))}"
        )
    if isinstance(value, Mapping) and problem["type"] == "missing":
        return f"{key}: the parameter is missing"
    return f"{key}: {problem['msg']}, got {problem['input']!r}"


def _fields(kind: Any, where: list[str]) -> list[str]:
    """Return the keys that could stand in the place of an unknown one, where that is known."""
    for part in where[:-1]:
        fields = getattr(kind, "__dataclass_fields__", {})
        if part not in fields:
            return []
        kind = fields[part].type
    return list(getattr(kind, "__dataclass_fields__", {}))


def _similar(name: str, known: list[str]) -> str:
    similar = get_close_matches(name, known, n=1)
    return f"; did you mean {similar[0]}?" if similar else ""
