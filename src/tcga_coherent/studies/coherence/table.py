"""Whether the coherence of a generation tells how wrong it is."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    resampled_spearman,
    spearman,
)
from tcga_coherent.measures.score import patient_estimate
from tcga_coherent.studies.coherence.probe import (
    STATISTICS,
    Floats,
    Generation,
    generations,
    matched,
)

REJECTED_PERCENT = (10, 25, 50)
COLUMNS = [
    *("target", "source", "measure", "statistic", "swapped", "point"),
    *("value", "low", "high", "n_patients", "n_draws"),
]

Estimate = Callable[..., dict[str, Any]]


def coherence_error_table(
    probe: pd.DataFrame, bootstrap: BootstrapParameters, seed: int
) -> pd.DataFrame:
    """Measure what coherence says of error, and whether it finds swapped sources.

    Parameters
    ----------
    probe
        Dataset ``coherence_probe``.
    bootstrap
        Settings of the intervals over patients.
    seed
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        Long format, a row a target and number:

        ============================ ============================================================
        measure                      value
        ============================ ============================================================
        spearman                     rank correlation over patients between the statistic (mean
                                     over draws) and the error of the mean draw
        spearman_within_patient      rank correlation over the draws of a patient between the
                                     statistic and the error of the draw, mean over patients:
                                     below zero, making the least coherent draws again does harm
        error_of_kept,               mean squared error of the draws that the rule keeps and of
        error_of_rejected            those it rejects; missing where there are none
        relative_error_of_kept       mean squared error without the `point` percent of draws that
                                     are least coherent, relative to that of all draws
        auroc                        chance that a patient with the source `swapped` has a higher
                                     statistic than one without
        ============================ ============================================================

        ``low`` and ``high`` bound the bootstrap interval over patients; patients and draws without
        the statistic are left out of it and of ``n_patients`` and ``n_draws``.

    Raises
    ------
    ValueError
        When the probe is not whole.
    """
    estimate = partial(_estimate, bootstrap=bootstrap, seed=seed)
    rows: list[dict[str, Any]] = []
    for target, source in probe[["target", "source"]].drop_duplicates().itertuples(index=False):
        by_swap = generations(probe, target)
        usual = by_swap.pop("")
        rows += [
            {"target": target, "source": source, **row}
            for row in (
                *_error_of_patients(usual, estimate),
                *_error_of_draws(usual, estimate),
                *_kept_and_rejected(usual, estimate),
                *_without_least_coherent(usual, estimate),
                *_findings(usual, by_swap, estimate),
            )
        ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"point": "Int64"})


def coherence_lines(table: pd.DataFrame) -> list[str]:
    """Say in one line a target what coherence is worth.

    Parameters
    ----------
    table
        Result of :func:`coherence_error_table`.
    """
    lines = []
    for target, rows in table.groupby("target", sort=False):
        cosine = rows[rows["statistic"] == "cosine_distance"].set_index("measure")["value"]
        n_rejected = rows.loc[rows["measure"] == "error_of_rejected", "n_draws"].iloc[0]
        found = rows[rows["measure"] == "auroc"].groupby("statistic", sort=False)["value"].mean()
        lines.append(
            f"{target}: cosine distance against error: rho "
            f"{cosine['spearman']:.2f} over patients, "
            f"{cosine['spearman_within_patient']:.2f} over draws of one; "
            f"{n_rejected} draws rejected; mean AUROC of swapped sources: "
            + (", ".join(f"{name} {value:.2f}" for name, value in found.items()) or "none swapped")
        )
    return lines


def auroc(usual: Floats, swapped: Floats, counts: Counts | None = None) -> Floats:
    """Area under the ROC curve of a statistic that is to find swapped patients.

    The chance that a random patient's statistic is higher with a swapped source than another's (or
    the same patient's) without one, ties counting one half.

    Parameters
    ----------
    usual, swapped
        Statistic of the same patients without and with a swapped source.
    counts
        How often each patient is drawn, samples x patients; once each by default.

    Returns
    -------
    ndarray
        One area a sample.
    """
    weights = np.ones((1, len(usual))) if counts is None else counts.astype(float)
    order = np.argsort(usual)
    below = np.cumsum(np.pad(weights[:, order], ((0, 0), (1, 0))), axis=1)
    lower = below[:, np.searchsorted(usual[order], swapped, side="left")]
    not_above = below[:, np.searchsorted(usual[order], swapped, side="right")]
    won = np.sum(weights * (lower + not_above) / 2, axis=1)
    return won / weights.sum(axis=1) ** 2


def kept_share(statistic: Floats, percent: float) -> Floats:
    """How much of each draw is kept when a percentage of all, the least coherent, is rejected.

    Parameters
    ----------
    statistic
        Patients x draws, finite; higher is less coherent.
    percent
        Percentage of the draws that is rejected, below 100.

    Returns
    -------
    ndarray
        1 for kept draws, 0 for rejected ones. Of draws that tie at the border each is kept in
        part, as if ties were broken at random many times.
    """
    n_kept = (1 - percent / 100) * statistic.size
    border = np.sort(statistic, axis=None)[int(np.ceil(n_kept)) - 1]
    below, tied = statistic < border, statistic == border
    return below + tied * (n_kept - below.sum()) / tied.sum()


def _error_of_patients(usual: Generation, estimate: Estimate) -> Iterator[dict[str, Any]]:
    n_draws = usual.squared_error.shape[1]
    for name in STATISTICS:
        statistic = usual.of_patients(name)
        known = np.isfinite(statistic)
        x, y = statistic[known], usual.error_of_mean[known]
        yield estimate(
            lambda counts, x=x, y=y: resampled_spearman(x, y, counts),
            len(x),
            n_draws * len(x),
            measure="spearman",
            statistic=name,
        )


def _error_of_draws(usual: Generation, estimate: Estimate) -> Iterator[dict[str, Any]]:
    n_draws = usual.squared_error.shape[1]
    for name in STATISTICS:
        correlation = spearman(usual.statistics[name], usual.squared_error)
        defined = correlation[np.isfinite(correlation)]
        yield estimate(
            lambda counts, defined=defined: counts @ defined / len(defined),
            len(defined),
            n_draws * len(defined),
            measure="spearman_within_patient",
            statistic=name,
        )


def _kept_and_rejected(usual: Generation, estimate: Estimate) -> Iterator[dict[str, Any]]:
    for measure, chosen in (
        ("error_of_kept", ~usual.rejected),
        ("error_of_rejected", usual.rejected),
    ):
        concerned = chosen.any(axis=1)
        errors = np.sum(usual.squared_error * chosen, axis=1)[concerned]
        draws = chosen.sum(axis=1)[concerned]
        yield estimate(
            lambda counts, errors=errors, draws=draws: (counts @ errors) / (counts @ draws),
            len(draws),
            int(draws.sum()),
            measure=measure,
        )


def _without_least_coherent(usual: Generation, estimate: Estimate) -> Iterator[dict[str, Any]]:
    for name in STATISTICS:
        known = np.isfinite(usual.of_patients(name))
        errors = usual.squared_error[known]
        for percent in REJECTED_PERCENT if known.any() else ():
            kept = kept_share(usual.statistics[name][known], percent)
            yield estimate(
                lambda counts, kept=kept, errors=errors: (
                    (counts @ np.sum(kept * errors, axis=1))
                    / (counts @ kept.sum(axis=1))
                    / (counts @ errors.mean(axis=1))
                    * counts.sum(axis=1)
                ),
                len(errors),
                errors.size,
                measure="relative_error_of_kept",
                statistic=name,
                point=percent,
            )


def _findings(
    usual: Generation, by_swap: Mapping[str, Generation], estimate: Estimate
) -> Iterator[dict[str, Any]]:
    for swapped, generation in by_swap.items():
        for name in STATISTICS:
            without, with_ = matched(usual, generation, name)
            yield estimate(
                lambda counts, x=without, y=with_: auroc(x, y, counts),
                len(with_),
                len(with_) * generation.squared_error.shape[1],
                measure="auroc",
                statistic=name,
                swapped=swapped,
            )


def _estimate(
    of_samples: Callable[[Counts], Floats],
    n_patients: int,
    n_draws: int,
    bootstrap: BootstrapParameters,
    seed: int,
    **keys: Any,
) -> dict[str, Any]:
    """Return a row with the statistic of all patients, drawn once each, and its interval."""
    row = {**keys, "n_patients": n_patients, "n_draws": n_draws}
    if n_patients == 0:
        return row
    return row | vars(patient_estimate(of_samples, n_patients, bootstrap, seed))
