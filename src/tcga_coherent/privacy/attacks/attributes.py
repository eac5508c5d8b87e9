"""Whether generated modalities tell an attacker more of a patient than their conditions do.

Generated latents are a function of the conditions and the models. Whatever cancer type or stage can
be read from them beyond what the conditions tell comes from the models, and so from the patients they
learned from. The attacker knows the label of some training patients and trains a classifier on what is
released of them; members and non-members are other patients.

The classifier is linear discriminant analysis with equal priors and a shrunken covariance (Ledoit and
Wolf, 2004). On latents it reads the conditions far better than a Random Forest does, and a weak reader
of the conditions would make a leak of whatever the models merely put plainly.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.covariance import LedoitWolf
from sklearn.metrics.pairwise import euclidean_distances

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate, check_classes
from tcga_coherent.downstream.tasks import CLASS_TASKS
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    Counts,
    resample_patients,
)
from tcga_coherent.measures.classification_scores import class_scores
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import estimate
from tcga_coherent.privacy.attacks.groups import MatchedGroups
from tcga_coherent.privacy.attacks.scores import attack_row
from tcga_coherent.source_sets import join_sources

CONDITIONS, REAL = "conditions", "real"
ACCURACY, GAIN = "balanced_accuracy", "balanced_accuracy_gain"
GROUPS, DIFFERENCE = ("members", "nonmembers"), "members less non-members"
ALONE, BESIDE = "released alone", "released with its conditions"


def infer_attributes(
    cohort: Cohort,
    clinical: pd.DataFrame,
    groups: MatchedGroups,
    generated: Mapping[tuple[str, str], pd.DataFrame],
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
    bootstrap, seed
        Intervals over patients.

    Returns
    -------
    DataFrame
        A row an attribute (``attack``), ``method`` (conditions; real for the measured modality;
        multi, coherent), ``target``, ``source``, ``setting``, ``group`` and ``statistic``: balanced
        accuracy, whose null is guessing, and its gain over the conditions alone, whose null is 0; of
        members less that of non-members, it is the part that membership adds.
        A row with a ``note`` where an attribute cannot be inferred.
    """
    known = cohort.complete(cohort.train).difference(groups.members, sort=False)
    rows: list[dict[str, Any]] = []
    for name, task in CLASS_TASKS.items():
        labels = task.labels(cohort, clinical)
        parts = {
            "known": known[known.isin(labels.index)],
            "members": groups.members[groups.members.isin(labels.index)],
            "nonmembers": groups.nonmembers[groups.nonmembers.isin(labels.index)],
        }
        try:
            for group in GROUPS:
                check_classes(task.label, labels[parts["known"]], labels[parts[group]])
        except CannotEvaluate as reason:
            rows.append({"attack": name, "note": str(reason)})
            continue
        for target in cohort.modalities:
            rows += _infer(name, target, cohort, labels, parts, generated, bootstrap, seed)
    return pd.DataFrame(rows)


def _infer(
    task: str,
    target: str,
    cohort: Cohort,
    labels: pd.Series,
    parts: Mapping[str, pd.Index],
    generated: Mapping[tuple[str, str], pd.DataFrame],
    bootstrap: BootstrapParameters,
    seed: int,
) -> Iterator[dict[str, Any]]:
    sources = [name for name in cohort.modalities if name != target]

    def row(
        method: str,
        setting: str,
        group: str,
        statistic: str,
        values: Array,
        null: float,
        sizes: Any,
    ) -> dict[str, Any]:
        # Of all patients, then of each bootstrap sample.
        found = estimate(values[0], values[1:], bootstrap.level)
        model = (method, target, join_sources(sources))
        return attack_row(task, model, setting, group, statistic, **vars(found), null=null, **sizes)

    conditions = pd.concat([cohort.latents[name] for name in sources], axis=1, join="inner")
    released = {REAL: cohort.latents[target]}
    released |= {method: frame for (name, method), frame in generated.items() if name == target}
    readers = {CONDITIONS: conditions}
    for method, frame in released.items():
        readers[method] = frame
        readers[f"{method} and {CONDITIONS}"] = pd.concat([conditions, frame], axis=1, join="inner")
    guesses = {name: _guess(features, labels, parts) for name, features in readers.items()}
    n_classes = labels[parts["known"]].nunique()
    gains: dict[str, dict[str, Array]] = {method: {} for method in released}
    for number, group in enumerate(GROUPS):
        truth = labels[parts[group]].to_numpy()
        counts = resample_patients(len(truth), bootstrap.repeats, seed + number)
        found = {name: _accuracies(truth, guess[group], counts) for name, guess in guesses.items()}
        sizes = {f"n_{group}": len(truth)}
        for method in (CONDITIONS, *released):
            yield row(method, ALONE, group, ACCURACY, found[method], 1 / n_classes, sizes)
        for method in released:
            both = found[f"{method} and {CONDITIONS}"]
            gains[method][group] = both - found[CONDITIONS]
            yield row(method, BESIDE, group, ACCURACY, both, 1 / n_classes, sizes)
            yield row(method, BESIDE, group, GAIN, gains[method][group], 0.0, sizes)
    sizes = {f"n_{group}": len(parts[group]) for group in GROUPS}
    for method, gain in gains.items():
        difference = gain["members"] - gain["nonmembers"]
        yield row(method, BESIDE, DIFFERENCE, GAIN, difference, 0.0, sizes)


def _guess(
    features: pd.DataFrame, labels: pd.Series, parts: Mapping[str, pd.Index]
) -> dict[str, np.ndarray]:
    """Return the guesses for members and non-members of a classifier trained on the known ones."""
    values = features.loc[parts["known"]]
    means = values.groupby(labels[parts["known"]]).mean()
    centred = values.to_numpy(float) - means.loc[labels[parts["known"]]].to_numpy()
    # In coordinates in which classes are round, the nearest mean is the likeliest class.
    axes = np.linalg.cholesky(LedoitWolf(assume_centered=True).fit(centred).precision_)
    return {
        group: means.index.to_numpy()[
            euclidean_distances(
                features.loc[parts[group]].to_numpy(float) @ axes, means.to_numpy() @ axes
            ).argmin(axis=1)
        ]
        for group in GROUPS
    }


def _accuracies(truth: np.ndarray, predicted: np.ndarray, counts: Counts) -> Array:
    """Return the balanced accuracy of all patients, then of each bootstrap sample."""
    everyone = np.ones((1, len(truth)), dtype=np.int64)
    return class_scores(truth, predicted, np.vstack([everyone, counts])).balanced_accuracy
