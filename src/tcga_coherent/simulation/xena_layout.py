"""The simulated cohort as the tables of the GDC Xena hub and of a folder of slide embeddings.

Beside one tumour sample a patient the tables hold what real ones hold: normal samples, second
vials and slides, missing cells, degraded samples, features nobody expresses or measured.
"""

import numpy as np
import pandas as pd

from tcga_coherent.simulation.cohort import DemoCohort
from tcga_coherent.simulation.random_streams import random_stream
from tcga_coherent.simulation.raw_units import (
    LIBRARY_SIZE,
    REMAINDER_GENE,
    name_discarded_features,
    to_raw_units,
)
from tcga_coherent.simulation.settings import ModalitySpec

# In standard deviations of a feature: how far two samples of a tumour differ, and how deep the
# values of a degraded sample fall.
REPEAT_SPREAD = 0.3
DEGRADED_SPREAD = 3.0
# Normal tissue lies nearer to the mean of all tissues than tumours do.
NORMAL_SCALE = 0.5
# Standard deviation of the logarithm of library sizes.
LIBRARY_SPREAD = 0.1
# Mean count of a gene that is not expressed.
BACKGROUND_COUNT = 2.0
# Share of missing cells in features that are discarded as poorly measured.
POORLY_MEASURED = 0.4


def tabulate_samples(cohort: DemoCohort, modality: str) -> pd.DataFrame:
    """Return a modality's samples as the files of the Xena hub hold them, transposed.

    Returns
    -------
    DataFrame
        Samples x features in raw units, index sample barcode.
    """
    spec = cohort.settings.modalities[modality]
    rng = random_stream(cohort.settings.seed, "samples", modality)
    extra = cohort.settings.extra_samples
    tumours = _measured_values(cohort, modality, rng)
    patients = tumours.index

    vials = tumours[rng.random(len(patients)) < extra.second_vial]
    normal_patients = patients[rng.random(len(patients)) < extra.normal]
    samples = pd.concat(
        [
            _rename(
                _normal_values(cohort, modality, normal_patients, rng),
                [f"{patient}-11A" for patient in normal_patients],
            ),
            _rename(
                _repeat(vials, rng),
                [f"{barcode}B" for barcode in _tumour_barcodes(cohort, vials.index)],
            ),
            _rename(tumours, [f"{barcode}A" for barcode in _tumour_barcodes(cohort, patients)]),
        ]
    )
    library_size = LIBRARY_SIZE * np.exp(LIBRARY_SPREAD * rng.standard_normal(len(samples)))
    raw = to_raw_units(samples, modality, spec, library_size)
    discarded = name_discarded_features(modality, spec)
    raw[discarded] = _simulate_discarded(spec, len(raw), rng)
    modelled = raw.columns.difference([*discarded, REMAINDER_GENE], sort=False)
    raw[modelled] = _lose_cells(raw[modelled].to_numpy(), spec, rng)
    return raw.rename_axis(index="sample", columns="feature")


def tabulate_slides(cohort: DemoCohort, modality: str) -> pd.DataFrame:
    """Return embeddings of the slides; those of a patient average to the patient's values.

    Returns
    -------
    DataFrame
        Slides x features, float32, index slide barcode.
    """
    rng = random_stream(cohort.settings.seed, "samples", modality)
    values = _measured_values(cohort, modality, rng)
    barcodes = pd.Index(_tumour_barcodes(cohort, values.index))
    has_second = rng.random(len(values)) < cohort.settings.extra_samples.second_slide
    first = values.set_axis(barcodes + "Z-00-DX1", axis=0)
    second = values[has_second].set_axis(barcodes[has_second] + "Z-00-DX2", axis=0)
    difference = _repeat(second, rng) - second
    first.iloc[np.flatnonzero(has_second)] -= difference.to_numpy()
    slides = pd.concat([first, second + difference]).sort_index()
    return slides.astype(np.float32).rename_axis(index="sample", columns="feature")


