import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer

from tcga_coherent.omics import blocks
from tcga_coherent.omics.features import imputation
from tcga_coherent.omics.features.imputation import impute_among_patients, impute_with_medians


def impute_from_neighbours(
    table: pd.DataFrame, donors: pd.DataFrame, neighbours: int
) -> pd.DataFrame:
    """Impute patients beside training patients without gaps."""
    everyone = pd.concat([donors, table])
    return impute_among_patients(everyone, donors.index, neighbours).loc[table.index]


def random_table(seed: int, patients: int = 40, features: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(patients, features)).astype(np.float32)
    return pd.DataFrame(values, index=[f"P{seed}-{i}" for i in range(patients)])


def test_a_missing_value_is_the_mean_of_the_nearest_donors() -> None:
    donors = random_table(0)
    table = random_table(1, patients=5)
    table.iloc[2, 4] = np.nan
    result = impute_from_neighbours(table, donors, neighbours=3)
    others = [0, 1, 2, 3, 5]
    distance = ((donors[others] - table.iloc[2][others]) ** 2).sum(axis=1)
    expected = donors.loc[distance.nsmallest(3).index, 4].mean()
    np.testing.assert_allclose(result.iloc[2, 4], expected, rtol=1e-5)


def test_observed_values_pass_through_unchanged_in_single_precision() -> None:
    donors = random_table(0)
    table = random_table(1)
    holed = table.mask(np.random.default_rng(2).random(table.shape) < 0.2).astype(np.float32)
    for result in (
        impute_from_neighbours(holed, donors, 5),
        impute_with_medians(holed, np.zeros(6)),
    ):
        assert not result.isna().any(axis=None)
        assert (result.dtypes == np.float32).all()
        pd.testing.assert_frame_equal(result.where(holed.notna()), holed)


def test_a_table_without_gaps_comes_back_as_it_is() -> None:
    table = random_table(1)
    assert impute_among_patients(table, table.index[:9], 5) is table
    assert impute_with_medians(table, np.zeros(6)) is table


def test_donors_may_miss_values_themselves() -> None:
    donors = pd.DataFrame({"A": [0, 0.1, 9], "B": [np.nan, 5, 7]}, dtype=np.float32)
    result = impute_among_patients(donors, donors.index, neighbours=1)
    assert result["B"].tolist() == [5, 5, 7]


def test_a_patient_alone_is_imputed_as_among_others() -> None:
    donors = random_table(0, patients=300, features=50)
    table = random_table(1, patients=60, features=50)
    table = table.mask(np.random.default_rng(2).random(table.shape) < 0.2).astype(np.float32)
    together = impute_from_neighbours(table, donors, 5)
    alone = pd.concat([impute_from_neighbours(table.iloc[[i]], donors, 5) for i in range(60)])
    pd.testing.assert_frame_equal(alone, together)


def test_medians_fill_their_own_feature() -> None:
    table = pd.DataFrame({"A": [1, np.nan], "B": [np.nan, 4]}, dtype=np.float32)
    result = impute_with_medians(table, np.array([10.0, 20.0]))
    assert result.to_numpy().tolist() == [[1, 20], [10, 4]]


def holed_cohort(patients: int = 90, features: int = 21) -> pd.DataFrame:
    table = random_table(3, patients, features)
    return table.mask(np.random.default_rng(4).random(table.shape) < 0.15).astype(np.float32)


def test_neighbours_are_those_of_scikit_learn_whatever_the_blocks(monkeypatch) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 8)
    monkeypatch.setattr(imputation, "RECEIVERS", 7)
    donors = holed_cohort()
    oracle = KNNImputer(n_neighbors=4).fit_transform(donors)
    imputed = impute_among_patients(donors, donors.index, 4)
    np.testing.assert_allclose(imputed, oracle, rtol=1e-6)


def test_a_cohort_is_imputed_in_place_as_in_a_copy(monkeypatch) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 8)
    table = holed_cohort()
    before, train = table.copy(), table.index[np.random.default_rng(5).permutation(90)[:60]]
    elsewhere = impute_among_patients(table, train, 3)
    pd.testing.assert_frame_equal(table, before)
    in_place = impute_among_patients(table, train, 3, overwrite=True)
    pd.testing.assert_frame_equal(in_place, elsewhere)
    assert np.shares_memory(in_place.to_numpy(), table.to_numpy())
    # Training patients among themselves, others from them as imputed.
    donors = before.loc[train.sort_values()]
    imputed = KNNImputer(n_neighbors=3).fit(donors).transform(donors)
    others = before.loc[~before.index.isin(train)]
    np.testing.assert_allclose(elsewhere.loc[donors.index], imputed, rtol=1e-6)
    np.testing.assert_allclose(
        elsewhere.loc[others.index],
        KNNImputer(n_neighbors=3).fit(imputed).transform(others.to_numpy()),
        rtol=1e-6,
    )


def test_a_patient_near_nobody_gets_the_mean_and_a_feature_nobody_has_zero() -> None:
    nan = np.nan
    cohort = pd.DataFrame(
        {"A": [1.0, 3.0, 8.0, nan], "B": [nan, nan, nan, nan], "C": [nan, nan, nan, 1.0]},
        index=["P0", "P1", "P2", "P3"],
        dtype="f4",
    )
    result = impute_among_patients(cohort, cohort.index, neighbours=1)
    assert result.to_numpy().tolist() == [[1, 0, 1], [3, 0, 1], [8, 0, 1], [4, 0, 1]]


def test_medians_fill_in_place_when_told_so(monkeypatch) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 2)
    table = holed_cohort()
    before, medians = table.copy(), np.arange(21.0)
    expected = before.fillna(dict(zip(before.columns, medians, strict=True)))
    pd.testing.assert_frame_equal(impute_with_medians(table, medians), expected)
    pd.testing.assert_frame_equal(table, before)
    impute_with_medians(table, medians, overwrite=True)
    pd.testing.assert_frame_equal(table, expected)
