"""Whether whole generated patients lie where the real ones do: Figure 1.

A generated patient is every modality generated from all others and put side by side.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from tcga_coherent.evaluation.fidelity import Array
from tcga_coherent.evaluation.inputs import Cohort, Partitions, read_draws
from tcga_coherent.evaluation.source_sets import generative_methods, partition_name, source_sets
from tcga_coherent.modality import STRICT


@dataclass(frozen=True, config=STRICT)
class ManifoldParameters:
    """Settings of the projection and of its numbers.

    Attributes
    ----------
    n_neighbors, min_dist
        Settings of UMAP.
    voting_neighbors
        Real neighbours whose cancer types are compared with a patient's own.
    """

    n_neighbors: Annotated[int, Field(ge=2)]
    min_dist: Annotated[float, Field(ge=0)]
    voting_neighbors: Annotated[int, Field(ge=1)]


def whole_patients(test_draws: Partitions, cohort: Cohort) -> dict[str, Array]:
    """Put the modalities of the test patients side by side, real and generated.

    Parameters
    ----------
    test_draws
        ``<target>/<method>/<source+source>`` to a function that loads its draws.
    cohort
        Measured latents and splits.

    Returns
    -------
    dict
        ``real`` and each method that generates from all other modalities (``multi``, ``coherent``)
        to patients x (dimensions of all modalities). Generated modalities are one draw, the first.

    Raises
    ------
    ValueError
        When a partition is missing or does not fit the cohort.
    """
    modalities = cohort.modalities
    sets = {"real": np.hstack([cohort.truth(target) for target in modalities])}
    for method in generative_methods(source_sets(modalities[0], modalities)[-1]):
        blocks = []
        for target in modalities:
            name = partition_name(target, method, source_sets(target, modalities)[-1])
            dimensions = list(cohort.latents[target].columns)
            blocks.append(read_draws(test_draws, name, cohort.test, dimensions)[0])
        sets[method] = np.hstack(blocks)
    return sets


def project(
    sets: Mapping[str, Array], cohort: Cohort, parameters: ManifoldParameters, seed: int
) -> dict[str, Array]:
    """Project with a UMAP that is fitted on the complete training patients.

    So real and generated test patients are new to the map alike, and the map has many points to hold
    on to: fitted on a small test set, UMAP pushes all further points to its rim.

    Parameters
    ----------
    sets
        Result of :func:`whole_patients`.
    cohort
        Measured latents and splits.
    parameters
        Settings of UMAP.
    seed
        Seed of UMAP.

    Returns
    -------
    dict
        Name of the set to its patients x 2.

    Raises
    ------
    ValueError
        When there are not more complete training patients than neighbours.
    """
    train = cohort.complete(cohort.train)
    if len(train) <= parameters.n_neighbors:
        raise ValueError(
            f"{len(train)} complete training patients are too few for "
            f"evaluation.manifold.n_neighbors = {parameters.n_neighbors}: choose fewer neighbours."
        )
    # Compiling umap takes seconds: only this function needs it.
    from umap import UMAP

    mapper = UMAP(
        n_neighbors=parameters.n_neighbors,
        min_dist=parameters.min_dist,
        random_state=seed,
        transform_seed=seed,
        n_jobs=1,
    ).fit(np.hstack([frame.loc[train].to_numpy(float) for frame in cohort.latents.values()]))
    return {name: mapper.transform(values) for name, values in sets.items()}


def manifold_table(
    sets: Mapping[str, Array],
    projections: Mapping[str, Array],
    cancer_types: pd.Series,
    voting_neighbors: int,
) -> pd.DataFrame:
    """Put numbers on what the eye sees in the projection.

    Parameters
    ----------
    sets
        Result of :func:`whole_patients`.
    projections
        Result of :func:`project`.
    cancer_types
        Cancer type of each row.
    voting_neighbors
        Number of real neighbours to look at.

    Returns
    -------
    DataFrame
        One row a set. ``type_agreement``: see :func:`type_agreement`; ``type_agreement_umap``: the
        same among the projected points; ``type_agreement_by_chance``: for neighbours drawn at
        random; ``energy_distance``: to the real patients, see :func:`energy_distance`;
        ``total_variance_ratio``: variance of all dimensions over that of the real patients.

    Raises
    ------
    ValueError
        When there are not more patients than neighbours.
    """
    types = cancer_types.to_numpy()
    n_patients = len(types)
    if n_patients <= voting_neighbors:
        raise ValueError(
            f"{n_patients} test patients are too few for evaluation.manifold.voting_neighbors = "
            f"{voting_neighbors}: choose fewer neighbours."
        )
    counts = pd.Series(types).value_counts()
    by_chance = float((counts * (counts - 1)).sum() / (n_patients * (n_patients - 1)))
    real = sets["real"]
    rows = [
        {
            "set": name,
            "n_patients": n_patients,
            "type_agreement": type_agreement(real, values, types, voting_neighbors),
            "type_agreement_umap": type_agreement(
                projections["real"], projections[name], types, voting_neighbors
            ),
            "type_agreement_by_chance": by_chance,
            "energy_distance": 0.0 if name == "real" else energy_distance(real, values),
            "total_variance_ratio": float(values.var(axis=0).sum() / real.var(axis=0).sum()),
        }
        for name, values in sets.items()
    ]
    return pd.DataFrame(rows)


def type_agreement(real: Array, points: Array, types: np.ndarray, n_neighbors: int) -> float:
    """Share of a point's nearest real patients who have its cancer type.

    Parameters
    ----------
    real
        Real patients x dimensions.
    points
        The same patients, real or generated; row i never counts real patient i as a neighbour.
    types
        Cancer type of each row.
    n_neighbors
        Number of neighbours of each point.
    """
    neighbors = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(real)
    nearest = neighbors.kneighbors(points, return_distance=False)
    is_self = nearest == np.arange(len(points))[:, None]
    # A patient that is not among its own n + 1 nearest gives way to the farthest of them.
    is_self[~is_self.any(axis=1), -1] = True
    others = nearest[~is_self].reshape(len(points), n_neighbors)
    return float(np.mean(types[others] == types[:, None]))


def energy_distance(real: Array, generated: Array) -> float:
    """Squared energy distance of two sets with the same patients in their rows.

    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` with all expectations over pairs of different patients:
    unbiased, and zero in expectation where both sets follow one distribution, however alike a
    patient and its generated self are. See Székely & Rizzo (2013), Energy statistics.

    Parameters
    ----------
    real, generated
        Patients x dimensions.
    """
    n = len(real)
    different = ~np.eye(n, dtype=bool)

    def mean_distance(a: Array, b: Array) -> float:
        return float(cdist(a, b)[different].mean())

    return (
        2 * mean_distance(real, generated)
        - mean_distance(real, real)
        - mean_distance(generated, generated)
    )
