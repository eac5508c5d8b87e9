import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.preprocessing import StandardScaler

from tcga_coherent.omics.features.feature_scales import CenterMedian, RankNormal, Standardise


def random_table(seed: int = 0, patients: int = 60, features: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(size=(patients, features)) * 10.0 ** np.arange(features)
    return pd.DataFrame(values.astype(np.float32)).add_prefix("G")


def test_median_centring_subtracts_training_medians_and_adds_them_back() -> None:
    step = CenterMedian()
    step.fit(pd.DataFrame({"A": [1, 2, 9, np.nan], "B": [0, 0, 4, 4]}, dtype=np.float32))
    other = pd.DataFrame({"A": [5.0], "B": [5.0]}, dtype=np.float32)
    centred = step.forward(other)
    assert centred.to_numpy().tolist() == [[3, 3]]
    pd.testing.assert_frame_equal(step.backward(centred), other)


def test_a_step_goes_back_on_a_subset_of_its_features() -> None:
    step = CenterMedian()
    table = random_table()
    step.fit(table)
    subset = table[["G3", "G1"]]
    np.testing.assert_allclose(step.backward(step.forward(subset)), subset, rtol=1e-5)


def test_standardising_agrees_with_scikit_learn() -> None:
    table = random_table()
    table.iloc[::7, 1] = np.nan
    step = Standardise()
    step.fit(table)
    oracle = StandardScaler().fit(table.to_numpy(np.float64))
    np.testing.assert_allclose(
        step.forward(table), oracle.transform(table.to_numpy()), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(step.backward(step.forward(table)), table, rtol=1e-4)


def test_rank_normal_gives_the_kth_of_n_patients_the_score_of_level_k_minus_half_over_n() -> None:
    table = random_table()
    step = RankNormal(quantiles=200)
    step.fit(table)
    ranks = table.rank().to_numpy()
    np.testing.assert_allclose(
        step.forward(table), norm.ppf((ranks - 0.5) / len(table)), rtol=1e-4, atol=1e-5
    )


def test_rank_normal_comes_back_to_the_training_values() -> None:
    table = random_table()
    step = RankNormal(quantiles=200)
    step.fit(table)
    np.testing.assert_allclose(step.backward(step.forward(table)), table, rtol=1e-3)


def test_rank_normal_maps_ties_to_the_middle_of_their_scores_and_back() -> None:
    table = pd.DataFrame({"A": [0] * 6 + [1, 2, 3, 4]}, dtype=np.float32)
    step = RankNormal(quantiles=10)
    step.fit(table)
    scores = norm.ppf((np.arange(10) + 0.5) / 10)
    normal = step.forward(table)["A"].to_numpy()
    np.testing.assert_allclose(normal[:6], (scores[0] + scores[5]) / 2, rtol=1e-5)
    np.testing.assert_allclose(normal[6:], scores[6:], rtol=1e-5)
    np.testing.assert_allclose(step.backward(step.forward(table)), table, rtol=1e-6)


def test_rank_normal_holds_values_within_the_training_range_in_both_directions() -> None:
    table = random_table()
    step = RankNormal(quantiles=20)
    step.fit(table)
    far = pd.DataFrame([[-1e30] * 4, [1e30] * 4], columns=table.columns, dtype=np.float32)
    outermost = norm.ppf(1 - 0.5 / 60)
    np.testing.assert_allclose(step.forward(far), [[-outermost] * 4, [outermost] * 4], rtol=1e-6)
    np.testing.assert_array_equal(step.backward(far), [table.min(), table.max()])


def test_rank_normal_keeps_missing_values_missing() -> None:
    table = random_table()
    table.iloc[3, 2] = np.nan
    step = RankNormal(quantiles=20)
    step.fit(table)
    assert step.forward(table).isna().to_numpy().nonzero() == (3, 2)


def test_a_feature_whose_squares_overflow_is_standardised_like_others() -> None:
    values = np.random.default_rng(0).normal(size=50)
    table = pd.DataFrame({"small": values, "huge": values * 1e30}, dtype=np.float32)
    step = Standardise()
    step.fit(table)
    np.testing.assert_allclose(step.state["sd"], [values.std(), values.std() * 1e30], rtol=1e-5)
    scaled = step.forward(table)
    np.testing.assert_allclose(scaled["huge"], scaled["small"], rtol=1e-4, atol=1e-6)
