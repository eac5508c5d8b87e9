"""Nodes that complete patients, new ones or those of the cohort."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion.generation import complete_latents
from tcga_coherent.diffusion.completion.tables import (
    FLAG_COLUMNS,
    decode_draws,
    flag_patients,
    join_latents,
)
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics import new_patients
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.pipelines.partitions import (
    Partitions,
    fingerprint_checkpoints,
    load_agreement,
    load_models,
)

logger = logging.getLogger(__name__)


def tabulate_new_patients(
    raw_modalities: Partitions,
    former_completion: pd.DataFrame,
    preprocessors: Partitions,
    modalities: dict[str, Any],
    barcodes: BarcodeRule,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]:
    """Bring a user's matrices to patients x features in input units.

    The table of a modality that no new patient has is empty.

    Parameters
    ----------
    raw_modalities
        Name of each file or folder, called as a modality, to a function that loads its matrix.
    former_completion
        Flags of the completion in whose place this one comes.
    preprocessors, modalities, barcodes
        Fitted preprocessors, and the ``modalities`` and ``ingestion.barcodes`` parameters.

    Returns
    -------
    tables, notes
        See :func:`tcga_coherent.omics.new_patients.tabulate_new_patients`; between them, modality to the
        patients of its table.

    Raises
    ------
    ValueError
        When a file names no modality of the parameters, its features are not those of the
        trained models, or the place of the completion holds other patients.
    """
    samples = {}
    for name, (file, load) in _find_modalities(
        raw_modalities, list(parse_modalities(modalities))
    ).items():
        features = _preprocessor(preprocessors[name]()).input_features
        samples[name] = new_patients.orient_matrix(load(), features, file)
    tables, notes = new_patients.tabulate_new_patients(samples, barcodes.scheme)
    for name, table in tables.items():
        logger.info("%s: %d new patients", name, len(table))
    everyone = {*notes["patient_id"]}.union(*(table.index for table in tables.values()))
    others = set(former_completion["patient_id"]) - everyone
    if others:
        raise ValueError(
            f"completion.output_dir holds other patients completed before, such as {min(others)}: name "
            f"another folder, or delete that one."
        )
    everything = {name: tables.get(name, pd.DataFrame()) for name in parse_modalities(modalities)}
    measured = {name: pd.DataFrame(index=table.index) for name, table in everything.items()}
    return everything, measured, notes


def embed_new_patients(
    tables: Partitions,
    preprocessors: Partitions,
    encoders: Partitions,
    processed: Partitions,
    split: pd.DataFrame,
    modalities: dict[str, Any],
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]:
    """Preprocess and encode new patients with what was fitted on the training patients.

    Returns
    -------
    latents, codes
        Modality to patients x latent size, and to patients x code size, without outliers.
    notes
        See :func:`tcga_coherent.omics.new_patients.screen_new_patients`.

    Raises
    ------
    ValueError
        When every measurement is an outlier.
    """
    train = split.index[split["split"] == "train"]
    given = {name: load() for name, load in tables.items()}
    given = {name: table for name, table in given.items() if len(table)}
    new_patients.warn_of_known(given, train)
    latents, codes, notes = {}, {}, []
    for name in parse_modalities(modalities):
        encoder = _encoder(encoders[name]())
        latents[name] = pd.DataFrame(columns=encoder.latent_columns, dtype=np.float32)
        codes[name] = pd.DataFrame(columns=encoder.code_columns, dtype=np.float32)
        if name in given:
            preprocessor = _preprocessor(preprocessors[name]())
            kept, found = new_patients.screen_new_patients(given[name], preprocessor)
            notes.append(found)
            if kept.empty:
                continue
            donors = None
            if preprocessor.imputer == "knn":
                cohort = processed[name]()
                donors = cohort[cohort.index.isin(train)]
            features = preprocessor.transform(kept, donors)
            latents[name], codes[name] = encoder.encode(features), encoder.code(features)
    every_note = pd.concat(notes, ignore_index=True)
    if all(frame.empty for frame in latents.values()):
        first = every_note.iloc[0]
        raise ValueError(
            f"No new patient can be completed, for every measurement is an outlier: of {first['patient_id']}, "
            f"{first['modality']}, {first['note']}."
        )
    return latents, codes, every_note


def complete_patients(
    measured: Partitions,
    latents: Partitions,
    codes: Partitions,
    encoders: Partitions,
    single_denoisers: Partitions,
    multi_denoisers: Partitions,
    consensus: Partitions,
    linear: Partitions,
    recalibration: Partitions,
    agreement: Checkpoint,
    modalities: dict[str, Any],
    sampling: SamplingConfig,
    completion: CompletionConfig,
    device: str,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]:
    """Give every patient latents of every modality.

    Parameters
    ----------
    measured, latents, codes
        Modality to the patients it was measured of, as an index, and to the latents and the codes of those of
        them who are no outliers.
    encoders
        Modality to checkpoint.
    single_denoisers, multi_denoisers
        Denoiser name to checkpoint; ``completion.method`` says which are used.
    consensus, linear, recalibration
        Target to what the consensus weights are learned from, to its linear-Gaussian experts, and to the factors
        of the spread of its draws.
    agreement
        How well the modalities of a patient usually fit each other.
    modalities, sampling, completion, device
        Parameters.

    Returns
    -------
    latent_draws, latent_mean, latent_sd
        Modality to latents of all patients, of which observed ones have no spread. Draws have the
        index (``patient_id``, ``draw``).
    flags
        One row a patient and modality: observed or generated, from which sources, how coherent,
        accepted or not, and why.
    """
    names = list(parse_modalities(modalities))
    models = load_models(
        single_denoisers, multi_denoisers, consensus, linear,
        "encoders", fingerprint_checkpoints(encoders), device, recalibration,
    )  # fmt: skip
    models.check(sampling)
    observed = {name: latents[name]() for name in names}
    generated = complete_latents(
        observed,
        {name: codes[name]() for name in names},
        {name: _encoder(encoders[name]()).code_of_latents for name in names},
        models,
        load_agreement(agreement),
        sampling,
        completion,
    )
    patients = pd.Index(
        sorted(set().union(*(frame.index for frame in observed.values()))), name="patient_id"
    )
    draws, means, sds, flags = {}, {}, {}, []
    for name in names:
        draws[name], means[name], sds[name] = join_latents(
            observed[name], generated[name].draws, patients, sampling.n_draws
        )
        flags.append(
            flag_patients(
                name, observed[name].index, measured[name]().index, generated[name], patients
            )
        )
        logger.info(
            "%s: %d patients observed, %d generated",
            name,
            len(observed[name]),
            len(patients) - len(observed[name]),
        )
    every_flag = pd.concat(flags, ignore_index=True).reindex(columns=FLAG_COLUMNS)
    return draws, means, sds, every_flag


def decode_completion(
    table: pd.DataFrame,
    latents: pd.DataFrame,
    latent_draws: Mapping[str, Any],
    preprocessor: Checkpoint,
    encoder: Checkpoint,
    modality: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every patient the values of a modality in input units, of the features that its preprocessor keeps.

    Parameters
    ----------
    table, latents
        Patients x features in input units, and the latents of those who were observed.
    latent_draws
        Modality to the latents of all patients, index (``patient_id``, ``draw``), or to what loads them.
    preprocessor, encoder
        Of the modality.
    modality
        Its name.

    Returns
    -------
    mean, sd
        Observed values pass through unchanged, cells that were not measured stay missing.
    """
    fitted = _preprocessor(preprocessor)
    draws = _loaded(latent_draws[modality])
    generated = ~draws.index.get_level_values("patient_id").isin(latents.index)
    return decode_draws(
        table.reindex(index=latents.index, columns=fitted.features),
        draws[generated],
        _decoder(_encoder(encoder), fitted),
        draws.index.unique("patient_id"),
    )


