"""Acquisition curves and the areas between them, as tables.

Two kinds of spread stand side by side: ``*_std`` is over repeats, other seeds of the forests and
other versions of the same patients; ``*_low`` and ``*_high`` are the bootstrap interval over
patients.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.downstream.acquisition_curves import RATIOS, area, n_acquired
from tcga_coherent.downstream.priority_scores import CHANGE, VARIANCE
from tcga_coherent.downstream.profiles import GENERATORS
from tcga_coherent.measures.bootstrap import central_interval
from tcga_coherent.measures.score import Score
from tcga_coherent.measures.statistical_tests import ROUNDING, share_above_zero
from tcga_coherent.studies.prioritisation.acquisition import Acquisition
from tcga_coherent.studies.prioritisation.experiment import (
    CHANGE_STRATEGIES,
    ENTROPY,
    ORACLE,
    RANDOM,
    VARIANCE_STRATEGIES,
)

KEYS = ["task", "modality", "unacquired", "strategy"]
CURVE_COLUMNS = [
    *KEYS, "ratio", "n_acquired", "metric", "score_mean", "score_std", "score_low", "score_high",
    "n_patients", "note",
]  # fmt: skip
AREA_COLUMNS = [
    *KEYS, "metric", "area_mean", "area_std", "area_low", "area_high", "p_above_random",
    "above_random", "over_entropy_mean", "over_entropy_low", "over_entropy_high", "share_of_oracle", "share_of_oracle_low", "share_of_oracle_high",
    "share_of_gain", "gain_mean", "gain_std", "gain_low", "gain_high", "n_patients", "note",
]  # fmt: skip
REPEAT_COLUMNS = [*KEYS, "repeat", "ratio", "score"]


def curves_by_repeat(acquisitions: Sequence[Acquisition]) -> pd.DataFrame:
    """Return the curves of all patients, one row a strategy, ``repeat`` and ``ratio``: ``score``."""
    frames = [
        pd.DataFrame(
            {
                **acquisition.keys,
                "strategy": strategy,
                "repeat": np.repeat(range(len(curve.by_repeat)), len(RATIOS)),
                "ratio": np.tile(RATIOS, len(curve.by_repeat)),
                "score": curve.by_repeat.ravel(),
            }
        )
        for acquisition in acquisitions
        for strategy, curve in acquisition.curves.items()
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=REPEAT_COLUMNS)


def curve_table(
    acquisitions: Sequence[Acquisition], repeats: pd.DataFrame, level: float
) -> pd.DataFrame:
    """Return Figures 4 and S5 as a table: one row a strategy and ratio.

    Parameters
    ----------
    acquisitions
        Result of :func:`tcga_coherent.studies.prioritisation.acquisition.follow_acquisitions`.
    repeats
        As in the same function; its notes become rows without numbers.
    level
        Share of the bootstrap samples that an interval holds.
    """
    frames = [_note_rows(repeats, CURVE_COLUMNS)]
    for acquisition in acquisitions:
        for strategy, curve in acquisition.curves.items():
            values = {
                "strategy": strategy,
                "ratio": RATIOS,
                "n_acquired": n_acquired(acquisition.n_patients),
                "metric": acquisition.metric,
                **curve.columns("score", level),
                "n_patients": acquisition.n_patients,
                "note": "",
            }
            frames.append(pd.DataFrame({**acquisition.keys, **values}))
    return _joined(frames, CURVE_COLUMNS)


def area_table(
    acquisitions: Sequence[Acquisition], repeats: pd.DataFrame, level: float
) -> pd.DataFrame:
    """Return how much better than at random each strategy is, one row a strategy.

    Parameters
    ----------
    acquisitions, repeats, level
        As in :func:`curve_table`.

    Returns
    -------
    DataFrame
        ``area_*``: mean over the ratios of the difference from the random curve. ``p_above_random``:
        share of the bootstrap samples in which it is above zero, ties counting half;
        ``above_random`` is ``yes`` or ``no`` where the interval lies above or below zero, else
        ``undecided``. ``over_entropy_*``: the same area to the curve of the forest's own doubt, which
        needs no generated data. ``share_of_oracle``: in proportion to the oracle's area, where its
        interval lies above zero, and its own interval over the samples in which that area does.
        ``gain_*``: score with the modality for everybody less that for nobody; ``share_of_gain``:
        area in proportion to it, where its interval lies above zero.
    """
    frames = [_note_rows(repeats, AREA_COLUMNS)]
    for acquisition in acquisitions:
        rows = [
            {**acquisition.keys, "strategy": strategy, **_area(acquisition, strategy, level)}
            for strategy in acquisition.curves
            if strategy != RANDOM
        ]
        frames.append(pd.DataFrame(rows))
    return _joined(frames, AREA_COLUMNS)


def acquisition_verdicts(table: pd.DataFrame, task: str) -> dict[str, dict[str, Any]]:
    """Return whether measuring held-out patients in the order of a score was better than at random.

    Parameters
    ----------
    table
        Result of :func:`area_table`.
    task
        Name of a task.

    Returns
    -------
    dict
        ``<method>/<modality>/<score>`` to the area above random order with its interval over patients, and ``yes``,
        ``no`` or ``undecided``, where those who were not measured have generated modalities.
    """
    rows = table[(table["task"] == task) & (table["unacquired"] == "generated")]
    strategies = {
        named[method]: (method, score)
        for score, named in ((VARIANCE, VARIANCE_STRATEGIES), (CHANGE, CHANGE_STRATEGIES))
        for method in GENERATORS
    }
    return {
        "/".join([method, row["modality"], score]): {
            "gain": row["area_mean"],
            "gain_low": row["area_low"],
            "gain_high": row["area_high"],
            "above_random": row["above_random"],
        }
        for row in rows.to_dict("records")
        if row["strategy"] in strategies
        for method, score in (strategies[row["strategy"]],)
    }


def area_lines(table: pd.DataFrame) -> Iterator[str]:
    """Yield what the table says of acquisition informed by coherent versions, line by line."""
    shown = (VARIANCE_STRATEGIES["coherent"], CHANGE_STRATEGIES["coherent"])
    for row in table.to_dict("records"):
        if row["note"]:
            yield f"{row['task']}, {row['modality']}: {row['note']}"
        elif row["strategy"] in shown:
            yield (
                f"{row['task']}, {row['modality']}, else {row['unacquired']}, {row['strategy']}: area "
                f"to random {row['area_mean']:+.4f} [{row['area_low']:+.4f}, "
                f"{row['area_high']:+.4f}], above random: {row['above_random']}"
            )


def _area(acquisition: Acquisition, strategy: str, level: float) -> dict[str, Any]:
    curve = acquisition.curves[strategy]
    above, best = (area(acquisition.above_random(name)) for name in (strategy, ORACLE))
    over_entropy = area(curve - acquisition.curves[ENTROPY]).columns("over_entropy", level)
    gain = Score(
        curve.by_repeat[:, -1] - curve.by_repeat[:, 0],
        curve.by_sample[:, -1] - curve.by_sample[:, 0],
    )
    # Where the best order gains nothing, or perhaps nothing, there is nothing to have a share of.
    share = share_low = share_high = np.nan
    if best.interval(level)[0] > ROUNDING:
        share = above.mean / best.mean
        gaining = best.by_sample > ROUNDING
        share_low, share_high = central_interval(
            above.by_sample[gaining] / best.by_sample[gaining], level
        )
    return {
        "metric": acquisition.metric,
        **above.columns("area", level),
        "p_above_random": share_above_zero(above.by_sample),
        "above_random": _verdict(*above.interval(level)),
        **over_entropy,
        "share_of_oracle": share,
        "share_of_oracle_low": share_low,
        "share_of_oracle_high": share_high,
        "share_of_gain": above.mean / gain.mean if gain.interval(level)[0] > 0 else np.nan,
        **gain.columns("gain", level),
        "n_patients": acquisition.n_patients,
        "note": "",
    }


def _verdict(low: float, high: float) -> str:
    if low > 0:
        return "yes"
    return "no" if high < 0 else "undecided"


def _note_rows(repeats: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    noted = repeats.loc[repeats["note"] != "", ["task", "modality", "note"]].drop_duplicates()
    return noted.reindex(columns=columns)


def _joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Join frames with the notes last."""
    filled = [frame for frame in (*frames[1:], frames[0]) if not frame.empty]
    return pd.concat(filled, ignore_index=True)[columns] if filled else frames[0]
