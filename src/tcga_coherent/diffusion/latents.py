"""Latents as tensors."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch


def code_frames(
    latents: Mapping[str, pd.DataFrame], conditions: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the codes that conditions hold beside the latents.

    Parameters
    ----------
    latents
        Modality to latents, patients x latent size.
    conditions
        Modality to latents followed by the code, patients x (latent size + code size).
    """
    return {name: frame.iloc[:, latents[name].shape[1] :] for name, frame in conditions.items()}


def latent_tensors(
    frames: Mapping[str, pd.DataFrame], patients: pd.Index
) -> dict[str, torch.Tensor]:
    """Return the latents of patients, each patients x latent size, float32; NaN where one lacks the modality."""
    return {
        name: torch.from_numpy(frame.reindex(patients).to_numpy(np.float32))
        for name, frame in frames.items()
    }
