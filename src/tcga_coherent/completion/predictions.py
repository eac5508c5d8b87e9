"""What is predicted of completed patients, and which of their missing modalities to measure first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tcga_coherent.completion.predictor import Predictor, reference_key, score_versions
from tcga_coherent.diffusion.config import CompletionConfig
from tcga_coherent.downstream.priority_scores import SCORES
from tcga_coherent.downstream.stored_forest import AFTER
from tcga_coherent.measures.calibration import independent_sets
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import join_sources

# Quantiles over the draws.
INTERVAL = (0.05, 0.95)
# What tables and keys call the pattern in which nothing is missing.
NOTHING = "none"
LOSSES = (
    "metric",
    "held_out_complete",
    "held_out_score",
    "held_out_change",
    "held_out_change_low",
    "held_out_change_high",
    "held_out_patients",
)
PREDICTIONS = ["patient_id", "task", "output", "years", "value", "low", "high", "generated"]
PREDICTIONS += [*LOSSES, "note"]
VERDICT = ("gain", "gain_low", "gain_high", "above_random")
OF_SCORE = (
    "",
    "_percentile",
    "_rank",
    "_test_rank",
    "_per_cost",
    *(f"_{name}" for name in VERDICT),
)
PRIORITIES = ["patient_id", "task", "modality", "missing", "cost"]
PRIORITIES += [f"{score}{part}" for score in SCORES for part in OF_SCORE] + ["note"]


def predict_patients(
    predictors: Sequence[Predictor],
    draws: Mapping[str, pd.DataFrame],
    generated: pd.DataFrame,
    antithetic: bool,
    completion: CompletionConfig,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict completed patients by every task, and score what they were not measured for.

    Parameters
    ----------
    predictors
        One a task.
    draws
        Modality to latent draws, index (``patient_id``, ``draw``), of the patients in the order of `generated`.
    generated
        Whether a modality was generated, patients x modalities.
    antithetic
        Whether draw k and draw k + K / 2 are a pair.
    completion
        Method of generation, and costs.

    Returns
    -------
    predictions, priorities : pandas.DataFrame
        As in docs/completing_patients.md; the ranks over patients come from :func:`rank_patients`.
    """
    latents = {
        name: frame.to_numpy(float).reshape(
            len(generated), len(frame) // max(1, len(generated)), frame.shape[1]
        )
        for name, frame in draws.items()
    }
    predictions, priorities = [], []
    for removed, rows in _patterns(generated):
        # What was measured is the same in all draws.
        own = {name: values[rows][:, : None if removed else 1] for name, values in latents.items()}
        profile = {name: values.mean(axis=1) for name, values in own.items()}
        for predictor in predictors:
            keys = {"patient_id": generated.index[rows], "task": predictor.task}
            predictions.append(_predict(predictor, own, removed, keys, completion))
            priorities += [
                _prioritise(
                    predictor, own[name], profile, removed, name, keys, antithetic, completion
                )
                for name in removed
            ]
    predicted, scored = join_rows(predictions, PREDICTIONS), join_rows(priorities, PRIORITIES)
    values = [f"{score}_per_cost" if completion.costs else score for score in SCORES]
    scored = _ranked(scored, "test_rank", values, ["task", "patient_id"])
    order = ["patient_id", "task"]
    return (
        predicted.sort_values(order, kind="stable", ignore_index=True),
        scored.sort_values(order, kind="stable", ignore_index=True),
    )


def rank_patients(blocks: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join priorities of blocks of patients, with their ranks over all patients: 1 is to be measured first."""
    return _ranked(join_rows(blocks, PRIORITIES), "rank", SCORES, ["task", "modality"])


def join_rows(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Join frames, with all of the columns where there is no row either."""
    # Columns without rows have no type that the others' should take.
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True).reindex(columns=list(columns))


