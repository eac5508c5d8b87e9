import json
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import KNNImputer

from tcga_coherent.modality import ModalityConfig
from tcga_coherent.omics import blocks
from tcga_coherent.omics.features import units
from tcga_coherent.omics.features.preprocessor import Preprocessor

CNA_STEPS = (
    "zeros_to_missing",
    "log2_copy_ratio",
    {"clip": {"low": -2, "high": 2}},
    {"drop_missing_features": {"max_missing": 0.1}},
)
RNASEQ_STEPS = (
    "log2_counts_to_cpm",
    "log2_plus_one",
    {"drop_missing_features": {"max_missing": 0.1}},
    {"drop_low_expression": {"min_value": 1.0, "min_share": 0.2}},
)
RPPA_STEPS = ({"drop_missing_features": {"max_missing": 0.2}}, "center_median")
WSI_STEPS = ({"drop_missing_features": {"max_missing": 0.2}}, {"rank_normal": {"quantiles": 30}})


def config(steps: tuple, imputer: str = "knn") -> ModalityConfig:
    return ModalityConfig(label="X", color="#000000", steps=steps, imputer=imputer)


def frame(values: np.ndarray) -> pd.DataFrame:
    index = pd.Index([f"P{i:03d}" for i in range(len(values))], name="patient_id")
    return pd.DataFrame(values.astype(np.float32), index=index).add_prefix("F")


def rppa(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 12)) + rng.normal(size=(80, 12))
    return frame(np.where(rng.random(values.shape) < 0.05, np.nan, values))


def copies(seed: int = 0) -> pd.DataFrame:
    return frame(2 * np.exp2(np.random.default_rng(seed).normal(size=(80, 12)) / 2))


def log_counts(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return frame(np.log2(rng.poisson(rng.lognormal(6, 1, size=12), size=(80, 12)) + 1))


TRAIN = pd.Index([f"P{i:03d}" for i in range(60)])
CASES: list[Any] = [
    pytest.param(copies(), config(CNA_STEPS, "median"), id="cna"),
    pytest.param(log_counts(), config(RNASEQ_STEPS), id="rnaseq"),
    pytest.param(rppa(), config(RPPA_STEPS), id="rppa"),
    pytest.param(rppa(), config(WSI_STEPS, "median"), id="wsi"),
    pytest.param(rppa() * 30, config(("arcsinh",), "median"), id="arcsinh"),
]


def process(table: pd.DataFrame, settings: ModalityConfig) -> tuple[Preprocessor, pd.DataFrame]:
    preprocessor = Preprocessor.fit(table, settings, TRAIN, modality="omics")
    return preprocessor, preprocessor.impute_cohort(preprocessor.scale(table), TRAIN)


@pytest.mark.parametrize(("table", "settings"), CASES)
def test_processed_training_patients_have_mean_zero_and_variance_one(table, settings) -> None:
    preprocessor = Preprocessor.fit(table, settings, TRAIN, modality="omics")
    train = preprocessor.scale(table.loc[TRAIN])
    np.testing.assert_allclose(train.mean(), 0, atol=1e-4)
    np.testing.assert_allclose(train.std(ddof=0), 1, atol=1e-4)


@pytest.mark.parametrize(("table", "settings"), CASES)
def test_processed_tables_are_complete_float32_with_the_patients_of_the_input(
    table, settings
) -> None:
    preprocessor, processed = process(table, settings)
    assert not processed.isna().any(axis=None)
    assert (processed.dtypes == np.float32).all()
    pd.testing.assert_index_equal(processed.index, table.index)
    pd.testing.assert_index_equal(processed.columns, preprocessor.features)


@pytest.mark.parametrize(
    ("table", "settings", "limits"),
    [
        (copies(), config(CNA_STEPS, "median"), (2 * 2.0**-2, 2 * 2.0**2)),
        (rppa(), config(RPPA_STEPS), (None, None)),
        (rppa() * 30, config(("arcsinh",), "median"), (None, None)),
    ],
    ids=["cna", "rppa", "arcsinh"],
)
def test_observed_values_come_back_in_input_units(table, settings, limits) -> None:
    preprocessor, processed = process(table, settings)
    back = preprocessor.inverse_transform(processed)
    observed = table[preprocessor.features].clip(*limits)
    np.testing.assert_allclose(
        back.where(observed.notna()), observed, rtol=2e-4, atol=1e-4, equal_nan=True
    )


def test_counts_come_back_at_the_median_training_library_size() -> None:
    table = log_counts()
    preprocessor, processed = process(table, config(RNASEQ_STEPS))
    counts = 2 ** table.to_numpy(np.float64) - 1
    library = counts.sum(axis=1, keepdims=True)
    expected = counts / library * np.median(library[:60])
    np.testing.assert_allclose(
        preprocessor.inverse_transform(processed), np.log2(expected + 1), rtol=1e-4
    )


@pytest.mark.parametrize(("table", "settings"), CASES)
def test_any_generated_value_comes_back_finite(table, settings) -> None:
    preprocessor, _ = process(table, settings)
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([["P900"], range(50)], names=["patient_id", "draw"])
    generated = pd.DataFrame(
        rng.normal(size=(50, len(preprocessor.features))) * np.logspace(-3, 8, 50)[:, None],
        index=index,
        columns=preprocessor.features,
    )
    back = preprocessor.inverse_transform(generated)
    assert np.isfinite(back.to_numpy()).all()
    pd.testing.assert_index_equal(back.index, index)


@pytest.mark.parametrize(("table", "settings"), CASES)
def test_a_restored_preprocessor_does_the_same(table, settings) -> None:
    preprocessor, processed = process(table, settings)
    arrays, metadata = preprocessor.state()
    restored = Preprocessor.from_state(arrays, json.loads(json.dumps(metadata)))
    again = restored.impute_cohort(restored.scale(table), TRAIN)
    pd.testing.assert_frame_equal(again, processed)
    pd.testing.assert_frame_equal(
        restored.inverse_transform(processed), preprocessor.inverse_transform(processed)
    )
    pd.testing.assert_frame_equal(restored.report, preprocessor.report)


@pytest.mark.parametrize(("table", "settings"), CASES)
def test_values_of_patients_outside_training_change_nothing_that_is_fitted(table, settings) -> None:
    changed = table.copy()
    changed.iloc[60:] = table.iloc[60:] * 1.5 + 0.25
    arrays, metadata = Preprocessor.fit(table, settings, TRAIN, modality="omics").state()
    other_arrays, other_metadata = Preprocessor.fit(
        changed, settings, TRAIN, modality="omics"
    ).state()
    assert metadata == other_metadata
    assert arrays.keys() == other_arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, other_arrays[key])
    _, processed = process(table, settings)
    _, other = process(changed, settings)
    pd.testing.assert_frame_equal(processed.loc[TRAIN], other.loc[TRAIN])
    assert (processed.iloc[60:] != other.iloc[60:]).any(axis=None)


