"""A linear decoder, so that what comes out of it is known exactly."""

import numpy as np
import pandas as pd

from tcga_coherent.studies.reconstruction.decoded import DecodedTarget, Decoder, decode_targets

N_FEATURES = 30
NOISE = 1.5
AXES = np.random.default_rng(0).standard_normal((4, N_FEATURES))
FEATURES = pd.Index([f"GENE{number}" for number in range(N_FEATURES)])


def to_features(latents: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(latents.to_numpy(float) @ AXES, latents.index, FEATURES)


def inputs(simulation) -> dict:
    """Features are the decoded latents and noise, so that the ceiling is known."""
    processed = {}
    rng = np.random.default_rng(1)
    for name, load in simulation.latents.items():
        frame = to_features(load())
        noisy = frame + NOISE * rng.standard_normal(frame.shape)
        # In another order of patients than the latents.
        processed[name] = lambda noisy=noisy[::-1]: noisy
    decoder = Decoder(to_features, lambda frame: np.exp(frame))
    return {
        "held_out": simulation.held_out(),
        "processed": processed,
        "decoders": dict.fromkeys(simulation.modalities, decoder),
    }


def decode(simulation) -> dict[str, DecodedTarget]:
    return {one.target: one for one in decode_targets(**inputs(simulation))}
