"""What the size of the latents is worth, from the encoders to generated features (S10)."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion import draws_frame
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.evaluation.ensemble_latent_sizes_figure import draw_latent_sizes
from tcga_coherent.evaluation.ensemble_scores import (
    score_draws,
    score_prediction,
    summarise_scores,
)
from tcga_coherent.evaluation.fidelity import Array
from tcga_coherent.evaluation.outcomes import CannotEvaluate
from tcga_coherent.evaluation.repeats import Stored, Workers, all_repeats, identity_of, run_repeats
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.diffusion_training.nodes import (
    learn_consensus,
    select_denoisers,
    train_multi_denoisers,
    train_single_denoisers,
)
from tcga_coherent.pipelines.embedding.nodes import fit_encoders
from tcga_coherent.pipelines.ensemble_studies.drawing import (
    as_drawn,
    draws_first,
    load_unseen_patients,
)
from tcga_coherent.pipelines.ensemble_studies.parameters import EnsembleStudiesParameters
from tcga_coherent.pipelines.partitions import Partitions

logger = logging.getLogger(__name__)

STUDY = "latent sizes"
KEYS = ["latent_size", "target", "method", "space"]
METHODS = ("multi", "coherent")
# Decoded draws of this many values at a time: all of them would not fit into memory.
CHUNK_VALUES = 20_000_000


@dataclass(frozen=True)
class _Settings:
    modalities: dict[str, Any]
    embedding: EmbeddingConfig
    training: TrainingConfig
    sampling: SamplingConfig


def train_latent_sizes(
    processed: Partitions,
    split: pd.DataFrame,
    finished: Stored,
    modalities: dict[str, Any],
    embedding: EmbeddingConfig,
    training: TrainingConfig,
    sampling: SamplingConfig,
    parameters: EnsembleStudiesParameters,
    device: str,
    workers: Workers,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Embed, train and draw the test split with each latent size; a repeat is a size."""
    names = list(parse_modalities(modalities))
    absent = [name for name in names if name not in processed]
    if absent:
        raise ValueError(
            f"No processed table of {', '.join(absent)}: there are those of {', '.join(processed)}. "
            f"Run the preprocessing pipeline, or set the modality to null under modalities."
        )
    settings = _Settings(
        {name: modalities[name] for name in names},
        embedding,
        replace(training, max_steps=parameters.max_steps or training.max_steps),
        as_drawn(sampling, parameters.n_draws),
    )
    prints = {name: fingerprint_frame(processed[name]()) for name in names}
    identity = identity_of("latent sizes", prints, split, settings)
    experiment = partial(run_size, processed, split, settings, device)
    sizes = sorted(set(parameters.latent_sizes))
    yield from run_repeats(experiment, sizes, identity, finished, workers, STUDY)


def tabulate_latent_sizes(
    repeats: Stored, modalities: dict[str, Any], parameters: EnsembleStudiesParameters
) -> tuple[pd.DataFrame, Figure]:
    """Return what each latent size is worth in latent and in feature space.

    Returns
    -------
    table
        A row a ``latent_size``, ``target``, ``method`` (multi, coherent, or encoder: measured
        values encoded and decoded, which generation cannot surpass by much) and ``space`` (latent,
        or decoded: standardised features, in which sizes can be compared): ``dimensions`` of the
        target's latents, R2 and CRPS with their interval over patients, ``note``.
    figure
        The same as a figure.
    """
    scores = all_repeats(repeats, STUDY).drop(columns="repeat").assign(repeat=0)
    done = scores[scores["patient_id"].notna()]
    table = scores[[*KEYS, "dimensions", "note"]].drop_duplicates(ignore_index=True)
    if len(done):
        worth = summarise_scores(done, KEYS, parameters.bootstrap, parameters.seed)
        # One training a size: there is no spread over repeats.
        worth = worth.drop(columns=["r2_of_mean_std", "crps_std"])
        table = table.merge(worth, on=KEYS, how="left", validate="one_to_one")
    return table, draw_latent_sizes(table, parse_modalities(modalities))