def test_no_training_row_is_kept() -> None:
    arrays, _ = Preprocessor.fit(rppa(), config(RPPA_STEPS), TRAIN, modality="rppa").state()
    # Quantiles of traits of patients, four of each of five, however many patients there are.
    assert arrays.pop("units.limits").shape == (4, 5)
    assert max(array.size for array in arrays.values()) == 12


def test_the_order_of_patients_changes_nothing() -> None:
    table, settings = rppa(), config(RPPA_STEPS)
    _, processed = process(table, settings)
    shuffled = table.sample(frac=1, random_state=1)
    _, other = process(shuffled, settings)
    pd.testing.assert_frame_equal(other.loc[table.index], processed)


def test_training_patients_are_imputed_among_themselves_and_others_from_them() -> None:
    table = rppa()
    preprocessor, processed = process(table, config(RPPA_STEPS))
    scaled = preprocessor.scale(table).to_numpy()
    train = KNNImputer(n_neighbors=5).fit_transform(scaled[:60])
    others = KNNImputer(n_neighbors=5).fit(train).transform(scaled[60:])
    np.testing.assert_allclose(processed, np.vstack([train, others]), atol=1e-5)


def test_what_fills_the_gaps_of_a_patient_who_comes_later_is_given_scaled_features() -> None:
    table = rppa()
    preprocessor, processed = process(table, config(RPPA_STEPS))
    late = preprocessor.transform(table.iloc[60:], lambda scaled: scaled.fillna(processed))
    pd.testing.assert_frame_equal(late, processed.iloc[60:])


def test_new_tables_may_have_further_features_and_another_order() -> None:
    table = log_counts()
    preprocessor, processed = process(table, config(RNASEQ_STEPS))
    other = table.iloc[60:, ::-1].assign(NEW=20.0)
    pd.testing.assert_frame_equal(preprocessor.transform(other), processed.iloc[60:])


def test_a_few_absent_features_are_imputed() -> None:
    table = rppa()
    preprocessor, processed = process(table, config(RPPA_STEPS))
    late = preprocessor.transform(
        table.iloc[60:].drop(columns="F3"), lambda scaled: scaled.fillna(7.0)
    )
    assert (late["F3"] == 7.0).all()
    assert list(late.columns) == list(processed.columns)


