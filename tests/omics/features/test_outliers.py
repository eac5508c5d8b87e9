import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics import blocks
from tcga_coherent.omics.features.outliers import (
    applied_rules,
    find_outliers,
    learn_usual_patients,
    measure_patients,
)
from tcga_coherent.omics.features.transforms import Log2CountsToCpm

BOUNDS = {
    "missing_share": 0.5,
    "level": 6.0,
    "distance": 5.0,
    "library_size": 6.0,
    "detected_features": 6.0,
}


@pytest.fixture
def table() -> pd.DataFrame:
    """Values of features on very different scales."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 300)) * 10.0 ** rng.integers(-2, 3, size=300)
    index = pd.Index([f"P{i:03d}" for i in range(200)], name="patient_id")
    return pd.DataFrame(values.astype(np.float32), index=index).add_prefix("F")


@pytest.fixture
def log_counts() -> pd.DataFrame:
    """log2(count + 1) of libraries of about a million."""
    rng = np.random.default_rng(1)
    rates = rng.lognormal(2, 2, size=500)
    depth = rng.lognormal(0, 0.2, size=(200, 1))
    index = pd.Index([f"P{i:03d}" for i in range(200)], name="patient_id")
    counts = rng.poisson(rates * depth * rng.lognormal(0, 0.3, size=(200, 500)))
    return pd.DataFrame(np.log2(counts + 1).astype(np.float32), index=index).add_prefix("G")


def found(table: pd.DataFrame, steps: list, bounds: dict = BOUNDS) -> set[tuple[str, str]]:
    outliers = find_outliers(table, steps, bounds, modality="omics")
    assert set(outliers["modality"]) <= {"omics"}
    return set(zip(outliers["patient_id"], outliers["rule"], strict=True))


def test_ordinary_patients_stay(table: pd.DataFrame) -> None:
    assert found(table, []) == set()


def test_a_patient_whose_values_are_all_shifted_breaks_level_and_distance(table) -> None:
    table.loc["P007"] += 4 * table.std()
    assert found(table, []) == {("P007", "level"), ("P007", "distance")}


def test_a_patient_whose_values_are_far_in_both_directions_breaks_distance_alone(table) -> None:
    far = table.median() + np.tile([-5, 5], 150) * table.std()
    table.loc["P007"] = far.astype(np.float32)
    assert found(table, []) == {("P007", "distance")}


def test_a_patient_with_the_median_profile_is_no_outlier(table) -> None:
    table.loc["P007"] = table.median()
    assert found(table, []) == set()


def test_a_patient_without_any_value_is_found_whatever_the_bounds(table) -> None:
    table.loc["P007"] = np.nan
    assert found(table, [], {}) == {("P007", "missing_share")}


def test_missing_share_counts_only_features_that_half_of_the_patients_have(table) -> None:
    table.iloc[:150, :160] = np.nan  # a panel that three quarters were not measured with
    assert found(table, []) == set()
    table.iloc[3, 160 : 160 + 71] = np.nan  # 71 of the other 140 features
    assert found(table, []) == {("P003", "missing_share")}


def test_values_are_judged_after_the_leading_row_wise_steps(table) -> None:
    table.loc["P007"] *= 20
    assert found(table, [{"clip": {"low": -0.01, "high": 0.01}}]) == set()


def test_a_failed_library_breaks_the_rules_for_counts(log_counts) -> None:
    counts = np.exp2(log_counts.loc["P011"]) - 1
    log_counts.loc["P011"] = np.log2(np.floor(counts / 50) + 1)
    rules = {rule for patient, rule in found(log_counts, ["log2_counts_to_cpm", "log2_plus_one"])}
    assert {"library_size", "detected_features"} <= rules
    assert {p for p, _ in found(log_counts, ["log2_counts_to_cpm"])} == {"P011"}


def test_a_library_without_counts_is_a_patient_without_values(log_counts) -> None:
    log_counts.loc["P011"] = 0
    assert ("P011", "missing_share") in found(log_counts, ["log2_counts_to_cpm"])


def test_rules_without_a_bound_and_rules_for_counts_do_not_apply_elsewhere() -> None:
    assert applied_rules(["center_median"], {**BOUNDS, "level": None}) == [
        "missing_share",
        "distance",
    ]
    assert applied_rules(["log2_counts_to_cpm"], BOUNDS) == list(BOUNDS)


def test_the_report_gives_summary_score_and_bound(table) -> None:
    table.loc["P007"] += 4 * table.std()
    outliers = find_outliers(table, [], BOUNDS, modality="omics").set_index("rule")
    row = outliers.loc["level"]
    scores = (table - table.median()) / (1.4826 * (table - table.median()).abs().median())
    level = scores.median(axis=1)
    spread = 1.4826 * (level - level.median()).abs().median()
    assert spread < 0.2  # of 300 independent features
    score = (level - level.median()) / 0.2
    assert row["value"] == pytest.approx(level["P007"], rel=1e-4)
    assert row["score"] == pytest.approx(score["P007"], rel=1e-4)
    assert row["bound"] == 6.0


def test_where_patients_hardly_differ_small_differences_make_no_outlier(table) -> None:
    table.loc["P007"] += table.std()  # far outside the medians of 300 independent features
    assert found(table, []) == set()


def test_a_score_is_in_units_of_the_spread_of_patients_where_it_is_not_small(table) -> None:
    shift = np.random.default_rng(2).normal(size=200)
    shift[7] = 4
    table += np.outer(shift, table.std())
    bounds = {"level": 3.0}
    report = find_outliers(table, [], bounds, modality="omics").set_index("patient_id")
    scores = (table - table.median()) / (1.4826 * (table - table.median()).abs().median())
    level = scores.median(axis=1)
    deviation = level - level.median()
    score = deviation / (1.4826 * deviation.abs().median())
    assert report.index.tolist() == score.index[score.abs() > 3].tolist()
    np.testing.assert_allclose(report["score"], score[report.index], rtol=1e-3)


def test_disjoint_feature_panels_are_an_error(table) -> None:
    halves = pd.concat([table.iloc[:, :150], table.iloc[:90, 150:]], axis=1)
    halves.iloc[:101, :150] = np.nan
    with pytest.raises(ValueError, match="omics: no feature is measured in at least half"):
        find_outliers(halves, [], BOUNDS, modality="omics")


def test_new_patients_are_judged_by_the_medians_and_spreads_of_others(table) -> None:
    """What breaks a rule among a cohort breaks it alone, with the same score."""
    table.loc["P007"] += 4 * table.std()
    in_cohort = find_outliers(table, [], BOUNDS, modality="omics")
    usual = learn_usual_patients(
        measure_patients(table, [], modality="omics"),
        ["level", "distance"],
        BOUNDS,
        modality="omics",
    )
    alone = usual.find_outliers(
        measure_patients(table.loc[["P007", "P008"]], [], modality="omics"), modality="omics"
    )
    pd.testing.assert_frame_equal(alone, in_cohort, check_exact=False)


def test_a_table_of_detected_genes_alone_is_not_an_outlier_of_detection(log_counts) -> None:
    steps = [Log2CountsToCpm()]
    steps[0].fit(log_counts)
    usual = learn_usual_patients(
        measure_patients(log_counts, steps, modality="omics"),
        ["detected_features"],
        BOUNDS,
        modality="omics",
    )
    assert (log_counts > 0).mean(axis=None) < 0.9
    often = (log_counts > 0).mean() > 0.99
    only_detected = log_counts.where(often, np.nan)
    found = usual.find_outliers(
        measure_patients(only_detected, steps, modality="omics"), modality="omics"
    )
    assert found.empty


def test_a_value_that_a_step_cannot_take_is_named_with_its_modality(log_counts) -> None:
    with pytest.raises(
        ValueError, match=r"omics: Step log2_counts_to_cpm: feature G0 of patient P000"
    ):
        find_outliers(-log_counts - 1, ["log2_counts_to_cpm"], BOUNDS, modality="omics")


def test_summaries_are_those_of_the_whole_table_whatever_the_blocks(
    log_counts: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 90)
    monkeypatch.setattr(blocks, "ROWS", 33)
    table = log_counts.mask(np.random.default_rng(2).random(log_counts.shape) < 0.1)
    measured = measure_patients(table, [Log2CountsToCpm()], modality="omics")
    usual = learn_usual_patients(measured, ["level"], BOUNDS, modality="omics")
    summaries = usual.summarise(measured)

    counts = np.exp2(table.astype(float)) - 1
    library = counts.sum(axis=1)
    detected = (counts > 0).where(counts.notna()).astype(float)
    expected_share = detected.fillna(detected.mean()).mean(axis=1)
    cpm = counts.div(library, axis=0) * 1e6
    scores = (cpm - cpm.median()) / (1.4826 * (cpm - cpm.median()).abs().median())
    scores = scores.replace([np.inf, -np.inf], np.nan)
    expected = {
        "library_size": np.log(library),
        "detected_features": expected_share,
        "missing_share": table.isna().mean(axis=1),
        "level": scores.median(axis=1),
        "distance": np.log(scores.abs().median(axis=1)),
    }
    for rule, values in expected.items():
        np.testing.assert_allclose(summaries[rule], values, rtol=1e-4, atol=1e-4, err_msg=rule)
