"""Encoders and preprocessors of latents that were made up, and the features these decode to."""

import numpy as np
import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.embedding.pca import PrincipalComponents
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.omics.features.preprocessor import Preprocessor

N_FEATURES = 8
SETTINGS = {"label": "Made up", "color": "#0072B2", "steps": ()}


def feature_inputs(latents: dict[str, pd.DataFrame], train: pd.Index, seed: int = 0) -> dict:
    """Return `processed`, `encoders` and `preprocessors` as a catalog loads them."""
    rng = np.random.default_rng(seed)
    inputs: dict[str, dict] = {"processed": {}, "encoders": {}, "preprocessors": {}}
    for name, frame in latents.items():
        features = pd.Index([f"{name}_{number}" for number in range(N_FEATURES)])
        axes = np.linalg.qr(rng.standard_normal((N_FEATURES, frame.shape[1])))[0].T
        axes = axes.astype(np.float32)
        size = frame.shape[1]
        encoder = Encoder(
            modality=name,
            features=features,
            components=PrincipalComponents(np.zeros(N_FEATURES, np.float32), axes),
            autoencoder=None,
            latent_mean=np.zeros(size, np.float32),
            latent_sd=np.ones(size, np.float32),
            residual_sd=np.full(N_FEATURES, 0.2, np.float32),
            history=pd.DataFrame(columns=["epoch", "train_mse", "val_mse", "kept"]),
        )
        values = frame.to_numpy() @ axes + 0.2 * rng.standard_normal((len(frame), N_FEATURES))
        raw = pd.DataFrame(5 + 3 * values, frame.index, features, np.float32)
        preprocessor = Preprocessor.fit(raw, ModalityConfig(**SETTINGS), train, modality=name)
        processed = pd.DataFrame(values, frame.index, features, np.float32)
        parts = {
            "processed": processed,
            "encoders": Checkpoint(*encoder.state()),
            "preprocessors": Checkpoint(*preprocessor.state()),
        }
        for part, content in parts.items():
            inputs[part][name] = lambda content=content: content
    return inputs
