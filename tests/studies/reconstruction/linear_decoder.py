"""A linear decoder, so that what comes out of it is known exactly."""

import numpy as np
import pandas as pd

from tcga_coherent.studies.reconstruction.decoded import DecodedTarget, Decoder, decode_target

N_FEATURES = 30
NOISE = 1.5
AXES = np.random.default_rng(0).standard_normal((4, N_FEATURES))
FEATURES = pd.Index([f"GENE{number}" for number in range(N_FEATURES)])


def to_features(latents: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(latents.to_numpy(float) @ AXES, latents.index, FEATURES)


def inputs(simulation, target: str) -> dict:
    """Features are the decoded latents and noise, so that the ceiling is known."""
    rng = np.random.default_rng([1, list(simulation.modalities).index(target)])
    frame = to_features(simulation.latents[target]())
    noisy = frame + NOISE * rng.standard_normal(frame.shape)
    return {
        "target": target,
        "held_out": simulation.held_out(),
        # In another order of patients than the latents.
        "processed": noisy[::-1],
        "decoder": Decoder(to_features, lambda frame: np.exp(frame), np.full(N_FEATURES, NOISE)),
    }


def decode(simulation) -> dict[str, DecodedTarget]:
    return {name: decode_target(**inputs(simulation, name)) for name in simulation.modalities}
