"""Checks of what goes into an encoder and comes out of it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tcga_coherent.embedding.pca import Matrix
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.omics.blocks import column_blocks

# A dimension whose spread is a smaller share of the largest one is rounding error.
MIN_RELATIVE_SD = 1e-4

# How many patients or features a message names.
EXAMPLES = 3


def check_sizes(name: str, config: ModalityConfig, n_features: int, n_train: int) -> None:
    """Raise a ValueError unless the latent fits the training matrix."""
    size = config.latent_size
    if size > n_features:
        raise ValueError(
            f"modalities.{name}.latent_size is {size} but only {n_features} features are left: "
            f"lower it, or let modalities.{name}.steps keep more features."
        )
    if size >= n_train:
        raise ValueError(
            f"modalities.{name}.latent_size is {size} but only {n_train} training patients have "
            f"{name}: lower it below that, or add patients."
        )


def check_spread(name: str, raw: Matrix) -> None:
    """Raise a ValueError that names latent dimensions without spread over the training rows."""
    sd = raw.std(axis=0, dtype=float)
    dead = np.flatnonzero(~(sd > MIN_RELATIVE_SD * sd.max()))
    if len(dead):
        named = [f"z{number:02d}" for number in dead]
        raise ValueError(
            f"{name}: {len(dead)} of {len(sd)} latent dimensions have no spread over the training "
            f"patients{_examples(named)}, because the features hold fewer independent directions: "
            f"set modalities.{name}.latent_size to at most {len(sd) - len(dead)}."
        )


def check_finite(frame: pd.DataFrame, what: str, origin: str) -> None:
    """Raise a ValueError that names patients with missing or infinite values."""
    values = frame.to_numpy()
    finite = np.ones(len(frame), dtype=bool)
    for block in column_blocks(values.shape[1]):
        finite &= np.isfinite(values[:, block]).all(axis=1)
    bad = frame.index[~finite]
    if len(bad):
        raise ValueError(
            f"The {what} has missing or infinite values in {len(bad)} of {len(frame)} rows, such as "
            f"{', '.join(map(str, bad[:EXAMPLES]))}: run {origin} again."
        )


def check_features(processed: pd.DataFrame, features: pd.Index, modality: str) -> None:
    """Raise a ValueError unless `processed` has exactly `features`, in any order."""
    absent = features.difference(processed.columns)
    unknown = processed.columns.difference(features)
    if len(absent) or len(unknown) or len(processed.columns) != len(features):
        raise ValueError(
            f"{modality}: the encoder was fitted on {len(features)} features, of which "
            f"{len(absent)} are absent{_examples(absent)} from this table of "
            f"{processed.shape[1]} columns, and {len(unknown)} of its columns are "
            f"others{_examples(unknown)}: preprocess it with the preprocessor of the same run."
        )


def _examples(names: Sequence[str] | pd.Index) -> str:
    return f" (such as {', '.join(map(str, names[:EXAMPLES]))})" if len(names) else ""
