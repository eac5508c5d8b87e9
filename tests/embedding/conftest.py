import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.modality import EncoderConfig, ModalityConfig


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def cpu():
    return torch.device("cpu")


@pytest.fixture
def settings():
    return EmbeddingConfig(batch_size=64, max_epochs=8, patience=4, learning_rate=1e-3)


@pytest.fixture
def processed():
    """400 patients x 24 features: eight curved factors, noise, standardised."""
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(400, 8))
    values = np.hstack([factors, factors**2]) @ rng.normal(size=(16, 24))
    values += 0.1 * rng.normal(size=values.shape)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    patients = pd.Index([f"TCGA-AA-{number:04d}" for number in range(400)], name="patient_id")
    features = [f"gene{number}" for number in range(24)]
    return pd.DataFrame(values.astype(np.float32), index=patients, columns=features)


@pytest.fixture
def split(processed):
    """The last 40 patients test, the 40 before validate; ten more patients lack the modality."""
    parts = ["train"] * 320 + ["val"] * 40 + ["test"] * 40 + ["train"] * 10
    others = [f"TCGA-BB-{number:04d}" for number in range(10)]
    patients = pd.Index([*processed.index, *others], name="patient_id")
    return pd.DataFrame({"split": parts, "cancer_type": "BRCA"}, index=patients)


@pytest.fixture
def modality():
    """Return the settings of a modality by kind of encoder and latent size."""

    def make(kind: str, latent_size: int = 8) -> ModalityConfig:
        return ModalityConfig(
            label="RPPA",
            color="#009E73",
            steps=(),
            encoder=EncoderConfig(kind=kind, hidden_layers=2, max_width=64),
            latent_size=latent_size,
        )

    return make
