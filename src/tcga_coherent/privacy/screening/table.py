"""How many records are flagged, beside how many would be of patients who were never seen."""

import numpy as np
import pandas as pd
from scipy.stats import beta, betabinom

from tcga_coherent.privacy.screening.experiment import STATISTICS, Screened

COLUMNS = [
    *("modality", "records", "method", "kind", "statistic", "against", "threshold", "median"),
    *("n_records", "n_flagged", "flagged", "flagged_low", "flagged_high"),
    *("nominal", "nominal_low", "nominal_high", "beyond_nominal", "closest_is_own"),
    *("n_patients", "n_training", "n_validation", "note"),
]


def summarise_screening(
    screened: list[Screened], skipped: dict[str, str], level: float
) -> pd.DataFrame:
    """Return one row a modality, kind of records and method.

    Parameters
    ----------
    screened, skipped
        Result of :func:`tcga_coherent.privacy.screening.experiment.screen`.
    level
        Of the intervals. ``flagged_*`` is Clopper and Pearson's with the number of patients, as the draws
        of a patient depend on each other: too wide rather than too narrow. ``nominal_*`` is that of
        the rate at which a threshold found with so few patients flags others.

    Returns
    -------
    DataFrame
        ``beyond_nominal`` is yes where so many flagged patients are improbable (below half of what
        `level` leaves, beta-binomial) if records lay as patients do who were never seen.
    """
    rows = [_row(one, level) for one in screened]
    rows += [{"modality": name, "note": reason} for name, reason in skipped.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(one: Screened, level: float) -> dict[str, object]:
    generated, threshold = one.generated, one.threshold
    row: dict[str, object] = {
        "modality": generated.modality,
        "records": generated.origin,
        "method": generated.method,
        "kind": generated.kind,
        "statistic": STATISTICS[generated.kind],
        "against": one.against,
        "threshold": threshold.value,
        "n_records": len(one.statistic),
        "n_training": one.n_training,
        "n_validation": threshold.n_held_out,
        "n_patients": one.patients.nunique(),
        "note": "",
    }
    if not len(one.statistic):
        return {**row, "note": "no patient lacks this modality"}
    rate = float(one.flagged.mean())
    low, high = clopper_pearson(rate, one.patients.nunique(), level)
    nominal_low, nominal_high = threshold.nominal_interval(level)
    return {
        **row,
        "median": float(np.median(one.statistic)),
        "n_flagged": int(one.flagged.sum()),
        "flagged": rate,
        "flagged_low": low,
        "flagged_high": high,
        "nominal": threshold.nominal,
        "nominal_low": nominal_low,
        "nominal_high": nominal_high,
        "beyond_nominal": "yes" if _improbable(one, rate, level) else "no",
        "closest_is_own": float(np.mean(one.patients == one.nearest)),
    }


def clopper_pearson(rate: float, n: int, level: float) -> tuple[float, float]:
    """Return the binomial interval of a rate among `n`, which need not be a whole number of them."""
    found, tail = rate * n, (1 - level) / 2
    low = 0.0 if found == 0 else float(beta.ppf(tail, found, n - found + 1))
    high = 1.0 if found == n else float(beta.ppf(1 - tail, found + 1, n - found))
    return low, high


def _improbable(one: Screened, rate: float, level: float) -> bool:
    n_patients, rank, n = one.patients.nunique(), one.threshold.rank, one.threshold.n_held_out
    found = int(np.floor(rate * n_patients + 1e-9))
    return bool(betabinom.sf(found - 1, n_patients, rank, n + 1 - rank) < (1 - level) / 2)
