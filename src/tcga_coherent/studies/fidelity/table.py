"""Whether generated patients lie where the real ones do: Figure 1 and S1 Appendix."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.measures.bootstrap import BootstrapParameters, patient_interval
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.neighborhoods import energy_distance, type_agreement
from tcga_coherent.measures.precision_recall import f1, on_manifold
from tcga_coherent.measures.score import patient_estimate
from tcga_coherent.modality import STRICT
from tcga_coherent.studies.fidelity.patient_sets import EVERY_MODALITY, REAL, PatientSet


@dataclass(frozen=True, config=STRICT)
class ManifoldParameters:
    """Settings of the projection and of its numbers.

    Attributes
    ----------
    n_neighbors, min_dist
        Settings of UMAP.
    voting_neighbors
        Real neighbours whose cancer types are compared with a patient's own, and that trustworthiness
        looks at.
    precision_recall_neighbors
        Which nearest neighbour bounds the manifold around a patient.
    """

    n_neighbors: Annotated[int, Field(ge=2)]
    min_dist: Annotated[float, Field(ge=0)]
    voting_neighbors: Annotated[int, Field(ge=1)]
    precision_recall_neighbors: Annotated[int, Field(ge=1)]


def project(
    sets: Mapping[str, list[PatientSet]], cohort: Cohort, parameters: ManifoldParameters, seed: int
) -> dict[str, dict[str, Array]]:
    """Project each space with a UMAP that is fitted on the complete training patients.

    So real and generated test patients are new to the map alike, and the map has many points to hold
    on to: fitted on a small test set, UMAP pushes all further points to its rim.

    Parameters
    ----------
    sets
        Result of :func:`tcga_coherent.studies.fidelity.patient_sets.patient_sets`.
    cohort
        Measured latents and splits.
    parameters
        Settings of UMAP.
    seed
        Seed of UMAP.

    Returns
    -------
    dict
        Space to the name of each set that a figure shows to its patients x 2.

    Raises
    ------
    CannotEvaluate
        When there are not more complete training patients than neighbours.
    """
    train = cohort.complete(cohort.train)
    if len(train) <= parameters.n_neighbors:
        raise CannotEvaluate(
            f"{len(train)} complete training patients are too few for "
            f"evaluation.manifold.n_neighbors = {parameters.n_neighbors}: choose fewer neighbours."
        )
    # Compiling umap takes seconds: only this function needs it.
    from umap import UMAP

    projections = {}
    for space, own in sets.items():
        members = cohort.modalities if space == EVERY_MODALITY else [space]
        mapper = UMAP(
            n_neighbors=parameters.n_neighbors,
            min_dist=parameters.min_dist,
            random_state=seed,
            transform_seed=seed,
            n_jobs=1,
        ).fit(np.hstack([cohort.latents[name].loc[train].to_numpy(float) for name in members]))
        projections[space] = {
            shown.name: mapper.transform(shown.points) for shown in own if shown.is_drawn
        }
    return projections


def manifold_table(
    sets: Mapping[str, list[PatientSet]],
    projections: Mapping[str, Mapping[str, Array]],
    parameters: ManifoldParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Put numbers on what the eye sees in the projections.

    Parameters
    ----------
    sets
        Result of :func:`tcga_coherent.studies.fidelity.patient_sets.patient_sets`.
    projections
        Result of :func:`project`.
    parameters
        Numbers of neighbours.
    bootstrap
        Settings of the intervals.
    seed
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row a space and set. ``type_agreement``: see
        :func:`~tcga_coherent.measures.neighborhoods.type_agreement`; ``type_agreement_by_chance``:
        for neighbours drawn at random; ``type_agreement_umap``: among the projected points;
        ``trustworthiness``: of the projection (Venna & Kaski, 2001), how far neighbours on the map
        are neighbours; ``precision``, ``recall``, ``f1``: see
        :mod:`tcga_coherent.measures.precision_recall`; ``energy_distance``: to the real patients,
        squared; ``total_variance_ratio``: variance of all dimensions over that of the real patients.
        ``*_low`` and ``*_high`` bound bootstrap intervals over patients, whose neighbourhoods stay
        those of the whole set. The real patients are not compared with themselves.

    Raises
    ------
    CannotEvaluate
        When there are too few patients for the numbers of neighbours.
    """
    _check_sizes(next(iter(sets.values()))[0], parameters)
    rows = []
    for space, own in sets.items():
        real = next(one for one in own if one.name == REAL)
        for one in own:
            shown = projections[space].get(one.name) if one.is_drawn else None
            scores = (
                _type_scores(real, one, parameters, bootstrap, seed)
                | _map_scores(real, one, projections[space][REAL], shown, parameters)
                | _distribution_scores(real, one, parameters, bootstrap, seed)
            )
            rows.append({"space": space, "set": one.name, "reading": one.reading, **scores})
    return pd.DataFrame(rows).assign(note="")


