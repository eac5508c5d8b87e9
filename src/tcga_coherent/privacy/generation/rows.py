"""Generation without any patient: what models draw that are told nothing (paper, Table 3).

The multi-condition models get no source, all conditions masked, which they know from training. An
ensemble of single-condition models cannot be asked so; as in the paper, the zero vector stands for
every source. Latents are standardised, so that zero is the mean of the training patients: an
unlikely patient, but a legal one.

In the paper each modality is drawn on its own, and a row of the concatenated modalities then holds
modalities of as many people who do not exist. Who has the models can do better and condition each
modality on those drawn before, the chained generators here.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import SamplingConfig, Weighting
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.measures.fidelity import Array


@dataclass(frozen=True)
class Generator:
    """A way to draw patients from nothing.

    Attributes
    ----------
    family
        ``multi`` or ``coherent``.
    weights
        Of the ensemble; None for those of the sampling parameters.
    chained
        Whether a modality is conditioned on those drawn before.
    temperature
        Standard deviation of the rows about their mean, as share of that of raw draws.
    """

    family: str
    weights: Weighting | None = None
    chained: bool = False
    temperature: float = 1.0


# Draws of the paper's ensembles have a variance of 0.8 to 13 % of that of the data (Table 1, from all
# sources), 4 % on average: a fifth of the standard deviation.
PAPERS_TEMPERATURE = 0.2

GENERATORS = {
    "multi": Generator("multi"),
    "multi_chained": Generator("multi", chained=True),
    "coherent": Generator("coherent"),
    "coherent_inverse_mse": Generator("coherent", weights="inverse_mse"),
    "coherent_narrow": Generator("coherent", weights="inverse_mse", temperature=PAPERS_TEMPERATURE),
    "coherent_chained": Generator("coherent", chained=True),
}


def generate_unconditionally(
    models: TrainedModels,
    cohort: Cohort,
    generator: Generator,
    n_rows: int,
    sampling: SamplingConfig,
    seed: int,
) -> dict[str, Array]:
    """Draw latents of every modality, conditioned on no patient.

    Draws are independent, and neither recalibrated nor drawn with linear experts: those belong to draws of a
    patient.

    Parameters
    ----------
    models
        Trained denoisers.
    cohort
        Modalities to draw, and training patients: a source that was drawn has the code that is expected of its
        latents, by least squares over them.
    generator
        How.
    n_rows
        Number of rows.
    sampling
        Sampling parameters; permission to draw without a source is given here.
    seed
        Seed of the noise.

    Returns
    -------
    dict
        Modality to latents, rows x latent size.
    """
    config = replace(
        sampling,
        n_draws=max(2, n_rows),
        antithetic=False,
        recalibrate=False,
        linear_experts=False,
        temperature=generator.temperature,
        allow_unconditional=True,
        weights=generator.weights or sampling.weights,
    )
    modalities = cohort.modalities
    expected = _expected_codes(cohort) if generator.chained else {}
    widths = {name: frame.shape[1] for name, frame in cohort.conditions.items()}
    drawn: dict[str, torch.Tensor] = {}
    for target in models.completion_order(modalities, generator.family):
        conditions = {
            name: torch.cat([latents, latents @ expected[name]], dim=2)
            for name, latents in drawn.items()
            if generator.chained
        }
        sources = tuple(name for name in modalities if name in conditions)
        if not sources and generator.family == "coherent":
            sources = tuple(name for name in modalities if name != target)
            conditions = {name: torch.zeros(1, widths[name]) for name in sources}
        ensemble = models.ensemble(target, generator.family, sources, config)
        # All rows are draws of one person, who does not exist.
        keys = named_keys(seed, f"{target} without conditions", ["nobody"])
        drawn[target] = ensemble.draw({s: conditions[s] for s in sources}, keys).latents
    return {name: drawn[name][0, :n_rows].numpy() for name in modalities}


def _expected_codes(cohort: Cohort) -> dict[str, torch.Tensor]:
    """Return modality to the matrix that gives codes of latents, latent size x code size."""
    found = {}
    for name, latents in cohort.latents.items():
        train = cohort.train.intersection(latents.index)
        # Neither has a mean over the training patients.
        code = cohort.codes[name].loc[train].to_numpy(float)
        matrix, *_ = np.linalg.lstsq(latents.loc[train].to_numpy(float), code)
        found[name] = torch.from_numpy(matrix.astype(np.float32))
    return found
