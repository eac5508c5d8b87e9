"""Which patients have which modalities, in the proportions of a table like the paper's Table 4."""

from itertools import product

import numpy as np
import pandas as pd

from tcga_coherent.simulation.random_streams import random_stream
from tcga_coherent.simulation.settings import CohortSpec, SimulationSettings

MAX_ITERATIONS = 2000
TOLERANCE = 0.005


def assign_modalities(settings: SimulationSettings) -> pd.DataFrame:
    """Say of each patient which modalities are measured.

    Within a cancer type modalities are missing at random: patients with all modalities have their
    share, and among the others all patterns occur with the largest entropy that agrees with the
    table's counts of each modality. Every patient has at least one modality.

    Returns
    -------
    DataFrame
        One row a patient; ``cancer_type``, then one boolean column a modality.

    Raises
    ------
    ValueError
        When there are fewer patients than cancer types, a modality is not counted in a cohort and
        has no ``measured`` share, or a cohort's counts contradict one another.
    """
    modalities = list(settings.modalities)
    totals = np.array([cohort.total for cohort in settings.cohorts.values()], dtype=float)
    sizes = _apportion(settings.patients, totals / totals.sum())
    if (sizes == 0).any():
        raise ValueError(
            f"simulation.patients is {settings.patients}, which leaves the cohort "
            f"{list(settings.cohorts)[int(sizes.argmin())]} without a patient: raise it."
        )
    frames = []
    for (name, cohort), size in zip(settings.cohorts.items(), sizes, strict=True):
        patterns, shares = _pattern_shares(name, cohort, settings)
        rows = np.repeat(patterns, _apportion(int(size), shares), axis=0)
        random_stream(settings.seed, "presence", name).shuffle(rows)
        frame = pd.DataFrame(rows, columns=modalities)
        frame.insert(0, "cancer_type", name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _pattern_shares(
    name: str, cohort: CohortSpec, settings: SimulationSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Return the non-empty patterns of modalities and the share of patients that has each."""
    complete = float(cohort.complete)
    counts = np.empty(len(settings.modalities))
    for position, (modality, spec) in enumerate(settings.modalities.items()):
        if modality in cohort.measured:
            counts[position] = cohort.measured[modality]
        elif spec.measured is not None:
            counts[position] = spec.measured * cohort.total
            complete *= spec.measured
        else:
            raise ValueError(
                f"simulation.cohorts.{name}.measured does not count {modality!r}: add it, or set "
                f"simulation.modalities.{modality}.measured."
            )
    patterns = np.array(list(product([False, True], repeat=len(counts)))[1:])
    incomplete = cohort.total - complete
    if incomplete == 0:
        return patterns, np.array([0.0] * (len(patterns) - 1) + [1.0])
    shares = _fit_margins(patterns[:-1], (counts - complete) / incomplete)
    if shares is None:
        raise ValueError(
            f"The counts of simulation.cohorts.{name} contradict one another: no {cohort.total} patients "
            f"with at least one modality, {complete:g} of them with all, can have "
            f"{dict(zip(settings.modalities, counts.tolist(), strict=True))}."
        )
    return patterns, np.append(shares * incomplete, complete) / cohort.total


def _fit_margins(patterns: np.ndarray, margins: np.ndarray) -> np.ndarray | None:
    """Find shares of patterns with given shares of each modality by iterative proportional fitting."""
    if (margins < 0).any() or (margins > 1).any():
        return None
    shares = np.full(len(patterns), 1.0 / len(patterns))
    for _ in range(MAX_ITERATIONS):
        for present, margin in zip(patterns.T, margins, strict=True):
            total = shares[present].sum(), shares[~present].sum()
            wanted = np.where(present, margin, 1.0 - margin)
            found = np.where(present, *total)
            shares = np.divide(shares * wanted, found, out=np.zeros_like(shares), where=found > 0)
        fitted = np.array([shares[present].sum() for present in patterns.T])
        if abs(shares.sum() - 1.0) < 1e-9 and np.abs(fitted - margins).max() < 1e-9:
            break
    if abs(shares.sum() - 1.0) > TOLERANCE or np.abs(fitted - margins).max() > TOLERANCE:
        return None
    return shares / shares.sum()


def _apportion(total: int, shares: np.ndarray) -> np.ndarray:
    """Divide a whole number by shares that add up to 1, by the largest remainders."""
    exact = total * shares
    whole = np.floor(exact + 1e-9).astype(int)
    # Of equal remainders the first gets one more.
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole
