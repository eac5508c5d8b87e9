"""Latents as tensors."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch


def latent_tensors(
    frames: Mapping[str, pd.DataFrame], patients: pd.Index
) -> dict[str, torch.Tensor]:
    """Return the latents of patients, each patients x latent size, float32; NaN where one lacks the modality."""
    return {
        name: torch.from_numpy(frame.reindex(patients).to_numpy(np.float32))
        for name, frame in frames.items()
    }
