"""Denoisers of two made-up modalities, trained for as long as a test wants."""

import numpy as np
import pandas as pd
import torch

from tcga_coherent.cohort import Cohort
from tcga_coherent.diffusion.config import ArchitectureConfig, TrainingConfig, ValidationConfig
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks
from tcga_coherent.privacy.known_members.shadows import SELECTED, train_recorded

SIZE = 8


def make_patients(n_patients: int, seed: int) -> dict[str, pd.DataFrame]:
    """Return latents of two modalities that share half of their variance."""
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n_patients, SIZE))
    index = pd.Index([f"p{seed}-{i}" for i in range(n_patients)], name="patient_id")
    columns = [f"z{i:02d}" for i in range(SIZE)]
    return {
        name: pd.DataFrame(
            (0.7 * shared + 0.7 * random.normal(size=shared.shape)).astype(np.float32),
            index,
            columns,
        )
        for name in ("cna", "rnaseq")
    }


def cohort_of(latents: dict[str, pd.DataFrame], train: pd.Index) -> Cohort:
    """Return a cohort that has training patients alone."""
    everybody = next(iter(latents.values())).index
    return Cohort(latents, train, train[:0], train[:0], pd.Series("LUAD", index=everybody))


def train_models(latents: dict[str, pd.DataFrame], split: pd.Series, steps: int) -> TrainedModels:
    """Return the models after a number of steps, whatever validation says of them."""
    config = TrainingConfig(
        architecture=ArchitectureConfig(hidden_dim=128, n_layers=2, time_dim=16, condition_dim=8),
        validation=ValidationConfig(n_draws=2, n_steps=2),
        batch_size=64,
        ema_decay=0.9,
    )
    families = {}
    for family, tasks in (
        ("single", single_tasks(latents, split)),
        ("multi", multi_tasks(latents, split)),
    ):
        recorded = train_recorded(tasks, config, (steps,), "cpu")
        families[family] = {d.name: d for checkpoint, d in recorded if checkpoint != SELECTED}
    return TrainedModels(families["single"], families["multi"], {})


def tensors(latents: dict[str, pd.DataFrame], patients: pd.Index) -> dict[str, torch.Tensor]:
    """Return latents of some patients."""
    return {
        name: torch.from_numpy(frame.loc[patients].to_numpy()) for name, frame in latents.items()
    }
