import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chi2, kstest

from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import Encoder, fit_encoder
from tcga_coherent.embedding.typicality import distances, percentiles
from tcga_coherent.modality import ModalityConfig

SIZE, FEATURES, SPREAD = 3, 20, 0.5


@pytest.fixture(scope="module")
def processed() -> pd.DataFrame:
    """Rows of three strong factors and noise of one spread."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((FEATURES, SIZE)))[0].T
    rows = 5 * rng.standard_normal((4000, SIZE)) @ axes
    rows += SPREAD * rng.standard_normal(rows.shape)
    index = pd.Index([f"P{number:04d}" for number in range(len(rows))])
    return pd.DataFrame(rows.astype(np.float32), index=index).rename(columns=str)


@pytest.fixture(scope="module")
def encoder(processed) -> Encoder:
    config = ModalityConfig("RPPA", "#009E73", [], encoder={"kind": "pca"}, latent_size=SIZE)
    parts = ["train"] * 2000 + ["val"] * 1000 + ["test"] * 1000
    split = pd.DataFrame({"split": parts, "cancer_type": "BRCA"}, index=processed.index)
    return fit_encoder("rppa", processed, split, config, EmbeddingConfig(), torch.device("cpu"))


def apart(encoder: Encoder, rows: pd.DataFrame) -> np.ndarray:
    return distances(encoder, rows, encoder.encode(rows))


def test_distances_of_normal_rows_are_mean_squares_of_as_many_normal_numbers(
    processed, encoder
) -> None:
    """Chi-squared by degrees of freedom, those of the noise being the features less the axes."""
    found = apart(encoder, processed.iloc[3000:])
    assert found.shape == (1000, 2)
    for column, freedom, scale in (
        (found[:, 0], SIZE, 1 / SIZE),
        (found[:, 1], FEATURES - SIZE, SPREAD**2 / FEATURES),
    ):
        assert kstest(column / scale, chi2(freedom).cdf).pvalue > 0.01


def test_patients_like_the_others_are_spread_evenly_and_strangers_stand_out(
    processed, encoder
) -> None:
    test = processed.iloc[3000:]
    even = percentiles(apart(encoder, test), encoder.reference)
    for column in even:
        np.testing.assert_allclose(np.quantile(even[column], [0.25, 0.75]), [25, 75], atol=5)
        assert even[column].between(0, 100).all()
    # Far along the axes: unusual latents; far beside them: unusual features alone.
    along = percentiles(apart(encoder, 3 * test), encoder.reference)
    assert (along["latent_percentile"] > 99).mean() > 0.4
    noise = np.random.default_rng(1).standard_normal(test.shape).astype(np.float32)
    beside = percentiles(apart(encoder, test + noise), encoder.reference)
    assert (beside["feature_percentile"] > 99).mean() > 0.95
    assert (beside["latent_percentile"] > 99).mean() < 0.03


def test_percentiles_count_the_references_that_are_nearer() -> None:
    reference = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    found = percentiles(np.array([[0.5, 35.0], [2.5, 20.0]]), reference)
    assert found["latent_percentile"].tolist() == [0, 50]
    assert found["feature_percentile"].tolist() == [75, 25]
    nobody = percentiles(np.array([[1.0, 1.0]]), np.empty((0, 2)))
    assert nobody.isna().all(axis=None)


def test_the_reference_is_that_of_validation_patients_and_survives_the_checkpoint(
    processed, encoder
) -> None:
    expected = np.sort(apart(encoder, processed.iloc[2000:3000]), axis=0)
    np.testing.assert_array_equal(encoder.reference, expected)
    again = Encoder.from_state(*encoder.state())
    np.testing.assert_array_equal(again.reference, expected)
    assert apart(encoder, processed.iloc[:0]).shape == (0, 2)
