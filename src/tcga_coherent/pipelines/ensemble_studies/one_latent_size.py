"""Latents of one size: encoders, denoisers and draws, scored as latents and as features."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion.generation import draws_frame
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks
from tcga_coherent.downstream.forests import ForestParameters, fit_classifier
from tcga_coherent.downstream.outcomes import CannotEvaluate, check_classes
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.measures.classification_scores import most_probable
from tcga_coherent.measures.ensemble_scores import score_draws, score_prediction, unscored
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.diffusion_training.nodes import (
    fit_linear_experts,
    learn_consensus,
    select_denoisers,
    train,
)
from tcga_coherent.pipelines.embedding.nodes import encode_modality
from tcga_coherent.pipelines.ensemble_studies.drawing import draws_first, take_unseen
from tcga_coherent.pipelines.lanes import lazily
from tcga_coherent.pipelines.partitions import (
    Partitions,
    join_conditions,
    load_models_of_conditions,
)
from tcga_coherent.source_sets import source_sets

logger = logging.getLogger(__name__)

KEYS = ["latent_size", "target", "method", "space"]
METHODS = ("multi", "coherent")
# Values of decoded draws at a time: all of them would not fit into memory.
CHUNK_VALUES = 20_000_000


@dataclass(frozen=True)
class SizeSettings:
    """Parameters of the trainings, those of all sizes."""

    modalities: dict[str, Any]
    embedding: EmbeddingConfig
    training: TrainingConfig
    sampling: SamplingConfig
    forests: ForestParameters


def run_size(
    processed: Partitions,
    split: pd.DataFrame,
    clinical: pd.DataFrame,
    settings: SizeSettings,
    device: str,
    size: int,
) -> pd.DataFrame:
    """Embed, train, draw and score with latents of one size.

    Parameters
    ----------
    processed, split, clinical, device
        As the datasets and the parameter of these names.
    settings
        Parameters; their latent sizes are replaced.
    size
        Latent dimensions, fewer where a modality has not as many features or training patients.

    Returns
    -------
    pandas.DataFrame
        A row a target, method, space and test patient: ``latent_size``, ``target``, ``method``
        (real, multi, coherent), ``space`` (latent, decoded), ``patient_id``, ``dimensions``,
        ``note``, the results of :func:`tcga_coherent.measures.ensemble_scores.score_draws`,
        ``cancer_type`` and, of latents, ``predicted_type``. Where latents of this size cannot be
        made, rows without a patient, with the reason as note.
    """
    try:
        modalities, notes = _with_size(processed, split, settings.modalities, size)
        encoders, latents, codes = _embed(processed, split, clinical, modalities, settings, device)
    except CannotEvaluate as reason:
        logger.warning("Latent size %d is left out: %s", size, reason)
        missing = pd.DataFrame(
            [
                {"latent_size": size, "target": target, "method": method, "space": space}
                for target in settings.modalities
                for method in METHODS
                for space in ("latent", "decoded")
            ]
        )
        return missing.assign(patient_id=None, dimensions=0, note=str(reason))
    conditions = join_conditions(latents, lazily(codes))
    models = _train(latents, conditions, encoders, split, settings, device)
    unseen = take_unseen(latents, conditions, split, models)
    rows = []
    for target in unseen.latents:
        encoder = Encoder.from_state(encoders[target].arrays, encoders[target].metadata)
        features = processed[target]().loc[unseen.patients, encoder.features].to_numpy(np.float32)
        truth = unseen.truth(target)
        draws = {
            method: draws_first(unseen.draw(target, method, settings.sampling))
            for method in METHODS
        }
        try:
            types = _predict_types(
                latents[target], split, {"real": truth[None], **draws}, unseen.patients, settings
            )
        except CannotEvaluate as reason:
            types = {method: np.full(len(truth), "") for method in ("real", *METHODS)}
            notes[target] = "; ".join(filter(None, [notes.get(target), f"types: {reason}"]))
        decoded = encoder.decode(unseen.latents[target]).to_numpy()
        found: dict[tuple[str, str], dict[str, Array]] = {
            ("real", "latent"): unscored(len(truth)),
            ("real", "decoded"): score_prediction(features, decoded),
        }
        antithetic = settings.sampling.antithetic
        for method in METHODS:
            found[method, "latent"] = score_draws(truth, draws[method], antithetic)
            found[method, "decoded"] = _score_decoded(features, draws[method], encoder, antithetic)
        for (method, space), scores in found.items():
            columns: dict[str, Any] = {
                "latent_size": size,
                "target": target,
                "method": method,
                "space": space,
                "patient_id": unseen.patients,
                "dimensions": encoder.latent_size,
                "note": notes.get(target, ""),
                **scores,
                "cancer_type": split.loc[unseen.patients, "cancer_type"].to_numpy(str),
                "predicted_type": types[method] if space == "latent" else "",
            }
            rows.append(pd.DataFrame(columns))
    return pd.concat(rows, ignore_index=True)


def _with_size(
    processed: Partitions, split: pd.DataFrame, modalities: Mapping[str, Any], size: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the modalities with latents of one size, and a note for each that bears fewer."""
    train = split.index[split["split"] == "train"]
    changed, notes = {}, {}
    for name, modality in parse_modalities(modalities).items():
        table = processed[name]()
        # Of n centred rows, n - 1 are independent.
        most = min(table.shape[1], int(table.index.isin(train).sum()) - 1)
        if size > most:
            notes[name] = f"{most} dimensions: there are no more features or training patients"
        changed[name] = replace(modality, latent_size=min(size, most))
    return changed, notes


