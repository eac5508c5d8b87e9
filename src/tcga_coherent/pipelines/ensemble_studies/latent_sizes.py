"""What the size of the latents is worth, from the encoders to generated features (S10)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.measures.bootstrap import BootstrapParameters, Counts
from tcga_coherent.measures.classification_scores import class_scores
from tcga_coherent.measures.ensemble_scores import summarise_scores
from tcga_coherent.measures.score import patient_estimate
from tcga_coherent.pipelines.ensemble_studies.drawing import as_drawn
from tcga_coherent.pipelines.ensemble_studies.one_latent_size import (
    KEYS,
    SizeSettings,
    run_size,
)
from tcga_coherent.pipelines.ensemble_studies.parameters import EnsembleStudiesParameters
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.partitions import Partitions
from tcga_coherent.repeats import Stored, all_repeats, identity_of, run_repeats

STUDY = "latent sizes"


def train_latent_sizes(
    processed: Partitions,
    split: pd.DataFrame,
    clinical: pd.DataFrame,
    finished: Stored,
    modalities: dict[str, Any],
    embedding: EmbeddingConfig,
    training: TrainingConfig,
    sampling: SamplingConfig,
    evaluation: EvaluationParameters,
    parameters: EnsembleStudiesParameters,
    device: str,
    workers: int,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Embed, train and draw the test split with each latent size; a repeat is a size."""
    settings = SizeSettings(
        {name: modalities[name] for name in processed},
        embedding,
        replace(training, max_steps=parameters.max_steps or training.max_steps),
        as_drawn(sampling, parameters.n_draws),
        evaluation.forests,
    )
    prints = {name: fingerprint_frame(load()) for name, load in processed.items()}
    identity = identity_of("latent sizes", prints, split, clinical, settings)
    experiment = partial(run_size, processed, split, clinical, settings, device)
    sizes = sorted(set(parameters.latent_sizes))
    yield from run_repeats(experiment, sizes, identity, finished, workers, STUDY)


def tabulate_latent_sizes(repeats: Stored, parameters: EnsembleStudiesParameters) -> pd.DataFrame:
    """Return what each latent size is worth in latent and in feature space.

    Returns
    -------
    DataFrame
        A row a ``latent_size``, ``target``, ``method`` (multi, coherent, or real: measured values,
        in feature space encoded and decoded, which generation can hardly surpass) and ``space``
        (latent, or decoded: standardised features, in which sizes can be compared): ``dimensions``
        of the target's latents, R2 and CRPS with their interval over patients, ``type_f1`` of
        cancer types predicted from latents with its interval, ``note``.
    """
    scores = all_repeats(repeats, STUDY).drop(columns="repeat").assign(repeat=0)
    done = scores[scores["patient_id"].notna()]
    table = scores[[*KEYS, "dimensions", "note"]].drop_duplicates(ignore_index=True)
    if len(done):
        worth = summarise_scores(done, KEYS, parameters.bootstrap, parameters.seed)
        # One training a size: there is no spread over repeats.
        worth = worth.drop(columns=["r2_of_mean_std", "crps_std"])
        types = _score_types(done, parameters.bootstrap, parameters.seed)
        for found in (worth, types):
            table = table.merge(found, on=KEYS, how="left", validate="one_to_one")
    return table


def _score_types(scores: pd.DataFrame, bootstrap: BootstrapParameters, seed: int) -> pd.DataFrame:
    """Return macro F1 of the predicted cancer types; no row where there are no predictions."""
    rows = []
    predicted = scores[scores["predicted_type"] != ""]
    for key, group in predicted.groupby(KEYS, sort=False):
        found = patient_estimate(partial(_macro_f1, group), len(group), bootstrap, seed)
        rows.append((*key, found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=[*KEYS, "type_f1_mean", "type_f1_low", "type_f1_high"])


def _macro_f1(group: pd.DataFrame, counts: Counts) -> np.ndarray:
    types, predicted = (group[name].to_numpy(str) for name in ("cancer_type", "predicted_type"))
    return class_scores(types, predicted, counts).macro_f1
