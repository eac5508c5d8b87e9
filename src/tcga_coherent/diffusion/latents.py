"""Latents as tensors."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch


def latent_tensors(
    frames: Mapping[str, pd.DataFrame], patients: pd.Index
) -> dict[str, torch.Tensor]:
    """Return the latents of patients who have every modality, each patients x latent size, float32."""
    return {
        name: torch.from_numpy(frame.loc[patients].to_numpy(np.float32))
        for name, frame in frames.items()
    }
