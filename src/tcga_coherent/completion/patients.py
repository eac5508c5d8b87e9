"""Latents of some modalities to latents, values and flags of all: the same for new patients and the cohort."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from tcga_coherent.diffusion.completion.agreement import Agreement
from tcga_coherent.diffusion.completion.generation import complete_latents
from tcga_coherent.diffusion.completion.tables import (
    FLAG_COLUMNS,
    decode_draws,
    flag_patients,
    join_latents,
)
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.omics.features.preprocessor import Preprocessor

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class CompletedLatents:
    """Latents of every modality of every patient.

    Attributes
    ----------
    draws
        Modality to frame, index (``patient_id``, ``draw``); observed latents are repeated.
    mean, sd
        Modality to frame, patients x latent size; observed ones have no spread.
    flags
        One row a patient and modality: observed or generated, from which sources, how coherent, accepted or
        not, and why.
    """

    draws: Frames
    mean: Frames
    sd: Frames
    flags: pd.DataFrame


def complete_patients(
    measured: Mapping[str, pd.Index],
    latents: Mapping[str, pd.DataFrame],
    codes: Mapping[str, pd.DataFrame],
    encoders: Mapping[str, Encoder],
    models: TrainedModels,
    agreement: Agreement,
    sampling: SamplingConfig,
    completion: CompletionConfig,
) -> CompletedLatents:
    """Give every patient latents of every modality.

    Parameters
    ----------
    measured
        Modality to the patients it was measured of.
    latents, codes
        Modality to the latents, patients x latent size, and codes, patients x code size, of those of them who are
        no outliers.
    encoders
        Of every modality.
    models
        Trained denoisers; ``completion.method`` says which are used.
    agreement
        How well the modalities of a patient usually fit each other.
    sampling, completion
        Parameters.

    Raises
    ------
    ValueError
        When a denoiser or its recalibration is missing.
    """
    generated = complete_latents(
        latents,
        codes,
        {name: encoder.code_of_latents for name, encoder in encoders.items()},
        models,
        agreement,
        sampling,
        completion,
    )
    patients = pd.Index(
        sorted(set().union(*(frame.index for frame in latents.values()))), name="patient_id"
    )
    draws, means, sds, flags = {}, {}, {}, []
    for name, observed in latents.items():
        draws[name], means[name], sds[name] = join_latents(
            observed, generated[name].draws, patients, sampling.n_draws
        )
        flags.append(flag_patients(name, observed.index, measured[name], generated[name], patients))
    return CompletedLatents(
        draws, means, sds, pd.concat(flags, ignore_index=True).reindex(columns=FLAG_COLUMNS)
    )


def decode_patients(
    table: pd.DataFrame,
    latents: pd.DataFrame,
    draws: pd.DataFrame,
    preprocessor: Preprocessor,
    encoder: Encoder,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every patient the values of a modality in input units, of the features that its preprocessor keeps.

    Parameters
    ----------
    table, latents
        Patients x features in input units, and the latents of those who were observed.
    draws
        Latents of all patients, index (``patient_id``, ``draw``).
    preprocessor, encoder
        Of the modality.

    Returns
    -------
    mean, sd
        Observed values pass through unchanged, cells that were not measured stay missing.
    """
    generated = ~draws.index.get_level_values("patient_id").isin(latents.index)
    return decode_draws(
        table.reindex(index=latents.index, columns=preprocessor.features),
        draws[generated],
        _decoder(encoder, preprocessor),
        draws.index.unique("patient_id"),
    )


def _decoder(
    encoder: Encoder, preprocessor: Preprocessor
) -> Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]:
    def decode(latents: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        features = encoder.decode(latents)
        return (
            preprocessor.inverse_transform(features + encoder.residual_sd),
            preprocessor.inverse_transform(features - encoder.residual_sd),
        )

    return decode
