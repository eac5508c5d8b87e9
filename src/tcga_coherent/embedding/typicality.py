"""How far a patient lies from those that an encoder was fitted on.

Two distances, as in the monitoring of processes by principal components (Jackson and Mudholkar, Technometrics 1979):
within what the latents describe, the mean square of the standardised latents (Hotelling's T2 by dimension), and beside
it, the mean square of what they lose of the standardised features (the Q statistic by feature). Patients of another
kind have unusual latents; other laboratories, panels and units show beside them.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tcga_coherent.measures.percentiles import percentile_among

if TYPE_CHECKING:
    from tcga_coherent.embedding.encoder import Encoder

DISTANCES = ["latent_distance", "feature_distance"]
# Patients decoded at a time; bounds memory.
CHUNK_ROWS = 2048


def distances(
    encoder: "Encoder", processed: pd.DataFrame, latents: pd.DataFrame
) -> NDArray[np.float32]:
    """Return both distances of patients, 1 on average over training patients for latents.

    Parameters
    ----------
    encoder
        Fitted.
    processed
        Patients x features, standardised.
    latents
        Their latents by the encoder.

    Returns
    -------
    ndarray
        Patients x :data:`DISTANCES`.
    """
    found = [np.empty((0, len(DISTANCES)), dtype=np.float32)]
    for start in range(0, len(processed), CHUNK_ROWS):
        rows = processed.iloc[start : start + CHUNK_ROWS]
        own = latents.iloc[start : start + CHUNK_ROWS]
        lost = rows.to_numpy() - encoder.decode(own).to_numpy()
        found.append(
            np.stack([np.square(own.to_numpy()).mean(axis=1), np.square(lost).mean(axis=1)], axis=1)
        )
    return np.concatenate(found)


def percentiles(values: NDArray[np.floating], reference: NDArray[np.floating]) -> pd.DataFrame:
    """Say of how many patients in 100 each distance is larger than theirs.

    Parameters
    ----------
    values
        Patients x :data:`DISTANCES`.
    reference
        Patients of no part in the fit x :data:`DISTANCES`, each column sorted.

    Returns
    -------
    DataFrame
        ``latent_percentile`` and ``feature_percentile``: 100 k / (n + 1) where k of n references are smaller;
        missing without references.
    """
    share = [
        percentile_among(known, column) for column, known in zip(values.T, reference.T, strict=True)
    ]
    return pd.DataFrame(dict(zip(["latent_percentile", "feature_percentile"], share, strict=True)))