def gather_completion(
    latent_draws: Mapping[str, pd.DataFrame],
    latent_mean: Mapping[str, pd.DataFrame],
    latent_sd: Mapping[str, pd.DataFrame],
    decoded_mean: Partitions,
    decoded_sd: Partitions,
    flags: pd.DataFrame,
    notes_of_samples: pd.DataFrame,
    notes_of_values: pd.DataFrame,
    modalities: dict[str, Any],
) -> dict[str, pd.DataFrame]:
    """Join the parts of a completion, ``<part>/<modality>`` and ``flags``, to be written as one.

    The notes go into the flags; see :func:`tcga_coherent.omics.new_patients.add_notes`.
    """
    parts: dict[str, Mapping[str, Any]] = {
        "latent_draws": latent_draws,
        "latent_mean": latent_mean,
        "latent_sd": latent_sd,
        "decoded_mean": decoded_mean,
        "decoded_sd": decoded_sd,
    }
    tables = {
        f"{part}/{name}": _loaded(table) for part, by in parts.items() for name, table in by.items()
    }
    notes = pd.concat([notes_of_samples, notes_of_values], ignore_index=True)
    every_flag = new_patients.add_notes(flags, notes, list(parse_modalities(modalities)))
    impossible = every_flag.loc[every_flag["status"] == "impossible", "patient_id"].unique()
    if len(impossible):
        logger.warning(
            "%d new patients cannot be completed, such as %s: see flags.parquet",
            len(impossible),
            impossible[0],
        )
    return {**tables, "flags": every_flag}


def _find_modalities(
    files: Partitions, modalities: list[str]
) -> dict[str, tuple[str, Callable[[], pd.DataFrame]]]:
    """Return modality to its file's name and loader; the first part of a name is the modality."""
    found: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {}
    for file, load in files.items():
        name = file.split(".")[0]
        if name in found:
            raise ValueError(
                f"completion.input_dir holds {found[name][0]} and {file}: keep one file of {name}."
            )
        if name in modalities:
            found[name] = file, load
        elif file.endswith(".parquet") or name.lower() in map(str.lower, modalities):
            raise ValueError(
                f"completion.input_dir holds {file}, but the modalities are {', '.join(modalities)}. Rename "
                f"the file, or move it elsewhere."
            )
        else:
            logger.warning("completion.input_dir holds %s, which is no modality: NOT read", file)
    if not found:
        raise ValueError(
            f"completion.input_dir holds no file of {', '.join(modalities)}, but {', '.join(files)}."
        )
    return {name: found[name] for name in modalities if name in found}


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


def _loaded(frame: Any) -> pd.DataFrame:
    """Return a frame that a partitioned dataset loads when it is called, or that passes in memory."""
    return frame() if callable(frame) else frame


def _encoder(checkpoint: Checkpoint) -> Encoder:
    return Encoder.from_state(checkpoint.arrays, checkpoint.metadata)


def _preprocessor(checkpoint: Checkpoint) -> Preprocessor:
    return Preprocessor.from_state(checkpoint.arrays, checkpoint.metadata)
