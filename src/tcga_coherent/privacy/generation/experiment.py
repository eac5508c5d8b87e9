"""The paper's Table 3: what is generated from nothing beside the patients that models learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass as parameters_dataclass

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT
from tcga_coherent.privacy.generation.references import DISTRIBUTIONS, unlinked
from tcga_coherent.privacy.generation.rows import GENERATORS, generate_unconditionally
from tcga_coherent.privacy.generation.scores import METRICS, closeness, energy_distance_interval
from tcga_coherent.reported import ReportedPrivacy

# All modalities side by side.
ALL = "all"

# The paper's ensembles have the weights of the last of these; ours those of the parameters.
PAPERS_METHODS = {"multi": "multi", "coherent": "coherent", "coherent_inverse_mse": "coherent"}


@parameters_dataclass(frozen=True, config=STRICT)
class UnconditionalParameters:
    """Settings of generation from nothing.

    Attributes
    ----------
    n_repeats
        Seeds of the noise, and of the training patients where not all are taken.
    k
        Neighbour that bounds the balls of the manifolds.
    max_rows
        Training patients that rows are held against at most, and rows that are generated: as many.
        Time grows with the square.
    n_neighbors, min_dist
        Settings of UMAP.
    """

    n_repeats: Annotated[int, Field(ge=2)]
    k: Annotated[int, Field(ge=1)]
    max_rows: Annotated[int, Field(ge=10)]
    n_neighbors: Annotated[int, Field(ge=2)]
    min_dist: Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class Audited:
    """What is audited.

    Attributes
    ----------
    models
        Trained denoisers.
    cohort
        Latents that they learned from, and splits.
    sampling
        Sampling parameters.
    """

    models: TrainedModels
    cohort: Cohort
    sampling: SamplingConfig


def training_patients(cohort: Cohort, space: str) -> pd.Index:
    """Return the training patients who have a modality, or all of them."""
    if space == ALL:
        return cohort.complete(cohort.train)
    return cohort.train[cohort.train.isin(cohort.latents[space].index)]


def values(cohort: Cohort, space: str, patients: pd.Index) -> Array:
    """Return measured latents of a modality, or of all side by side, patients x dimensions."""
    names = cohort.modalities if space == ALL else [space]
    return np.hstack([cohort.latents[name].loc[patients].to_numpy(float) for name in names])


def compare_with_training_patients(
    audited: Audited,
    parameters: UnconditionalParameters,
    bootstrap: BootstrapParameters,
    seed: int,
    repeat: int,
) -> pd.DataFrame:
    """Generate from nothing once and hold it, and what it is judged by, against training patients.

    Parameters
    ----------
    audited
        Models and cohort.
    parameters, bootstrap
        Settings.
    seed, repeat
        Both together seed this repeat.

    Returns
    -------
    DataFrame
        A row a ``space`` (``all`` or a modality) and ``method``: ``precision``, ``recall``, ``f1``,
        ``energy_distance``, ``n_train`` and ``n_rows``; in repeat 0 also ``energy_distance_low``
        and ``energy_distance_high``, over training patients. Where too few have a modality,
        numbers are missing and ``note`` says so.
    """
    cohort = audited.cohort
    rng = np.random.default_rng([seed, repeat])
    candidates = {space: training_patients(cohort, space) for space in (ALL, *cohort.modalities)}
    n_rows = {space: min(len(found), parameters.max_rows) for space, found in candidates.items()}
    noise_seed = int(np.random.SeedSequence([seed, repeat]).generate_state(1)[0])
    generated = {
        method: generate_unconditionally(
            audited.models,
            cohort,
            generator,
            max(n_rows.values()),
            audited.sampling,
            noise_seed,
        )
        for method, generator in GENERATORS.items()
    }
    table = []
    for space, patients in candidates.items():
        n = n_rows[space]
        if n <= parameters.k:
            note = f"{n} training patients, more than k = {parameters.k} are needed"
            sizes = {"n_train": n, "n_rows": n}
            for method in GENERATORS:
                table.append({"space": space, "method": method, **_missing(note), **sizes})
            continue
        shuffled = values(cohort, space, patients[rng.permutation(len(patients))])
        train = shuffled[:n]
        names = cohort.modalities if space == ALL else [space]
        sets = {
            method: (train, np.hstack([drawn[name][:n] for name in names]))
            for method, drawn in generated.items()
        }
        for method, draw in DISTRIBUTIONS.items():
            sets[method] = (train, draw(train, n, rng))
        half = min(n, len(patients) // 2)
        sets["train_halves"] = (shuffled[:half], shuffled[half : 2 * half])
        sets["held_out"] = (train, values(cohort, space, cohort.test))
        if space == ALL:
            blocks = [cohort.truth(name) for name in names]
            sets["held_out_unlinked"] = (train, unlinked(blocks, rng))
        for method, (reference, rows) in sets.items():
            scores = _scores(reference, rows, parameters.k)
            if repeat == 0 and not scores["note"]:
                low, high = energy_distance_interval(reference, rows, bootstrap, seed)
                scores |= {"energy_distance_low": low, "energy_distance_high": high}
            sizes = {"n_train": len(reference), "n_rows": len(rows)}
            table.append({"space": space, "method": method, **scores, **sizes})
    return pd.DataFrame(table)


def summarise_unconditional(
    repeats: pd.DataFrame,
    cohort: Cohort,
    parameters: UnconditionalParameters,
    reported: Sequence[ReportedPrivacy],
) -> pd.DataFrame:
    """Return Table 3.

    Parameters
    ----------
    repeats
        Results of :func:`compare_with_training_patients`, with the column ``repeat``.
    cohort
        Latents and splits.
    parameters
        Settings.
    reported
        The paper's Table 3.

    Returns
    -------
    DataFrame
        A row a space and method: mean and standard deviation over repeats (``<metric>_mean``,
        ``<metric>_std``), the interval of the energy distance over training patients
        (``energy_distance_low``, ``energy_distance_high``), ``k``, ``n_train``, ``n_rows``,
        ``n_repeats``, ``n_cancer_types`` among the training patients of the space, the paper's
        numbers (``paper_*``) beside those of all modalities, and ``note``.
    """
    reported_rows = {row.method: row for row in reported}
    first_repeats = repeats[repeats["repeat"] == repeats["repeat"].min()]
    rows = []
    for first in first_repeats.to_dict("records"):
        space, method = str(first["space"]), str(first["method"])
        group = repeats[(repeats["space"] == space) & (repeats["method"] == method)]
        row: dict[str, Any] = {"space": space, "method": method}
        for metric in METRICS:
            row |= {f"{metric}_mean": group[metric].mean(), f"{metric}_std": group[metric].std()}
        for bound in ("energy_distance_low", "energy_distance_high"):
            row[bound] = first.get(bound, np.nan)
        row |= {
            "k": parameters.k,
            "n_train": first["n_train"],
            "n_rows": first["n_rows"],
            "n_repeats": len(group),
            "n_cancer_types": cohort.cancer_type[training_patients(cohort, space)].nunique(),
        }
        paper = reported_rows.get(PAPERS_METHODS.get(method, "")) if space == ALL else None
        for column in ("f1_mean", "f1_std", "energy_distance_mean", "energy_distance_std"):
            row[f"paper_{column}"] = np.nan if paper is None else getattr(paper, column)
        rows.append({**row, "note": first["note"]})
    return pd.DataFrame(rows)


def _scores(train: Array, rows: Array, k: int) -> dict[str, float | str]:
    fewest = min(len(train), len(rows))
    if fewest <= k:
        return _missing(f"{fewest} patients, more than k = {k} are needed")
    return {**closeness(train, rows, k), "note": ""}


def _missing(note: str) -> dict[str, float | str]:
    return {**dict.fromkeys(METRICS, np.nan), "note": note}
