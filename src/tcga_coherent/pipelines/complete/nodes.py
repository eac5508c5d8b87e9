"""Nodes that complete patients, new ones or those of the cohort."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion import Generated, complete_latents
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.new_patients import tabulate_new_patients as tabulate
from tcga_coherent.omics.preprocessor import Preprocessor
from tcga_coherent.pipelines.partitions import Partitions, load_agreement, load_models

logger = logging.getLogger(__name__)

# Patients whose draws are decoded at once; bounds memory.
PATIENTS_PER_CHUNK = 64

# Coherence is missing where nothing was generated.
FLAG_COLUMNS = [
    "patient_id",
    "modality",
    "status",
    "sources",
    "coherence",
    "disagreement",
    "n_draws",
    "n_redrawn",
    "n_rejected",
    "accepted",
    "reason",
]


def tabulate_new_patients(
    raw_modalities: Partitions,
    former_completion: pd.DataFrame,
    preprocessors: Partitions,
    modalities: dict[str, Any],
) -> dict[str, pd.DataFrame]:
    """Bring a user's matrices to patients x features in input units.

    A modality that no new patient has may be absent.

    Parameters
    ----------
    raw_modalities
        Modality to a function that loads its matrix.
    former_completion
        Flags of the completion in whose place this one comes.
    preprocessors, modalities
        Fitted preprocessors, and the ``modalities`` parameters.

    Raises
    ------
    ValueError
        When a file names no modality of the parameters, its features are not those of the
        trained models, or the place of the completion holds other patients.
    """
    names = list(parse_modalities(modalities))
    unknown = sorted(set(raw_modalities) - set(names))
    if unknown:
        raise ValueError(
            f"completion.input_dir holds {', '.join(f'{name}.parquet' for name in unknown)}, but the "
            f"modalities are {', '.join(names)}. Rename the file, or move it elsewhere."
        )
    tables = {}
    for name in names:
        if name in raw_modalities:
            features = _preprocessor(preprocessors[name]()).input_features
            tables[name] = tabulate(raw_modalities[name](), features, name)
            logger.info("%s: %d new patients", name, len(tables[name]))
    _check_same_batch(former_completion, tables)
    return tables


def embed_new_patients(
    tables: Mapping[str, pd.DataFrame],
    preprocessors: Partitions,
    encoders: Partitions,
    processed: Partitions,
    split: pd.DataFrame,
    modalities: dict[str, Any],
) -> dict[str, pd.DataFrame]:
    """Preprocess and encode new patients with what was fitted on the training patients."""
    train = split.index[split["split"] == "train"]
    latents = {}
    for name in parse_modalities(modalities):
        if name in tables:
            preprocessor = _preprocessor(preprocessors[name]())
            donors = None
            if preprocessor.imputer == "knn":
                cohort = processed[name]()
                donors = cohort[cohort.index.isin(train)]
            latents[name] = _encoder(encoders[name]()).encode(
                preprocessor.transform(tables[name], donors)
            )
    return latents


def complete_patients(
    tables: Mapping[str, Any],
    latents: Mapping[str, Any],
    preprocessors: Partitions,
    encoders: Partitions,
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    recalibration: Checkpoint,
    agreement: Checkpoint,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    completion: CompletionConfig,
    device: str,
) -> tuple[
    dict[str, pd.DataFrame],
    dict[str, pd.DataFrame],
    dict[str, pd.DataFrame],
    dict[str, pd.DataFrame],
    dict[str, pd.DataFrame],
    pd.DataFrame,
]:
    """Give every patient every modality.

    Parameters
    ----------
    tables, latents
        Modality to patients x features in input units, and to their latents, as frames or as
        functions that load them. A modality may be absent.
    preprocessors, encoders
        Modality to checkpoint.
    single_denoisers, multi_denoisers
        Denoiser name to checkpoint; ``completion.method`` says which are used.
    consensus
        Target to what the consensus weights are learned from.
    recalibration
        Factors of the spread of the draws.
    agreement
        How well the modalities of a patient usually fit each other.
    modalities, sampling, completion, device
        Parameters.

    Returns
    -------
    latent_draws, latent_mean, latent_sd
        Modality to latents of all patients, of which observed ones have no spread. Draws have the
        index (``patient_id``, ``draw``).
    decoded_mean, decoded_sd
        Modality to values in input units, of the features that the preprocessor keeps. Observed
        values pass through unchanged, cells that were not measured stay missing.
    flags
        One row a patient and modality: observed or generated, from which sources, how coherent,
        accepted or not, and why.
    """
    names = list(parse_modalities(modalities))
    encoder_checkpoints = {name: encoders[name]() for name in names}
    loaded_encoders = {name: _encoder(part) for name, part in encoder_checkpoints.items()}
    prints = {name: fingerprint_arrays(part.arrays) for name, part in encoder_checkpoints.items()}
    models = load_models(
        single_denoisers, multi_denoisers, consensus, recalibration, "encoders", prints, device
    )
    models.check(sampling)
    observed = {
        name: _loaded(latents[name])
        if name in latents
        else pd.DataFrame(columns=loaded_encoders[name].latent_columns, dtype=np.float32)
        for name in names
    }
    generated = complete_latents(observed, models, load_agreement(agreement), sampling, completion)
    patients = pd.Index(
        sorted(set().union(*(frame.index for frame in observed.values()))), name="patient_id"
    )
    draws, means, sds, decoded_means, decoded_sds, flags = {}, {}, {}, {}, {}, []
    for name in names:
        draws[name], means[name], sds[name] = _latent_parts(
            observed[name], generated[name].draws, patients, sampling.n_draws
        )
        preprocessor = _preprocessor(preprocessors[name]())
        table = _loaded(tables[name]) if name in tables else pd.DataFrame()
        decoded_means[name], decoded_sds[name] = _decoded_parts(
            table.reindex(index=observed[name].index, columns=preprocessor.features),
            generated[name].draws,
            loaded_encoders[name],
            preprocessor,
            patients,
        )
        flags.append(_flags(name, observed[name].index, table.index, generated[name], patients))
        logger.info(
            "%s: %d patients observed, %d generated",
            name,
            len(observed[name]),
            len(patients) - len(observed[name]),
        )
    every_flag = pd.concat(flags, ignore_index=True).reindex(columns=FLAG_COLUMNS)
    return draws, means, sds, decoded_means, decoded_sds, every_flag


def gather_completion(
    latent_draws: dict[str, pd.DataFrame],
    latent_mean: dict[str, pd.DataFrame],
    latent_sd: dict[str, pd.DataFrame],
    decoded_mean: dict[str, pd.DataFrame],
    decoded_sd: dict[str, pd.DataFrame],
    flags: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Join the parts of a completion, ``<part>/<modality>`` and ``flags``, to be written as one."""
    parts = {
        "latent_draws": latent_draws,
        "latent_mean": latent_mean,
        "latent_sd": latent_sd,
        "decoded_mean": decoded_mean,
        "decoded_sd": decoded_sd,
    }
    tables = {f"{part}/{name}": frame for part, by in parts.items() for name, frame in by.items()}
    return {**tables, "flags": flags}