def manifold_lines(table: pd.DataFrame) -> list[str]:
    """Say in one line a space how close one draw of each method comes to the real patients.

    Parameters
    ----------
    table
        Result of :func:`manifold_table`.
    """
    lines = []
    for space, rows in table[table["reading"] != "mean"].groupby("space", sort=False):
        parts = [
            f"{row['set']} {row['type_agreement']:.0%}"
            + ("" if row["set"] == REAL else f" / {row['f1']:.2f} / {row['energy_distance']:.3f}")
            for _, row in rows.iterrows()
        ]
        lines.append(
            f"{space}: same-type neighbours / F1 of manifolds / energy distance: {', '.join(parts)}"
        )
    return lines


def _check_sizes(real: PatientSet, parameters: ManifoldParameters) -> None:
    n_patients = len(real.types)
    # Trustworthiness is defined for neighbourhoods of less than half of the points.
    if n_patients <= 2 * parameters.voting_neighbors:
        raise CannotEvaluate(
            f"{n_patients} test patients are too few for evaluation.manifold.voting_neighbors = "
            f"{parameters.voting_neighbors}: choose fewer neighbours."
        )
    if n_patients <= parameters.precision_recall_neighbors:
        raise CannotEvaluate(
            f"{n_patients} test patients are too few for "
            f"evaluation.manifold.precision_recall_neighbors = "
            f"{parameters.precision_recall_neighbors}: choose fewer neighbours."
        )


def _type_scores(
    real: PatientSet,
    one: PatientSet,
    parameters: ManifoldParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> dict[str, Any]:
    n = len(one.types)
    shares = type_agreement(
        real.points, real.types, one.points, one.types, parameters.voting_neighbors
    )
    low, high = patient_interval(lambda counts: counts @ shares / n, n, bootstrap, seed)
    # Pairs of different patients of one type, counted without a matrix of all pairs.
    names, sizes = np.unique(real.types, return_counts=True)
    alike = pd.Series(sizes, names).reindex(one.types, fill_value=0).sum()
    alike -= np.count_nonzero(one.types == real.types)
    return {
        "n_patients": n,
        "type_agreement": float(shares.mean()),
        "type_agreement_low": float(low),
        "type_agreement_high": float(high),
        "type_agreement_by_chance": float(alike / (n * (n - 1))),
    }


def _map_scores(
    real: PatientSet,
    one: PatientSet,
    projected_real: Array,
    projected: Array | None,
    parameters: ManifoldParameters,
) -> dict[str, float]:
    """Score the map itself; sets that no figure shows are not on it."""
    if projected is None:
        return {"type_agreement_umap": np.nan, "trustworthiness": np.nan}
    from sklearn.manifold import trustworthiness

    n_neighbors = parameters.voting_neighbors
    shares = type_agreement(projected_real, real.types, projected, one.types, n_neighbors)
    return {
        "type_agreement_umap": float(shares.mean()),
        "trustworthiness": trustworthiness(one.points, projected, n_neighbors=n_neighbors),
    }


def _distribution_scores(
    real: PatientSet,
    one: PatientSet,
    parameters: ManifoldParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> dict[str, float]:
    names = ("precision", "recall", "f1", "energy_distance")
    columns = [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
    ratio = {
        "total_variance_ratio": float(one.points.var(axis=0).sum() / real.points.var(axis=0).sum())
    }
    if one is real:
        return dict.fromkeys(columns, np.nan) | ratio
    n = len(one.points)
    k = parameters.precision_recall_neighbors
    realistic = on_manifold(one.points, real.points, k)
    covered = on_manifold(real.points, one.points, k)

    def scores(counts: np.ndarray) -> np.ndarray:
        precision, recall = counts @ realistic / n, counts @ covered / n
        energy = energy_distance(real.points, one.points, counts)
        return np.stack([precision, recall, f1(precision, recall), energy], axis=1)

    numbers = patient_estimate(scores, n, bootstrap, seed)
    found = {
        f"{name}{end}": float(values[i])
        for i, name in enumerate(names)
        for end, values in (("", numbers.value), ("_low", numbers.low), ("_high", numbers.high))
    }
    return found | ratio
