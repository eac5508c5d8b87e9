"""Whether generated modalities tell an attacker more of a patient than their conditions do.

Generated latents are a function of the conditions and the models. Whatever cancer type or stage can
be read from them beyond what the conditions tell comes from the models, and so from the patients they
learned from. The attacker knows the label of some training patients and trains Random Forests on
what is released of them; members and non-members are other patients.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.evaluation.bootstrap import BootstrapParameters, Counts, resample_patients
from tcga_coherent.evaluation.classification_scores import class_scores, most_probable
from tcga_coherent.evaluation.fidelity import Array
from tcga_coherent.evaluation.forests import fit_classifier
from tcga_coherent.evaluation.inputs import Cohort
from tcga_coherent.evaluation.outcomes import (
    CLASS_TASKS,
    CannotEvaluate,
    ClassTask,
    check_classes,
    class_labels,
)
from tcga_coherent.evaluation.source_sets import join_sources
from tcga_coherent.privacy.attacks_groups import MatchedGroups
from tcga_coherent.privacy.attacks_parameters import AttributeParameters

CONDITIONS, REAL = "conditions", "real"
ACCURACY, GAIN = "balanced_accuracy", "balanced_accuracy_gain"
ALONE, BESIDE = "released alone", "released with its conditions"


def infer_attributes(
    cohort: Cohort,
    clinical: pd.DataFrame,
    groups: MatchedGroups,
    generated: Mapping[tuple[str, str], pd.DataFrame],
    parameters: AttributeParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Infer cancer type and stage from conditions, from generated and from measured modalities.

    Parameters
    ----------
    cohort
        Latents and splits.
    clinical
        Index ``patient_id``, with the column ``stage``.
    groups
        Members and non-members. The attacker trains on the other complete training patients.
    generated
        (target, method) to the mean draw of each complete patient, generated from all other
        modalities.
    parameters
        Settings of the forests.
    bootstrap
        Intervals over patients.
    seed
        Seed of forests and bootstrap.

    Returns
    -------
    DataFrame
        A row an attribute (``attack``), ``method`` (conditions; real for the measured modality;
        multi, coherent), ``target``, ``source``, ``setting``, ``group`` and ``statistic``: balanced
        accuracy, whose null is guessing, and its gain over the conditions alone, whose null is 0.
        A row with a ``note`` where an attribute cannot be inferred.
    """
    known = cohort.complete(cohort.train).difference(groups.members, sort=False)
    rows: list[dict[str, Any]] = []
    for task in CLASS_TASKS:
        labels = class_labels(task, cohort, clinical)
        parts = {
            "known": known[known.isin(labels.index)],
            "members": groups.members[groups.members.isin(labels.index)],
            "nonmembers": groups.nonmembers[groups.nonmembers.isin(labels.index)],
        }
        try:
            for name in ("members", "nonmembers"):
                check_classes(task, labels[parts["known"]], labels[parts[name]])
        except CannotEvaluate as reason:
            rows.append({"attack": task, "note": str(reason)})
            continue
        for target in cohort.modalities:
            rows += _infer(
                task, target, cohort, labels, parts, generated, parameters, bootstrap, seed
            )
    return pd.DataFrame(rows)


def _infer(
    task: ClassTask,
    target: str,
    cohort: Cohort,
    labels: pd.Series,
    parts: Mapping[str, pd.Index],
    generated: Mapping[tuple[str, str], pd.DataFrame],
    parameters: AttributeParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> Iterator[dict[str, Any]]:
    sources = [name for name in cohort.modalities if name != target]
    conditions = pd.concat([cohort.latents[name] for name in sources], axis=1, join="inner")
    released = {REAL: cohort.latents[target]}
    released |= {method: frame for (name, method), frame in generated.items() if name == target}
    classes = np.unique(labels[parts["known"]])

    def predict(features: pd.DataFrame) -> dict[str, np.ndarray]:
        return _predict(features, labels, parts, classes, parameters, seed)

    base = predict(conditions)
    guesses = {(CONDITIONS, ALONE): base}
    for method, frame in released.items():
        guesses[method, ALONE] = predict(frame)
        guesses[method, BESIDE] = predict(pd.concat([conditions, frame], axis=1, join="inner"))
    for group in ("members", "nonmembers"):
        truth = labels[parts[group]].to_numpy()
        counts = resample_patients(len(truth), bootstrap.repeats, seed)
        without = _accuracies(truth, base[group], counts)
        for (method, setting), guess in guesses.items():
            found = _accuracies(truth, guess[group], counts)
            key = {
                "attack": task,
                "method": method,
                "target": target,
                "source": join_sources(sources),
                "setting": setting,
                "group": group,
                "n_members" if group == "members" else "n_nonmembers": len(truth),
            }
            yield key | _row(ACCURACY, found, 1 / len(classes), bootstrap)
            if setting == BESIDE:
                yield key | _row(GAIN, found - without, 0.0, bootstrap)


def _predict(
    features: pd.DataFrame,
    labels: pd.Series,
    parts: Mapping[str, pd.Index],
    classes: np.ndarray,
    parameters: AttributeParameters,
    seed: int,
) -> dict[str, np.ndarray]:
    """Return the guesses of forests of several seeds together."""
    known = parts["known"]
    probabilities: dict[str, list[Array]] = {"members": [], "nonmembers": []}
    for repeat in range(parameters.n_repeats):
        forest = fit_classifier(
            features.loc[known].to_numpy(), labels[known], parameters.forests, seed + repeat
        )
        for group, found in probabilities.items():
            found.append(forest.predict_proba(features.loc[parts[group]].to_numpy()))
    return {
        group: most_probable(np.mean(found, axis=0), list(classes))
        for group, found in probabilities.items()
    }


def _accuracies(truth: np.ndarray, predicted: np.ndarray, counts: Counts) -> Array:
    """Return the balanced accuracy of all patients, then of each bootstrap sample."""
    everyone = np.ones((1, len(truth)), dtype=np.int64)
    return class_scores(truth, predicted, np.vstack([everyone, counts])).balanced_accuracy


def _row(
    statistic: str, values: Array, null: float, bootstrap: BootstrapParameters
) -> dict[str, Any]:
    value, resampled = values[0], values[1:]
    low, high = np.quantile(resampled, [(1 - bootstrap.level) / 2, (1 + bootstrap.level) / 2])
    return {
        "statistic": statistic,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "null": null,
        "note": "",
    }