def test_too_many_absent_features_are_named() -> None:
    table = rppa()
    preprocessor, _ = process(table, config(RPPA_STEPS))
    with pytest.raises(
        ValueError, match=r"2 of 12 features are absent .*F3.*preprocessing\.max_absent_features"
    ):
        preprocessor.transform(table.drop(columns=["F3", "F4"]))


def test_missing_values_that_nothing_fills_are_an_error() -> None:
    table = rppa()
    preprocessor, _ = process(table, config(RPPA_STEPS))
    with pytest.raises(
        ValueError, match="omics: values are missing and nothing is there to fill them"
    ):
        preprocessor.transform(table)


def test_a_patient_without_any_value_is_named() -> None:
    table = rppa()
    preprocessor, _ = process(table, config(RPPA_STEPS))
    table.loc["P070"] = np.nan
    with pytest.raises(ValueError, match="omics: patient P070 has no value in any of the 12"):
        preprocessor.transform(table)


def test_other_features_cannot_be_brought_back() -> None:
    preprocessor, processed = process(rppa(), config(RPPA_STEPS))
    with pytest.raises(ValueError, match="exactly the 12 processed features"):
        preprocessor.inverse_transform(processed[["F1", "F0"]])


def test_an_all_missing_feature_and_a_constant_one_are_dropped_and_reported() -> None:
    table = rppa()
    table["F2"] = np.nan
    table["F5"] = np.float32(3)
    table.iloc[60:, 5] = 7  # varies, but not in training
    preprocessor, processed = process(table, config(("center_median",)))
    assert list(processed.columns) == [f"F{i}" for i in range(12) if i not in (2, 5)]
    report = preprocessor.report.set_index("step")
    assert report.loc["drop_empty_features", ["removed", "examples"]].tolist() == [1, "F2"]
    assert report.loc["drop_constant_features", ["removed", "examples"]].tolist() == [1, "F5"]
    assert report.loc["drop_empty_features", "reason"] == "missing in all training patients"
    assert report["features_before"].iloc[0] == 12
    assert report["features_after"].iloc[-1] == 10


def test_a_step_that_removes_everything_is_named() -> None:
    steps = ({"drop_low_expression": {"min_value": 1e9, "min_share": 0.2}},)
    with pytest.raises(
        ValueError, match=r"omics: step drop_low_expression removed all 12 features \(above 1e\+09"
    ):
        Preprocessor.fit(rppa(), config(steps), TRAIN, modality="omics")


def test_an_unknown_step_is_named_with_its_modality() -> None:
    with pytest.raises(ValueError, match=r"modalities\.rppa\.steps names the unknown step 'logg'"):
        Preprocessor.fit(rppa(), config(("logg",)), TRAIN, modality="rppa")


def test_a_complaint_of_a_step_names_the_modality() -> None:
    with pytest.raises(ValueError, match="cna: Step log2_copy_ratio: feature F0 of patient P000"):
        Preprocessor.fit(-copies(), config(("log2_copy_ratio",)), TRAIN, modality="cna")


def test_twofold_patients_and_infinite_values_are_refused() -> None:
    table = rppa()
    with pytest.raises(ValueError, match="rppa: patient P000 occurs more than once"):
        Preprocessor.fit(table.iloc[[0, 0, 1]], config(()), TRAIN, modality="rppa")
    table.loc["P009", "F7"] = np.inf
    with pytest.raises(ValueError, match="rppa: feature F7 of patient P009 is infinite"):
        Preprocessor.fit(table, config(()), TRAIN, modality="rppa")


def test_a_modality_without_training_patients_is_an_error() -> None:
    with pytest.raises(ValueError, match="rppa: 0 training patients have this modality"):
        Preprocessor.fit(rppa().iloc[60:], config(RPPA_STEPS), TRAIN, modality="rppa")


def test_one_absurd_value_of_the_cohort_is_named() -> None:
    table = rppa()
    feature, patient = table.columns[2], table.index[5]
    for value in (1e30, -1e12):
        spoilt = table.copy()
        spoilt.loc[patient, feature] = value
        with pytest.raises(
            ValueError,
            match=rf"rppa: feature {feature} of patient {patient} is {value:g}".replace("+", r"\+"),
        ):
            Preprocessor.fit(spoilt, config(RPPA_STEPS), TRAIN, modality="rppa")