def _embed(
    processed: Partitions,
    split: pd.DataFrame,
    clinical: pd.DataFrame,
    modalities: dict[str, Any],
    settings: SizeSettings,
    device: str,
) -> tuple[dict[str, Checkpoint], dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    encoders, latents, codes = {}, {}, {}
    for name, config in parse_modalities(modalities).items():
        try:
            encoders[name], latents[name], codes[name], *_ = encode_modality(
                processed[name](), split, clinical, config, settings.embedding, device, name
            )
        except ValueError as error:
            raise CannotEvaluate(str(error)) from error
    return encoders, latents, codes


def _train(
    latents: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    encoders: dict[str, Checkpoint],
    split: pd.DataFrame,
    settings: SizeSettings,
    device: str,
) -> TrainedModels:
    """Train the denoisers of all targets and learn their consensus weights."""
    single: dict[str, Checkpoint] = {}
    multi: dict[str, Checkpoint] = {}
    for target in latents:
        for make_tasks, family in ((single_tasks, single), (multi_tasks, multi)):
            nothing = Checkpoint({})
            *_, last = train(
                make_tasks, latents, conditions, lazily(encoders), split,
                nothing, settings.training, device, target,
            )  # fmt: skip
            family |= select_denoisers(last)[0]
    sets = {target: source_sets(target, list(latents)) for target in latents}
    linear = {
        target: fit_linear_experts(latents, conditions, lazily(encoders), split, sets, target)
        for target in latents
    }
    families = (lazily(single), lazily(multi))
    models = load_models_of_conditions(conditions, *families, {}, lazily(linear), device)
    consensus = {
        target: learn_consensus(
            latents, conditions, split, models, sets, settings.training, settings.sampling, target
        )[0]
        for target in latents
    }
    return load_models_of_conditions(
        conditions, *families, lazily(consensus), lazily(linear), device
    )


def _score_decoded(
    features: Array, draws: Array, encoder: Encoder, antithetic: bool
) -> dict[str, Array]:
    """Score decoded draws, some patients at a time."""
    n_draws, n_patients, _ = draws.shape
    step = max(1, CHUNK_VALUES // (n_draws * features.shape[1]))
    parts = []
    for start in range(0, n_patients, step):
        some = slice(start, start + step)
        by_patient = draws[:, some].transpose(1, 0, 2)
        patients = pd.RangeIndex(len(by_patient))
        latents = draws_frame(patients, by_patient, pd.Index(encoder.latent_columns))
        decoded = encoder.decode(latents).to_numpy().reshape(len(by_patient), n_draws, -1)
        parts.append(score_draws(features[some], decoded.transpose(1, 0, 2), antithetic))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _predict_types(
    latents: pd.DataFrame,
    split: pd.DataFrame,
    draws: Mapping[str, Array],
    patients: pd.Index,
    settings: SizeSettings,
) -> dict[str, np.ndarray]:
    """Return cancer types that a forest, trained on measured latents, predicts from draws.

    Probabilities are averaged over a patient's draws.
    """
    train = latents.index[split["split"].reindex(latents.index) == "train"]
    labels = split.loc[train, "cancer_type"].astype(str)
    check_classes("cancer type", labels, split.loc[patients, "cancer_type"].astype(str))
    forest = fit_classifier(
        latents.loc[train].to_numpy(), labels, settings.forests, settings.training.seed
    )
    return {
        method: most_probable(
            np.mean([forest.predict_proba(draw) for draw in values], axis=0), forest.classes_
        )
        for method, values in draws.items()
    }
