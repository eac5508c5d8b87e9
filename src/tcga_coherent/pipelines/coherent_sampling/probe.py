"""The node that tries out whether coherence tells good draws from bad ones."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd

from tcga_coherent.cohort import having
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.stored_models import load_agreement
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.source_sets import join_sources

logger = logging.getLogger(__name__)

PROBE_DRAWS = 10
PROBE_COLUMNS = [
    *("patient_id", "target", "source", "swapped", "draw", "cosine_distance", "incoherent_share"),
    *("disagreement", "squared_error", "error_of_mean", "rejected"),
]


def probe_coherence(
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: TrainedModels,
    agreement: Checkpoint,
    config: SamplingConfig,
    target: str,
) -> pd.DataFrame:
    """Generate a modality of test patients from all others, as they are and with one exchanged between patients.

    Draws are recalibrated, independent, made once (a rejected one is kept) and not narrowed by
    temperature.

    Returns
    -------
    DataFrame
        One row an exchanged source, patient and draw. ``swapped``: the source that comes
        from another test patient, empty for none; ``cosine_distance`` and ``incoherent_share``: as
        in :class:`tcga_coherent.diffusion.sampling.ensemble.Draws`; ``disagreement``: of the patient's
        sources, see :mod:`tcga_coherent.diffusion.completion.agreement`; ``squared_error``,
        ``error_of_mean``: mean over dimensions, of the draw and of the mean of the patient's draws;
        ``rejected``: whether the draw is too incoherent. With two modalities there is one source,
        which agrees with itself.
    """
    models.check(config)
    fitted = load_agreement(agreement)
    probing = replace(
        config,
        n_draws=PROBE_DRAWS,
        antithetic=False,
        temperature=1.0,
        coherence=replace(config.coherence, max_attempts=1),
    )
    patients = having(frames, split.index[split["split"] == "test"])
    if len(patients) < 2:
        logger.warning(
            "%s: fewer than two test patients have all modalities: no probe of coherence", target
        )
        return pd.DataFrame(columns=PROBE_COLUMNS)
    values = latent_tensors(frames, patients)
    measured = latent_tensors(conditions, patients)
    parts = []
    sources = tuple(name for name in frames if name != target)
    ensemble = models.ensemble(target, "coherent", sources, probing)
    keys = named_keys(config.seed, f"probe of {target}", list(patients))
    exchanged = _other_patients(len(patients), config.seed)
    for swapped in ("", *sources):
        given = {s: measured[s][exchanged] if s == swapped else measured[s] for s in sources}
        drawn = ensemble.draw(given, keys)
        error = (drawn.latents - values[target].unsqueeze(1)).square().mean(dim=2)
        mean_error = (drawn.latents.mean(dim=1) - values[target]).square().mean(dim=1)
        disagreement = fitted.disagreement(
            {
                source: given[source][:, : values[source].shape[1]].numpy().astype(float)
                for source in sources
            }
        )
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": np.repeat(patients, PROBE_DRAWS),
                    "target": target,
                    "source": join_sources(sources),
                    "swapped": swapped,
                    "draw": np.tile(np.arange(PROBE_DRAWS), len(patients)),
                    "cosine_distance": drawn.coherence.flatten().numpy(),
                    "incoherent_share": drawn.incoherent_share.flatten().numpy(),
                    "disagreement": np.repeat(disagreement, PROBE_DRAWS),
                    "squared_error": error.flatten().numpy(),
                    "error_of_mean": mean_error.repeat_interleave(PROBE_DRAWS).numpy(),
                    "rejected": ~drawn.accepted.flatten().numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _other_patients(n_patients: int, seed: int) -> np.ndarray:
    """Return another patient for each patient: a random cycle through all of them."""
    order = np.random.default_rng(seed).permutation(n_patients)
    others = np.empty(n_patients, dtype=int)
    others[order] = np.roll(order, 1)
    return others
