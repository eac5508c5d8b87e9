"""What one task asks of completed patients: a forest of the cohort, and how far its answers can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tcga_coherent.cohort import Cohort
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.downstream.forests import ForestParameters, forest_seeds
from tcga_coherent.downstream.priority_scores import predict_versions, priority_scores
from tcga_coherent.downstream.profiles import GENERATORS, TestProfiles, training_profiles
from tcga_coherent.downstream.stored_forest import StoredForest
from tcga_coherent.downstream.task import Outcomes
from tcga_coherent.downstream.tasks import TASKS
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.percentiles import percentile_among
from tcga_coherent.source_sets import join_sources

REFERENCE = "reference/"

Numbers = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Predictor:
    """A downstream model, and what was found of it on held-out patients of its cohort.

    Attributes
    ----------
    task
        Name of its :class:`tcga_coherent.downstream.task.DownstreamTask`.
    has_classes
        Whether it predicts probabilities of classes; otherwise one risk.
    forest
        Trained on the latents of training patients who have every modality.
    references
        ``<method>/<modalities removed>/<modality>/<score>`` to that score of priority of the held-out patients, ascending:
        which of the scores of two modalities are one patient's is not kept.
    losses
        ``<method>/<modalities removed>`` to the row of
        :func:`tcga_coherent.studies.rescue.table.held_out_losses`.
    verdicts
        ``<method>/<modality>/<score>`` to that of :func:`tcga_coherent.studies.prioritisation.table.acquisition_verdicts`.
    encoders
        Modality to the fingerprint of its encoder.
    """

    task: str
    has_classes: bool
    forest: StoredForest
    references: Mapping[str, Array]
    losses: Mapping[str, Numbers]
    verdicts: Mapping[str, Numbers]
    encoders: Mapping[str, str]

    def percentile(self, key: str, scores: Array) -> Array:
        """Return the percent of held-out patients, and the patient, whose score is below, shape (patients,).

        NaN where no held-out patient was asked about; `key` is that of :attr:`references`.
        """
        return percentile_among(self.references.get(key, np.empty(0)), scores)

    def checkpoint(self) -> Checkpoint:
        """Return it as a checkpoint, which :meth:`from_checkpoint` reads."""
        arrays, described = self.forest.state()
        named = {f"{REFERENCE}{key}": values for key, values in self.references.items()}
        names = ("task", "has_classes", "losses", "verdicts", "encoders")
        facts = {name: getattr(self, name) for name in names}
        return Checkpoint({**arrays, **named}, {**facts, "forest": described})

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "Predictor":
        """Return what :meth:`checkpoint` stored.

        Raises
        ------
        ValueError
            When its trees are damaged.
        """
        facts = dict(checkpoint.metadata)
        forest = StoredForest.from_state(checkpoint.arrays, facts.pop("forest"))
        references = {
            name.removeprefix(REFERENCE): values
            for name, values in checkpoint.arrays.items()
            if name.startswith(REFERENCE)
        }
        return cls(forest=forest, references=references, **facts)

    def check_encoders(self, fingerprints: Mapping[str, str]) -> None:
        """Refuse encoders whose latents the forest was not trained on.

        Raises
        ------
        ValueError
            Naming their modalities.
        """
        others = [name for name in fingerprints if self.encoders.get(name) != fingerprints[name]]
        if others or len(self.encoders) != len(fingerprints):
            names = others or [name for name in self.encoders if name not in fingerprints]
            raise ValueError(
                f"The downstream model of {self.task} was trained on latents of other encoders of "
                f"{', '.join(names)} than those at hand. Run the evaluation pipeline again."
            )


def train_predictor(
    task: str,
    outcomes: Outcomes,
    cohort: Cohort,
    profiles: TestProfiles,
    forests: ForestParameters,
    seed: int,
    losses: Mapping[str, Numbers],
    verdicts: Mapping[str, Numbers],
    encoders: Mapping[str, str],
) -> Predictor:
    """Train the forest of the first repeat of the rescue study, and score the priorities of held-out patients.

    Parameters
    ----------
    task, outcomes
        Name of the task, and what is known of the patients; training patients have every modality.
    cohort, profiles
        Latents, and test patients whole and completed.
    forests, seed
        Settings of the forests; seed of the evaluation.
    losses, verdicts, encoders
        As of :class:`Predictor`.
    """
    features = training_profiles(cohort, outcomes.train.index)
    model = outcomes.fit(features, forests, forest_seeds(seed, 0, task)[1])
    forest, has_classes = model.stored(forests), TASKS[task].has_classes
    references = {}
    for removed in profiles.patterns:
        for method in GENERATORS:
            profile = {
                name: profiles.generated(name, removed, method) if name in removed else measured
                for name, measured in profiles.real.items()
            }
            for name in removed:
                versions = profiles.independent_draws(name, removed, method)
                scores = score_versions(forest, profile, name, versions, has_classes)
                for score, values in scores.items():
                    key = reference_key(method, removed, name, score)
                    references[key] = np.sort(values).astype(np.float32)
    return Predictor(task, has_classes, forest, references, losses, verdicts, encoders)


def score_versions(
    forest: StoredForest,
    profile: Mapping[str, Array],
    name: str,
    versions: Array,
    has_classes: bool,
) -> dict[str, Array]:
    """Score how far measuring a modality would change a prediction, against the mean over its versions.

    Parameters
    ----------
    forest
        Predicts patients x outputs.
    profile
        Modality to patients x dimensions: measured, or the mean of the draws.
    name, versions
        The modality in question, and independent draws of it, versions x patients x dimensions.
    has_classes
        As of :class:`Predictor`.

    Returns
    -------
    dict
        :data:`tcga_coherent.downstream.priority_scores.SCORES`, shape (patients,) each.
    """
    predicted = predict_versions(forest.predict, profile, name, versions)
    return priority_scores(predicted, predicted.mean(axis=0), has_classes)


def reference_key(method: str, removed: tuple[str, ...], name: str, score: str) -> str:
    """Name the scores of held-out patients of whom some modalities are taken to be missing."""
    return f"{method}/{join_sources(removed)}/{name}/{score}"
