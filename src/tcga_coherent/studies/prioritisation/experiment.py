"""For whom a missing modality is worth measuring: counterfactuals through a multimodal forest.

A modality of a test patient is taken to be missing. N versions of it are generated from the patient's
other modalities and shown, each with the measured others, to a forest that was trained on complete
patients. Where its predictions differ between the versions, the measured modality may hold what the
others do not (paper, Methods, "Downstream task implementation").
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.priority_scores import (
    CHANGE,
    VARIANCE,
    change_probability,
    decision_spread,
    expected_change,
    predict_versions,
    priority_scores,
    with_modality,
)
from tcga_coherent.downstream.task import Model
from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.studies.prioritisation.inputs import CounterfactualInputs

STUDY = "counterfactual"

Unacquired = Literal["missing", "generated"]
# What a forest is shown of a patient whose modality is not measured: NaN, as in the paper, or the
# coherent versions, whose predictions are averaged.
UNACQUIRED: tuple[Unacquired, ...] = ("missing", "generated")

# What makes the versions; the last is the simple one.
VERSIONS_BY = ("coherent", "multi", STRONGEST)
VARIANCE_STRATEGIES = {name: name for name in VERSIONS_BY}
CHANGE_STRATEGIES = {name: f"{name}_expected_change" for name in VERSIONS_BY}
ENTROPY, RANDOM, ORACLE = "entropy", "random", "oracle"
# Those that a score says whom to measure first; random and oracle need none.
SCORED_STRATEGIES = (*VARIANCE_STRATEGIES.values(), *CHANGE_STRATEGIES.values(), ENTROPY)


def predict_repeat(
    repeat: int, inputs: CounterfactualInputs, forests: ForestParameters, seed: int
) -> pd.DataFrame:
    """Train the forests with a seed of their own and assess every patient with some versions.

    Parameters
    ----------
    repeat
        Seeds the forests and the choice of the versions.
    inputs
        Result of :func:`tcga_coherent.studies.prioritisation.inputs.counterfactual_inputs`.
    forests, seed
        Settings of the forests; seed of all repeats.

    Returns
    -------
    DataFrame
        ``task``, ``modality``, ``patient_id``; predictions ``real/<output>``, ``missing/<output>``
        and ``generated/<output>``, where an output is a class or ``risk``; priorities
        ``score/<strategy>/<unacquired>``; ``change``, ``change_probability`` and ``spread`` of the
        coherent versions against the prediction without the modality. What cannot be evaluated has
        one row without patient, with the reason in ``note``.
    """
    rng = np.random.default_rng([seed, repeat])
    forest_seed = int(rng.integers(2**32))
    whole = np.hstack(list(inputs.real.values()))
    notes = [
        {"task": task, "modality": name, "patient_id": "", "note": reason}
        for (task, name), reason in inputs.obstacles.items()
    ]
    frames = [pd.DataFrame(notes, columns=["task", "modality", "patient_id", "note"], dtype=str)]
    chosen = _choose_versions(inputs, rng)
    for task, training in inputs.training.items():
        model = training.outcomes.fit(training.features, forests, forest_seed)
        real = model.predict(whole)
        for name in inputs.versions:
            values = _assess(task, model, real, inputs, name, chosen)
            keys = {"task": task, "modality": name, "patient_id": inputs.patients, "note": ""}
            frames.append(pd.DataFrame({**keys, **values}))
    return pd.concat(frames, ignore_index=True)


def prediction_columns(unacquired: str, outputs: Sequence[str]) -> list[str]:
    """Name the columns of a prediction: ``real``, ``missing`` or ``generated``."""
    return [f"{unacquired}/{output}" for output in outputs]


def predicted_outputs(rows: pd.DataFrame) -> list[str]:
    """Return the outputs of the only task that rows of the repeats belong to."""
    names = [str(name) for name in rows if str(name).startswith("real/")]
    return [name.removeprefix("real/") for name in names if rows[name].notna().any()]


def score_column(strategy: str, unacquired: Unacquired) -> str:
    """Name the column of a strategy's priorities."""
    return f"score/{strategy}/{unacquired}"


def _choose_versions(inputs: CounterfactualInputs, rng: np.random.Generator) -> NDArray[np.int64]:
    if not inputs.versions:
        return np.array([], dtype=int)
    available = min(len(versions) for by in inputs.versions.values() for versions in by.values())
    return rng.choice(available, inputs.n_counterfactuals, replace=False)


def _assess(
    task: str,
    model: Model,
    real: Array,
    inputs: CounterfactualInputs,
    name: str,
    chosen: NDArray[np.int64],
) -> dict[str, Array]:
    """Return the columns of all test patients for one modality."""
    without = with_modality(inputs.real, name, np.full_like(inputs.real[name], np.nan))
    predicted = {
        by: predict_versions(model.predict, inputs.real, name, versions[chosen])
        for by, versions in inputs.versions[name].items()
    }
    current = {"missing": model.predict(without), "generated": predicted["coherent"].mean(axis=0)}
    doubt = model.doubt(without)
    values = _columns("real", model, real)
    for unacquired in UNACQUIRED:
        values |= _columns(unacquired, model, current[unacquired])
        for by, versions in predicted.items():
            scores = priority_scores(versions, current[unacquired], TASKS[task].has_classes)
            values[score_column(VARIANCE_STRATEGIES[by], unacquired)] = scores[VARIANCE]
            values[score_column(CHANGE_STRATEGIES[by], unacquired)] = scores[CHANGE]
        values[score_column(ENTROPY, unacquired)] = doubt
    versions, now = predicted["coherent"], current["missing"]
    values["change"] = expected_change(versions, now)
    values["spread"] = decision_spread(versions, now)
    if TASKS[task].has_classes:
        values["change_probability"] = change_probability(versions, now)
    return values


def _columns(kind: str, model: Model, predicted: Array) -> dict[str, Array]:
    return dict(zip(prediction_columns(kind, model.outputs), predicted.T, strict=True))
