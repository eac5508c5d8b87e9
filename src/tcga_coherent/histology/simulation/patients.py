"""Simulated patients: gene programmes, the expression that shows them, and the tissue they make."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.histology.simulation.settings import TissueSimulation
from tcga_coherent.simulation.random_streams import random_stream

# Programme to what it moves in a tile; the last two move nothing.
MEASURE_OF = {
    "growth": "nuclear_count",
    "ploidy": "nuclear_area",
    "immune": "lymphocyte_share",
    "stroma": "eosin",
    "metabolism": None,
    "translation": None,
}


@dataclass(frozen=True)
class Tissue:
    """What the tiles of a patient are drawn from.

    Attributes
    ----------
    nuclei
        Expected number of nuclei in a tile of 64 x 64 pixels.
    radius
        Median radius of a tumour nucleus, pixels.
    lymphocytes
        Share of nuclei that are of lymphocytes.
    eosin
        Optical density of the eosin between nuclei.
    """

    nuclei: float
    radius: float
    lymphocytes: float
    eosin: float


@dataclass(frozen=True)
class SimulatedPatients:
    """A simulated cohort without its tiles.

    Attributes
    ----------
    programmes
        Patients x programmes, of mean 0 and variance 1: the truth behind expression and tiles.
    expression
        Patients x genes, log2 of abundance.
    genes
        ``programme``, ``gene``, ``measure``: which genes show a programme, and what the programme moves
        in a tile (missing where nothing).
    cancer_type
        Type of each patient.
    """

    programmes: pd.DataFrame
    expression: pd.DataFrame
    genes: pd.DataFrame
    cancer_type: pd.Series


def simulate_patients(settings: TissueSimulation) -> SimulatedPatients:
    """Draw programmes, and the genes that show them."""
    names = list(MEASURE_OF)
    patients = pd.Index([f"SIM-{n:04d}" for n in range(settings.patients)], name="patient_id")
    rng = random_stream(settings.seed, "programmes")
    kind = rng.integers(len(settings.cancer_types), size=len(patients))
    shift = rng.standard_normal((len(settings.cancer_types), len(names)))
    own = rng.standard_normal((len(patients), len(names)))
    values = np.sqrt(settings.type_share) * shift[kind] + np.sqrt(1 - settings.type_share) * own
    values = (values - values.mean(0)) / values.std(0)

    rng = random_stream(settings.seed, "genes")
    genes = [
        (name, f"{name.upper()}{n:03d}", MEASURE_OF[name])
        for name in names
        for n in range(settings.programme_genes)
    ]
    of_gene = np.repeat(values, settings.programme_genes, axis=1)
    share = settings.programme_share
    signal = np.sqrt(share) * of_gene + np.sqrt(1 - share) * rng.standard_normal(of_gene.shape)
    noise = rng.standard_normal((len(patients), settings.other_genes))
    scores = np.hstack([signal, noise])
    level = rng.uniform(3.0, 9.0, scores.shape[1])
    spread = rng.uniform(0.4, 0.8, scores.shape[1])
    columns = [gene for _, gene, _ in genes] + [f"OTHER{n:03d}" for n in range(noise.shape[1])]
    return SimulatedPatients(
        pd.DataFrame(values, index=patients, columns=names),
        pd.DataFrame(level + spread * scores, index=patients, columns=columns).clip(lower=0),
        pd.DataFrame(genes, columns=["programme", "gene", "measure"]),
        pd.Series(np.array(settings.cancer_types)[kind], index=patients, name="cancer_type"),
    )


def tissue_of(programmes: pd.Series) -> Tissue:
    """Return the tissue that a patient's programmes make: the law that a model has to find."""
    return Tissue(
        nuclei=14.0 * np.exp(0.40 * programmes["growth"]),
        radius=4.2 * np.exp(0.15 * programmes["ploidy"]),
        lymphocytes=1 / (1 + np.exp(0.9 - 1.1 * programmes["immune"])),
        eosin=0.35 * np.exp(0.35 * programmes["stroma"]),
    )
