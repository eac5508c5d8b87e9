import numpy as np
import pandas as pd
import pytest

from tcga_coherent.embedding.checks import (
    check_features,
    check_finite,
    check_sizes,
    check_spread,
)


def test_a_latent_of_all_features_and_all_but_one_patient_is_fine(modality):
    check_sizes("cna", modality("pca", 10), n_features=10, n_train=11)
    with pytest.raises(ValueError, match="only 10 training patients"):
        check_sizes("cna", modality("pca", 10), n_features=11, n_train=10)


def test_small_spread_is_not_taken_for_none():
    rows = np.random.default_rng(0).normal(size=(50, 3)) * [1, 1e-3, 1e-3]
    check_spread("cna", rows)
    rows[:, 2] *= 1e-3
    with pytest.raises(ValueError, match=r"cna: 1 of 3 .*such as z02.*to at most 2"):
        check_spread("cna", rows)


def test_three_of_many_patients_are_named():
    frame = pd.DataFrame({"z00": [1.0, *[np.nan] * 4]}, index=list("abcde"))
    with pytest.raises(
        ValueError, match=r"The latents has .* 4 of 5 rows, such as b, c, d: run it"
    ):
        check_finite(frame, "latents", "it")


def test_a_repeated_feature_is_an_error():
    frame = pd.DataFrame(0.0, index=["a"], columns=["TP53", "TP53", "MYC"])
    with pytest.raises(ValueError, match=r"0 are absent .* 3 columns"):
        check_features(frame, pd.Index(["MYC", "TP53"]), "cna")
