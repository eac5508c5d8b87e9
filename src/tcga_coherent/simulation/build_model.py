"""The factor model that the settings describe."""

import numpy as np
import pandas as pd

from tcga_coherent.simulation.factor_model import FactorModel, LinearView
from tcga_coherent.simulation.random_streams import random_stream
from tcga_coherent.simulation.settings import FactorGroup, ModalitySpec, SimulationSettings


def build_factor_model(settings: SimulationSettings) -> FactorModel:
    """Draw loadings and cancer types' means, and put the model together.

    Each shared factor has variance 1, of which ``tissue_share`` lies between cancer types. A
    modality sees the factor f of a group as sqrt(fidelity) f + sqrt(1 - fidelity) d, where d is a
    factor of its own: so no modality is perfectly known from the others, and several sources know
    f better than one.

    Returns
    -------
    FactorModel
        Its factors are those of all groups, then the own ones of each modality.
    """
    totals = np.array([cohort.total for cohort in settings.cohorts.values()], dtype=float)
    prior = totals / totals.sum()
    group_of_shared = [
        name for name, group in settings.factor_groups.items() for _ in range(group.size)
    ]
    shared_means = np.hstack(
        [
            _draw_tissue_means(name, group, prior, settings.seed)
            for name, group in settings.factor_groups.items()
        ]
    )
    shared_variances = np.array(
        [1.0 - settings.factor_groups[name].tissue_share for name in group_of_shared]
    )
    n_shared = len(group_of_shared)
    n_own = {
        name: sum(settings.factor_groups[group].size for group in spec.factors)
        for name, spec in settings.modalities.items()
    }
    n_factors = n_shared + sum(n_own.values())

    views = {}
    first_own = n_shared
    for name, spec in settings.modalities.items():
        directions, fidelity, positions = _draw_directions(name, spec, group_of_shared, settings)
        loadings = np.zeros((spec.features, n_factors))
        loadings[:, positions] = directions * np.sqrt(fidelity)
        own = slice(first_own, first_own + n_own[name])
        loadings[:, own] = directions * np.sqrt(1.0 - fidelity)
        first_own += n_own[name]

        rng = random_stream(settings.seed, "scale", name)
        level = rng.uniform(*spec.level, spec.features)
        spread = rng.uniform(*spec.spread, spec.features)
        views[name] = LinearView(
            features=name_features(name, spec),
            offset=level,
            loadings=loadings * spread[:, np.newaxis],
            noise_variance=spec.noise_share * spread**2,
        )
    return FactorModel(
        cancer_types=tuple(settings.cohorts),
        prior=prior,
        factor_means=np.hstack([shared_means, np.zeros((len(prior), n_factors - n_shared))]),
        factor_variances=np.concatenate([shared_variances, np.ones(n_factors - n_shared)]),
        views=views,
    )


def name_features(modality: str, spec: ModalitySpec) -> pd.Index:
    """Return the names of the features that follow the model.

    Genes get identifiers that look like Ensembl's but are not in use; slide embeddings the names
    that :func:`tcga_coherent.datasets.raw.titan.read_titan_folder` gives them.
    """
    if spec.scale != "unchanged":
        return pd.Index([f"ENSG9{number:010d}.1" for number in range(spec.features)])
    prefix = "titan" if spec.source.get("format") == "titan" else modality
    return pd.Index([f"{prefix}_{number:03d}" for number in range(spec.features)])


def _draw_tissue_means(name: str, group: FactorGroup, prior: np.ndarray, seed: int) -> np.ndarray:
    """Draw means of the cancer types with mean 0 and variance ``tissue_share`` over patients."""
    rng = random_stream(seed, "cancer types", name)
    means = rng.standard_normal((len(prior), group.size))
    means -= prior @ means
    spread = np.sqrt(prior @ means**2)
    # A single cancer type has no variance between types.
    return means / np.where(spread > 0, spread, 1.0) * np.sqrt(group.tissue_share)


def _draw_directions(
    name: str, spec: ModalitySpec, group_of_shared: list[str], settings: SimulationSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw how features depend on the factors seen, for features of variance 1.

    Returns
    -------
    directions : ndarray of shape (features, factors seen)
    fidelity : ndarray of shape (factors seen,)
    positions : ndarray of shape (factors seen,)
        Of the factors seen among the shared ones.
    """
    directions, fidelity, positions = [], [], []
    for group_name, view in spec.factors.items():
        size = settings.factor_groups[group_name].size
        rng = random_stream(settings.seed, "loadings", name, group_name)
        drawn = rng.standard_normal((spec.features, size))
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        directions.append(drawn * np.sqrt(view.variance))
        fidelity.append(np.full(size, view.fidelity))
        positions.append(np.flatnonzero(np.array(group_of_shared) == group_name))
    return np.hstack(directions), np.concatenate(fidelity), np.concatenate(positions)
