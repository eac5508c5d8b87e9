"""Whether tiles follow gene programmes: over patients, and when a programme is moved."""

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tcga_coherent.histology.cascade.sampling import MOVED, OWN, SHUFFLED
from tcga_coherent.histology.evaluation.nuclei import MEASURES
from tcga_coherent.histology.expression.programmes import Programmes
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.feature_correlation import feature_correlations, resampled_correlations

logger = logging.getLogger(__name__)

REAL = "real"
FEWEST_PATIENTS = 3


def follow_programmes(
    measured: pd.DataFrame,
    scores: pd.DataFrame,
    programmes: Programmes,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Correlate each programme with each measure of tiles, over patients.

    Parameters
    ----------
    measured
        A row a tile of a test patient: ``patient_id``, ``source`` (real, own, shuffled), and the measures.
    scores
        Patients x programmes.
    programmes
        What each should move.
    bootstrap, seed
        Of the intervals.

    Returns
    -------
    DataFrame
        ``programme``, ``measure``, ``moves`` (whether it should), ``patients``, and Pearson's r over patients with means of
        as many real as drawn tiles: ``r_real``, ``r_own`` and ``r_shuffled``, of tiles drawn from another patient's
        expression, each with ``_low`` and ``_high``; ``share_of_real``, r_own beside r_real.

    Raises
    ------
    ValueError
        When fewer than three patients can be compared.
    """
    means = _patient_means(measured)
    sources = {name: _of_source(means, name) for name in (REAL, OWN, SHUFFLED)}
    complete = [frame.dropna().index for frame in sources.values()]
    patients = complete[0].intersection(complete[1]).intersection(complete[2])
    if len(patients) < FEWEST_PATIENTS:
        raise ValueError(
            f"Only {len(patients)} test patients have real and generated tiles in which nuclei were found: a "
            f"correlation over patients needs {FEWEST_PATIENTS}. Raise expression_vae.split.test_fraction."
        )
    pairs = [(programme, measure) for programme in programmes for measure in MEASURES]
    truth = scores.loc[patients, [programme for programme, _ in pairs]].to_numpy(dtype=float)
    counts = resample_patients(len(patients), bootstrap.repeats, seed)
    table = pd.DataFrame(pairs, columns=["programme", "measure"])
    table["moves"] = [programmes[programme].measure == measure for programme, measure in pairs]
    table["patients"] = len(patients)
    for name, frame in sources.items():
        values = frame.loc[patients, [measure for _, measure in pairs]].to_numpy(dtype=float)
        resampled = np.concatenate(list(resampled_correlations(truth, values, counts)))
        table[f"r_{name}"] = feature_correlations(truth, values)
        table[f"r_{name}_low"], table[f"r_{name}_high"] = central_interval(
            resampled, bootstrap.level
        )
    table["share_of_real"] = table["r_own"] / table["r_real"]
    for row in table[table["moves"]].itertuples():
        logger.info(
            "%s and %s: r %.2f on generated tiles, %.2f on real ones, %.2f [%.2f, %.2f] with exchanged expression",
            row.programme, row.measure, row.r_own, row.r_real,
            row.r_shuffled, row.r_shuffled_low, row.r_shuffled_high,
        )  # fmt: skip
    return table


def follow_moves(
    measured: pd.DataFrame,
    scores: pd.DataFrame,
    programmes: Programmes,
    bootstrap: BootstrapParameters,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say how the measures of tiles respond to moving a programme.

    Parameters
    ----------
    measured, scores, programmes, bootstrap, seed
        As of :func:`follow_programmes`; rows whose source is moved have ``programme`` and ``shift``.

    Returns
    -------
    by_shift
        ``programme``, ``measure``, ``shift``, and the ``mean`` over patients, ``low`` and ``high``, in standard
        deviations of the measure over real patients, from their mean.
    responses
        ``programme``, ``measure``, ``moves``; the ``slope`` a standard deviation of the programme with ``slope_low`` and
        ``slope_high``; ``monotone``, whether the means rise or fall at every step; ``real_slope`` of the
        regression over the real patients.
    """
    real = _of_source(_patient_means(measured), REAL).dropna()
    standard = (real - real.mean()) / real.std()
    moved = measured[measured["source"] == MOVED]
    curves, responses = [], []
    for name, own in moved.groupby("programme", sort=False):
        score = scores[str(name)].loc[real.index]
        score = (score - score.mean()) / score.std()
        for measure in MEASURES:
            table = own.pivot_table(index="patient_id", columns="shift", values=measure).dropna()
            if table.empty:
                continue
            values = ((table - real[measure].mean()) / real[measure].std()).to_numpy()
            shifts = table.columns.to_numpy(dtype=float)
            counts = resample_patients(len(values), bootstrap.repeats, seed) / len(values)
            means, resampled = values.mean(0), counts @ values
            low, high = central_interval(resampled, bootstrap.level)
            curves += [
                (name, measure, shift, *at)
                for shift, *at in zip(shifts, means, low, high, strict=True)
            ]
            steps = np.diff(means)
            ends = central_interval(_slopes(shifts, resampled), bootstrap.level)
            responses.append(
                {
                    "programme": name,
                    "measure": measure,
                    "moves": programmes[str(name)].measure == measure,
                    "patients": len(values),
                    "slope": _slopes(shifts, means[None])[0],
                    "slope_low": ends[0],
                    "slope_high": ends[1],
                    "monotone": bool((steps > 0).all() or (steps < 0).all()),
                    "real_slope": _slopes(score.to_numpy(), standard[[measure]].to_numpy().T)[0],
                }
            )  # fmt: skip
    columns = ["programme", "measure", "shift", "mean", "low", "high"]
    return pd.DataFrame(curves, columns=columns), pd.DataFrame(responses)


def _patient_means(measured: pd.DataFrame) -> pd.DataFrame:
    """Return means of the measures by patient and source, of as many real as drawn tiles."""
    at_rest = measured[measured["source"] != MOVED]
    n_drawn = int(at_rest[at_rest["source"] == OWN].groupby("patient_id").size().max())
    same = at_rest.groupby(["patient_id", "source"]).head(n_drawn)
    return same.groupby(["patient_id", "source"])[list(MEASURES)].mean()


def _of_source(means: pd.DataFrame, source: str) -> pd.DataFrame:
    return pd.DataFrame(means.xs(source, level="source"))


def _slopes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least-squares slope of each row of `y` on `x`."""
    centred = x - x.mean()
    slopes: NDArray[np.float64] = y @ centred / (centred @ centred)
    return slopes