def tabulate_clinical(cohort: DemoCohort) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the clinical and the survival table of all cancer types, one row a tumour sample."""
    clinical = cohort.clinical
    samples = pd.Index(
        [f"{barcode}A" for barcode in _tumour_barcodes(cohort, clinical.index)], name="sample"
    )
    is_dead = (clinical["os_event"] == 1).to_numpy()
    return (
        pd.DataFrame(
            {
                "ajcc_pathologic_stage.diagnoses": clinical["stage"].to_numpy(),
                "age_at_index.demographic": clinical["age"].to_numpy(),
                "gender.demographic": clinical["sex"].to_numpy(),
                "vital_status.demographic": np.where(is_dead, "Dead", "Alive"),
            },
            index=samples,
        ),
        pd.DataFrame(
            {
                "OS": clinical["os_event"].to_numpy(),
                "_PATIENT": clinical.index,
                "OS.time": clinical["os_days"].to_numpy(),
            },
            index=samples,
        ),
    )


def split_by_cancer_type(cohort: DemoCohort, samples: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Divide a table of samples; cancer types without a sample are left out."""
    patients = samples.index.str.slice(0, len(cohort.presence.index[0]))
    cancer_types = cohort.clinical["cancer_type"].loc[patients].to_numpy()
    return {
        name: samples[cancer_types == name]
        for name in cohort.settings.cohorts
        if (cancer_types == name).any()
    }


def _measured_values(cohort: DemoCohort, modality: str, rng: np.random.Generator) -> pd.DataFrame:
    """Patients that have the modality x features, processed scale, degraded samples spoiled."""
    measured = cohort.presence[modality]
    values = cohort.processed[modality][measured].copy()
    degraded = cohort.degraded.loc[measured, modality].to_numpy()
    # Only ever lower: expression that is lost cannot exceed the library.
    loss = np.abs(rng.standard_normal((int(degraded.sum()), values.shape[1])))
    values.iloc[np.flatnonzero(degraded)] -= DEGRADED_SPREAD * values.std().to_numpy() * loss
    return values


def _normal_values(
    cohort: DemoCohort, modality: str, patients: pd.Index, rng: np.random.Generator
) -> pd.DataFrame:
    cancer_types = cohort.clinical["cancer_type"].loc[patients]
    types = pd.Index(cohort.model.cancer_types).get_indexer(pd.Index(cancer_types))
    factors = NORMAL_SCALE * cohort.model.simulate_factors(types, rng)
    return cohort.model.simulate(modality, factors, rng)


def _repeat(values: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Measure another part of the same tumours."""
    spread = REPEAT_SPREAD * values.std().fillna(0.0).to_numpy()
    return values + spread * rng.standard_normal(values.shape)


def _rename(values: pd.DataFrame, barcodes: list[str]) -> pd.DataFrame:
    return values.set_axis(pd.Index(barcodes, dtype=object), axis=0)


def _tumour_barcodes(cohort: DemoCohort, patients: pd.Index) -> list[str]:
    cohorts = cohort.settings.cohorts
    cancer_types = cohort.clinical["cancer_type"].loc[patients]
    return [f"{patient}-{cohorts[name].sample_type}" for patient, name in cancer_types.items()]


def _simulate_discarded(spec: ModalitySpec, n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw features that preprocessing must remove."""
    shape = (n_samples, spec.discarded_features)
    if spec.scale == "log2_cpm":
        return np.log2(rng.poisson(BACKGROUND_COUNT, shape) + 1.0)
    if spec.scale == "log2_copy_ratio":
        return np.full(shape, np.nan)
    return np.where(rng.random(shape) < POORLY_MEASURED, np.nan, rng.standard_normal(shape))


def _lose_cells(values: np.ndarray, spec: ModalitySpec, rng: np.random.Generator) -> np.ndarray:
    """Remove cells; of copy numbers, lose both copies in half of them instead."""
    kind = rng.random(values.shape)
    values = np.where(kind < spec.missing_cells, np.nan, values)
    if spec.scale == "log2_copy_ratio":
        values = np.where(kind < spec.missing_cells / 2, 0.0, values)
    return values