def test_one_absurd_value_of_a_later_patient_is_named() -> None:
    table = rppa()
    preprocessor = Preprocessor.fit(table, config(RPPA_STEPS), TRAIN, modality="rppa")
    late = table.iloc[60:].copy()
    feature, patient = preprocessor.features[1], late.index[3]
    late.loc[patient, feature] = 1e20
    with pytest.raises(
        ValueError, match=rf"feature {feature} of patient {patient} is 1e\+20, a million"
    ):
        preprocessor.scale(late)


def test_what_new_patients_are_held_against_survives_being_stored() -> None:
    table = rppa()
    bounds = {"missing_share": 0.5, "level": 6.0, "distance": 5.0}
    fitted = Preprocessor.fit(table, config(RPPA_STEPS), TRAIN, modality="rppa", bounds=bounds)
    again = Preprocessor.from_state(*fitted.state())
    late = table.iloc[60:] + 1000
    found = again.find_outliers(late)
    assert set(found["patient_id"]) == set(late.index)
    assert set(found["rule"]) >= {"level", "distance"}
    pd.testing.assert_frame_equal(found, fitted.find_outliers(late))
    assert again.describe_units(late) == fitted.describe_units(late)
    arrays, metadata = fitted.state()
    del metadata["outlier_rules"]
    with pytest.raises(
        ValueError, match=r"rppa: the preprocessor was stored by an earlier version"
    ):
        Preprocessor.from_state(arrays, metadata)


@pytest.mark.parametrize(("table", "settings"), CASES)
def test_blocks_make_no_difference_and_the_table_stays_as_it_was(
    table, settings, monkeypatch
) -> None:
    before = table.copy()
    whole, processed = process(table, settings)
    monkeypatch.setattr(blocks, "COLUMNS", 5)
    monkeypatch.setattr(blocks, "ROWS", 7)
    in_blocks, processed_in_blocks = process(table, settings)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(processed_in_blocks, processed)
    pd.testing.assert_frame_equal(in_blocks.report, whole.report)
    for key, array in whole.state()[0].items():
        np.testing.assert_allclose(in_blocks.state()[0][key], array, rtol=1e-6, err_msg=key)


def test_expression_in_blocks_is_that_of_the_formula(monkeypatch) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 5)
    table = log_counts()
    _, processed = process(table, config(RNASEQ_STEPS))
    counts = np.exp2(table.to_numpy(np.float64)) - 1
    expected = np.log2(counts / counts.sum(axis=1, keepdims=True) * 1e6 + 1)
    expected = (expected - expected[:60].mean(axis=0)) / expected[:60].std(axis=0)
    assert processed.shape == table.shape
    np.testing.assert_allclose(processed, expected, atol=2e-3)


def test_steps_learn_from_whole_libraries_behind_steps_that_drop_features(monkeypatch) -> None:
    table = log_counts()
    table.iloc[5:, 2] = np.nan
    steps = ({"drop_missing_features": {"max_missing": 0.1}}, "log2_counts_to_cpm", "log2_plus_one")
    _, whole = process(table, config(steps))
    monkeypatch.setattr(blocks, "COLUMNS", 5)
    _, in_blocks = process(table, config(steps))
    counts = np.exp2(table.drop(columns="F2").to_numpy(np.float64)) - 1
    expected = np.log2(counts / counts.sum(axis=1, keepdims=True) * 1e6 + 1)
    expected = (expected - expected[:60].mean(axis=0)) / expected[:60].std(axis=0)
    np.testing.assert_allclose(in_blocks, expected, atol=2e-3)
    np.testing.assert_allclose(in_blocks, whole, rtol=1e-5, atol=1e-6)


def test_beside_a_large_table_only_one_copy_of_the_training_patients_is_in_memory(
    monkeypatch,
) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 64)
    monkeypatch.setattr(blocks, "ROWS", 16)
    # Of few features, so that what is in double precision for them does not count.
    monkeypatch.setattr(units, "MAX_FEATURES", 50)
    rng = np.random.default_rng(0)
    table = frame(np.log2(rng.poisson(200, size=(800, 1500)) + 1))
    train, settings = table.index[:600], config(RNASEQ_STEPS, "median")
    megabytes = table.to_numpy().nbytes / 2**20
    tracemalloc.start()
    try:
        preprocessor = Preprocessor.fit(table, settings, train, modality="omics")
        fitting = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0] / 2**20
        scaled = preprocessor.scale(table)
        preprocessor.impute_cohort(scaled, train, overwrite=True)
        scaling = tracemalloc.get_traced_memory()[1] / 2**20 - held
    finally:
        tracemalloc.stop()
    # The copy has three quarters of the table, the scaled table is as large as it.
    assert fitting < 1.1 * megabytes
    assert scaling < 1.3 * megabytes