def run_size(
    processed: Partitions, split: pd.DataFrame, settings: _Settings, device: str, size: int
) -> pd.DataFrame:
    """Embed, train, draw and score with latents of one size.

    Parameters
    ----------
    processed, split, device
        As the datasets and the parameter of these names.
    settings
        Parameters; their latent sizes are replaced.
    size
        Latent dimensions, fewer where a modality has not as many features or training patients.

    Returns
    -------
    pandas.DataFrame
        A row a target, method, space and test patient, with the keys and results of
        :func:`tcga_coherent.evaluation.ensemble_scores.score_draws`; a row without a patient and
        with a ``note`` for each target where latents of this size cannot be made.
    """
    try:
        modalities, notes = _with_size(processed, split, settings.modalities, size)
        encoders, latents = _embed(processed, split, modalities, settings, device)
    except CannotEvaluate as reason:
        logger.warning("Latent size %d is left out: %s", size, reason)
        return pd.DataFrame(
            [
                _keys(size, target, "coherent", space) | {"dimensions": 0, "note": str(reason)}
                for target in settings.modalities
                for space in ("latent", "decoded")
            ]
        ).assign(patient_id=None)
    models = _train(latents, encoders, split, modalities, settings.training, device)
    unseen = load_unseen_patients(_lazily(latents), split, *models, modalities, device)
    rows = []
    for target in unseen.latents:
        encoder = Encoder.from_state(encoders[target].arrays, encoders[target].metadata)
        features = processed[target]().loc[unseen.patients, encoder.features].to_numpy(np.float32)
        shared: dict[str, Any] = {
            "patient_id": unseen.patients,
            "dimensions": encoder.latent_size,
            "note": notes.get(target, ""),
        }
        decoded = encoder.decode(unseen.latents[target]).to_numpy()
        key = _keys(size, target, "encoder", "decoded")
        rows.append(pd.DataFrame(key | shared | score_prediction(features, decoded)))
        for method in METHODS:
            draws = draws_first(unseen.draw(target, method, settings.sampling))
            antithetic = settings.sampling.antithetic
            found = {
                "latent": score_draws(unseen.truth(target), draws, antithetic),
                "decoded": _score_decoded(features, draws, encoder, antithetic),
            }
            rows += [
                pd.DataFrame(_keys(size, target, method, space) | shared | scores)
                for space, scores in found.items()
            ]
    return pd.concat(rows, ignore_index=True)


def _with_size(
    processed: Partitions, split: pd.DataFrame, modalities: Mapping[str, Any], size: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the modalities with latents of one size, and a note for each that bears fewer."""
    train = split.index[split["split"] == "train"]
    changed, notes = {}, {}
    for name, modality in modalities.items():
        table = processed[name]()
        most = min(table.shape[1], int(table.index.isin(train).sum()) - 1)
        if size > most:
            notes[name] = f"{most} dimensions, as many as there are features or training patients"
        changed[name] = {**modality, "latent_size": min(size, most)}
    return changed, notes


def _embed(
    processed: Partitions,
    split: pd.DataFrame,
    modalities: dict[str, Any],
    settings: _Settings,
    device: str,
) -> tuple[dict[str, Checkpoint], dict[str, pd.DataFrame]]:
    try:
        encoders, latents, _, _ = fit_encoders(
            processed, split, modalities, settings.embedding, device
        )
    except ValueError as error:
        raise CannotEvaluate(str(error)) from error
    return encoders, latents


def _train(
    latents: dict[str, pd.DataFrame],
    encoders: dict[str, Checkpoint],
    split: pd.DataFrame,
    modalities: dict[str, Any],
    config: TrainingConfig,
    device: str,
) -> tuple[Partitions, Partitions, Partitions]:
    """Return single and multi denoisers and the consensus, as datasets of these names load."""
    families = []
    for train in (train_single_denoisers, train_multi_denoisers):
        states = train(
            _lazily(latents), _lazily(encoders), split, Checkpoint({}), modalities, config, device
        )
        *_, last = states
        families.append(_lazily(select_denoisers(last)[0]))
    single, multi = families
    consensus, _ = learn_consensus(
        _lazily(latents), split, single, multi, modalities, config, device
    )
    return single, multi, _lazily(consensus)


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
        rows = draws_frame(
            pd.RangeIndex(len(by_patient)), by_patient, pd.Index(encoder.latent_columns)
        )
        decoded = encoder.decode(rows).to_numpy().reshape(len(by_patient), n_draws, -1)
        parts.append(score_draws(features[some], decoded.transpose(1, 0, 2), antithetic))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _keys(size: int, target: str, method: str, space: str) -> dict[str, Any]:
    return {"latent_size": size, "target": target, "method": method, "space": space}


def _lazily(contents: Mapping[str, Any]) -> Partitions:
    """Return what a partitioned dataset loads."""
    return {name: partial(_itself, content) for name, content in contents.items()}


def _itself(content: Any) -> Any:
    return content