def _check_same_batch(former: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """Stop before the work where the folder of the completion holds other patients."""
    patients = set().union(*(table.index for table in tables.values()))
    others = set(former["patient_id"]) - patients
    if others:
        raise ValueError(
            f"completion.output_dir holds other patients completed before, such as {min(others)}: name "
            f"another folder, or delete that one."
        )


def _latent_parts(
    observed: pd.DataFrame, draws: pd.DataFrame, patients: pd.Index, n_draws: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    repeated = observed.loc[observed.index.repeat(n_draws)]
    repeated.index = pd.MultiIndex.from_product(
        [observed.index, range(n_draws)], names=["patient_id", "draw"]
    )
    everyone = pd.concat([repeated, draws]).sort_index()
    by_patient = draws.groupby(level="patient_id")
    mean = pd.concat([observed, by_patient.mean()]).loc[patients]
    sd = pd.concat([observed.abs() * 0.0, by_patient.std()]).loc[patients]
    return everyone, mean, sd


def _decoded_parts(
    observed: pd.DataFrame,
    draws: pd.DataFrame,
    encoder: Encoder,
    preprocessor: Preprocessor,
    patients: pd.Index,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decode draw by draw: the mean of the decoded draws is not the decoded mean."""
    values = np.full((2, len(patients), len(preprocessor.features)), np.nan, dtype=np.float32)
    rows = patients.get_indexer(observed.index)
    values[0, rows] = observed.to_numpy(np.float32)
    values[1, rows] = np.where(np.isnan(values[0, rows]), np.nan, 0.0)
    lacking = draws.index.unique("patient_id")
    n_draws = len(draws) // max(1, len(lacking))
    for start in range(0, len(lacking), PATIENTS_PER_CHUNK):
        chunk = draws.iloc[start * n_draws : (start + PATIENTS_PER_CHUNK) * n_draws]
        features = preprocessor.inverse_transform(encoder.decode(chunk)).to_numpy(np.float32)
        decoded = features.reshape(-1, n_draws, features.shape[1])
        rows = patients.get_indexer(lacking[start : start + PATIENTS_PER_CHUNK])
        values[0, rows] = decoded.mean(axis=1)
        values[1, rows] = decoded.std(axis=1, ddof=1)
    mean, sd = (
        pd.DataFrame(part, index=patients, columns=preprocessor.features) for part in values
    )
    return mean, sd


def _flags(
    modality: str,
    observed: pd.Index,
    measured: pd.Index,
    generated: Generated,
    patients: pd.Index,
) -> pd.DataFrame:
    """Describe a modality of every patient; draws that failed and outliers carry their reason."""
    pass_through = pd.DataFrame(
        {
            "patient_id": observed,
            "modality": modality,
            "status": "observed",
            "sources": "",
            "n_draws": 0,
            "n_redrawn": 0,
            "n_rejected": 0,
            "accepted": True,
            "reason": "",
        }
    )
    made = generated.flags
    if len(made):
        outlier = made["patient_id"].isin(measured)
        removed = "measured, but removed as an outlier; " + made["reason"]
        made = made.assign(reason=made["reason"].mask(outlier, removed.str.removesuffix("; ")))
    unusable = measured.difference(patients)
    impossible = pd.DataFrame(
        {
            "patient_id": unusable,
            "modality": modality,
            "status": "impossible",
            "sources": "",
            "n_draws": 0,
            "n_redrawn": 0,
            "n_rejected": 0,
            "accepted": False,
            "reason": "every measured modality was removed as an outlier: no source is left",
        }
    )
    parts = [part for part in (pass_through, made, impossible) if len(part)]
    return pd.concat(parts, ignore_index=True).sort_values("patient_id")


def _loaded(frame: Any) -> pd.DataFrame:
    return frame() if callable(frame) else frame


def _encoder(checkpoint: Checkpoint) -> Encoder:
    return Encoder.from_state(checkpoint.arrays, checkpoint.metadata)


def _preprocessor(checkpoint: Checkpoint) -> Preprocessor:
    return Preprocessor.from_state(checkpoint.arrays, checkpoint.metadata)