def _patterns(generated: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], NDArray[np.intp]]]:
    """Yield each set of generated modalities with the positions of the patients who have it."""
    flags = generated.to_numpy(bool)
    for pattern in np.unique(flags, axis=0):
        yield tuple(generated.columns[pattern]), np.flatnonzero((flags == pattern).all(axis=1))


def _predict(
    predictor: Predictor,
    latents: Mapping[str, Array],
    removed: tuple[str, ...],
    keys: Mapping[str, Any],
    completion: CompletionConfig,
) -> pd.DataFrame:
    """Return the predictions of patients who lack the same modalities: means and quantiles over the draws."""
    profiles = np.concatenate(list(latents.values()), axis=2)
    n_patients, n_draws, _ = profiles.shape
    predicted = predictor.forest.quantities(profiles.reshape(n_patients * n_draws, -1))
    predicted = predicted.reshape(n_patients, n_draws, -1)
    pattern = join_sources(removed) or NOTHING
    lost = predictor.losses.get(f"{completion.method}/{pattern}", {})
    absent = "" if lost else f"held-out patients were never tested without {pattern}"
    frames = []
    for number, output in enumerate(predictor.forest.outputs):
        further = number >= predictor.forest.n_outputs
        name, years = output.split(AFTER) if further else (output, np.nan)
        of_draws = predicted[:, :, number]
        low, high = np.quantile(of_draws, INTERVAL, axis=1)
        values = {"value": of_draws.mean(axis=1), "low": low, "high": high}
        frames.append(pd.DataFrame({**keys, "output": name, "years": float(years), **values}))
    table = pd.concat(frames, ignore_index=True)
    return table.assign(
        generated=join_sources(removed),
        note=_note(absent, removed, completion),
        **{name: lost.get(name, "" if name == "metric" else np.nan) for name in LOSSES},
    )


def _prioritise(
    predictor: Predictor,
    draws: Array,
    profile: Mapping[str, Array],
    removed: tuple[str, ...],
    name: str,
    keys: Mapping[str, Any],
    antithetic: bool,
    completion: CompletionConfig,
) -> pd.DataFrame:
    """Return the priorities of a modality, of which there are draws, for patients who lack the same modalities."""
    versions, *_ = independent_sets(draws.swapaxes(0, 1), antithetic)
    scores = score_versions(predictor.forest, profile, name, versions, predictor.has_classes)
    cost = (completion.costs or {}).get(name, np.nan)
    found: dict[str, Any] = {"modality": name, "missing": join_sources(removed), "cost": cost}
    absent = ""
    for score, values in scores.items():
        verdict = predictor.verdicts.get(f"{completion.method}/{name}/{score}", {})
        absent = absent if verdict else f"{name} was never prioritised for held-out patients"
        found[score] = values
        key = reference_key(completion.method, removed, name, score)
        found[f"{score}_percentile"] = predictor.percentile(key, values)
        found[f"{score}_per_cost"] = values / cost
        for part in VERDICT:
            missing = "unknown" if part == "above_random" else np.nan
            found[f"{score}_{part}"] = verdict.get(part, missing)
    return pd.DataFrame({**keys, **found, "note": _note(absent, removed, completion)})


def _note(absent: str, removed: tuple[str, ...], completion: CompletionConfig) -> str:
    """Say what does not hold for the patients whom a row is about."""
    others = "held-out patients were completed without condition_on_generated"
    is_other = completion.condition_on_generated and len(removed) > 1
    return "; ".join(filter(None, [absent, others if is_other else ""]))


def _ranked(
    frame: pd.DataFrame, rank: str, values: Sequence[str], within: list[str]
) -> pd.DataFrame:
    """Return the frame with the rank of each score, by descending values; those alike share the better one."""
    if frame.empty:
        return frame
    groups = frame.groupby(within)
    ranks = {
        f"{score}_{rank}": groups[value].rank(ascending=False, method="min").astype(int)
        for score, value in zip(SCORES, values, strict=True)
    }
    return frame.assign(**ranks)
