"""A probe of coherence with known relations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

N_PATIENTS = 300
N_DRAWS = 6


def made_up_probe(
    targets: Sequence[str] = ("cna", "rnaseq"),
    modalities: Sequence[str] = ("cna", "rnaseq", "rppa"),
    shift: float = 1.0,
    n_patients: int = N_PATIENTS,
    rejected: float = 0.0,
) -> pd.DataFrame:
    """Return a probe of targets from the other modalities, each of which is swapped in turn.

    ``disagreement`` is standard normal and grows by `shift` where a source is swapped. Patients of
    greater ``cosine_distance`` have greater errors, but among the draws of a patient the least
    coherent one has the least error. ``incoherent_share`` is zero everywhere.
    """
    rng = np.random.default_rng(7)
    parts = []
    for target in targets:
        sources = [name for name in modalities if name != target]
        difficulty = rng.exponential(size=(n_patients, 1))
        excess = rng.exponential(size=(n_patients, N_DRAWS))
        for swapped in ("", *sources):
            disagreement = rng.standard_normal((n_patients, 1)) + shift * (swapped != "")
            values = {
                "cosine_distance": 100 * difficulty - excess,
                "incoherent_share": np.zeros_like(excess),
                "disagreement": disagreement + 0 * excess,
                "squared_error": difficulty + excess,
                "error_of_mean": difficulty + 0 * excess,
                "rejected": rng.random(excess.shape) < rejected,
            }
            parts.append(
                pd.DataFrame(
                    {
                        "patient_id": np.repeat([f"P{i:03d}" for i in range(n_patients)], N_DRAWS),
                        "target": target,
                        "source": "+".join(sources),
                        "swapped": swapped,
                        "draw": np.tile(np.arange(N_DRAWS), n_patients),
                        **{name: value.ravel() for name, value in values.items()},
                    }
                )
            )
    # In no order at all: rows are found by their keys.
    return pd.concat(parts).sample(frac=1, random_state=0, ignore_index=True)
