"""A small cohort of latents whose modalities share one factor, and quick training parameters."""

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.diffusion.config import ArchitectureConfig, TrainingConfig, ValidationConfig

DIM = 3


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def split() -> pd.Series:
    patients = [f"P{i:03d}" for i in range(200)]
    parts = ["train"] * 150 + ["val"] * 25 + ["test"] * 25
    return pd.Series(parts, index=pd.Index(patients, name="patient_id"), name="split")


@pytest.fixture
def latents(split) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(len(split), DIM))
    frames = {}
    for number, name in enumerate(("a", "b", "c")):
        values = 0.9 * factor + np.sqrt(1 - 0.81) * rng.normal(size=factor.shape)
        frame = pd.DataFrame(
            values.astype(np.float32), index=split.index, columns=[f"z{i:02d}" for i in range(DIM)]
        )
        # Every modality lacks other training patients.
        frames[name] = frame.drop(split.index[number * 20 : number * 20 + 20])
    return frames


@pytest.fixture
def quick() -> TrainingConfig:
    return TrainingConfig(
        architecture=ArchitectureConfig(hidden_dim=32, n_layers=2, time_dim=16, condition_dim=8),
        validation=ValidationConfig(every=20, n_draws=4, n_steps=10, patience=50),
        batch_size=32,
        max_steps=60,
        ema_decay=0.9,
    )
