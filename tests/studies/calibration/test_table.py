from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.cohort import Cohort
from tcga_coherent.held_out import HeldOut
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.studies.calibration.table import (
    CalibrationParameters,
    calibration_lines,
    calibration_table,
)

LEVELS = (0.2, 0.5, 0.8, 0.9)
PARAMETERS = CalibrationParameters(levels=LEVELS, spread_bins=4)


def make(test_draws, cohort, antithetic: bool = False, **changes) -> pd.DataFrame:
    arguments = {
        "bootstrap": BootstrapParameters(repeats=200, level=0.95),
        "parameters": PARAMETERS,
        "seed": 0,
    }
    baselines = BaselineParameters(
        ridge_alphas=(1.0, 10.0), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10,)
    )
    predictions = {
        name: lambda frame=frame: frame for name, frame in predict_baselines(cohort, baselines)
    }
    held_out = HeldOut(cohort, test_draws, predictions, antithetic)
    return calibration_table(held_out, **(arguments | changes))


@pytest.fixture(scope="module")
def table(simulation) -> pd.DataFrame:
    return make(simulation.test_draws, simulation.cohort)


def measure(table: pd.DataFrame, name: str, method: str, target: str = "cna") -> pd.DataFrame:
    chosen = (table["measure"] == name) & (table["method"] == method) & (table["target"] == target)
    return table[chosen & (table["cancer_type"] == "all")]


def two_modalities(draws: np.ndarray, truth: np.ndarray) -> tuple[dict, Cohort]:
    """Give draws x patients x dimensions of modality a from b, the latter pure noise."""
    n_patients, n_dimensions = truth.shape
    rng = np.random.default_rng(2)
    names = [f"P{i:04d}" for i in range(n_patients + 60)]
    patients, columns = pd.Index(names, name="patient_id"), [f"z{i}" for i in range(n_dimensions)]
    others = rng.standard_normal((60, n_dimensions))
    latents = {
        "a": pd.DataFrame(np.vstack([truth, others]), patients, columns),
        "b": pd.DataFrame(rng.standard_normal((n_patients + 60, n_dimensions)), patients, columns),
    }
    types = pd.Series(np.where(np.arange(len(names)) % 3, "BRCA", "LUAD"), patients)
    cohort = Cohort(latents, patients[-60:-20], patients[-20:], patients[:n_patients], types)
    index = pd.MultiIndex.from_product([patients[:n_patients], range(len(draws))])
    index.names = ["patient_id", "draw"]
    frame = pd.DataFrame(draws.swapaxes(0, 1).reshape(-1, n_dimensions), index, columns)
    methods = ("single", "multi", "coherent")
    names = [name for m in methods for name in (f"a/{m}/b", f"b/{m}/a")]
    return {name: lambda: frame for name in names}, cohort


def test_draws_from_the_true_conditional_are_calibrated_by_every_measure(table) -> None:
    for target in ("cna", "rnaseq", "rppa"):
        covered = measure(table, "coverage", "multi", target)
        assert list(covered["point"]) == [20, 50, 80, 90]
        assert list(covered["value"]) == pytest.approx(list(LEVELS), abs=0.03)
        ranks = measure(table, "rank", "multi", target)
        assert list(ranks["point"]) == list(range(20))
        assert ranks["value"].to_numpy() == pytest.approx(1 / 20, abs=0.02)
        assert (ranks["nominal"] == 1 / 20).all()
        assert measure(table, "spread_skill", "multi", target)["value"].item() == pytest.approx(
            1, abs=0.05
        )


def test_draws_of_half_the_spread_have_the_ranks_and_coverage_of_the_closed_form(table) -> None:
    # Given the truth y in units of the true spread, draws below it are binomial with Phi(2 y).
    y = np.linspace(-8, 8, 4001)
    expected = np.array(
        [np.trapezoid(norm.pdf(y) * binom.pmf(rank, 19, norm.cdf(2 * y)), y) for rank in range(20)]
    )
    ranks = measure(table, "rank", "coherent")["value"].to_numpy()
    assert ranks == pytest.approx(expected, abs=0.03)
    assert ranks[[0, -1]].min() > 3 * ranks[8:12].max()
    # 10 (50 %) and 16 (80 %) of the 20 ranks lie within the intervals.
    covered = measure(table, "coverage", "coherent").set_index("point")["value"]
    assert covered[50] == pytest.approx(expected[5:15].sum(), abs=0.03)
    assert covered[80] == pytest.approx(expected[2:18].sum(), abs=0.03)
    assert measure(table, "spread_skill", "coherent")["value"].item() == pytest.approx(
        0.5, abs=0.04
    )


def test_cancer_types_are_measured_on_their_own_patients(simulation, table) -> None:
    cohort = simulation.cohort
    types = cohort.cancer_type[cohort.test]
    rows = table[(table["target"] == "rppa") & (table["method"] == "ridge_features")].set_index(
        "measure"
    )
    covered = rows.loc["coverage"].set_index(["cancer_type", "point"])
    for name, count in types.value_counts().items():
        assert covered.loc[name].index.tolist() == [50, 90]
        assert (covered.loc[name, "n_patients"] == count).all()
    shares = types.value_counts(normalize=True)
    for level in (50, 90):
        mean = sum(shares[name] * covered.loc[(name, level), "value"] for name in shares.index)
        assert mean == pytest.approx(covered.loc[("all", level), "value"])


def test_intervals_hold_their_value_and_narrow_with_the_number_of_patients(table) -> None:
    known = table.dropna(subset=["low"])
    assert (known["low"] <= known["value"]).all()
    assert (known["value"] <= known["high"]).all()
    width = (table["high"] - table["low"]).groupby([table["measure"], table["cancer_type"]]).mean()
    assert width["coverage", "BRCA"] > 1.2 * width["coverage", "all"]


def test_error_grows_with_a_spread_that_is_right_for_each_patient() -> None:
    rng = np.random.default_rng(0)
    sd = np.linspace(0.5, 2, 400)[:, None]
    values = sd * rng.standard_normal((21, 400, 16))
    draws, cohort = two_modalities(values[1:], values[0])
    table = make(draws, cohort)
    binned = measure(table, "error_by_spread", "multi", "a")
    assert list(binned["point"]) == [1, 2, 3, 4]
    assert list(binned["n_patients"]) == [100] * 4
    assert binned["value"].to_numpy() == pytest.approx(binned["nominal"].to_numpy(), rel=0.05)
    correlation = measure(table, "spread_error", "multi", "a")
    assert correlation["value"].item() > 0.7
    assert correlation["low"].item() > 0.6


def test_a_spread_that_knows_nothing_of_the_patient_does_not_correlate_with_error() -> None:
    rng = np.random.default_rng(1)
    sd = np.linspace(0.5, 2, 400)[:, None]
    draws, cohort = two_modalities(
        sd * rng.standard_normal((20, 400, 16)),
        np.flip(sd)[rng.permutation(400)] * rng.standard_normal((400, 16)),
    )
    correlation = measure(make(draws, cohort), "spread_error", "multi", "a")
    assert correlation["low"].item() < 0 < correlation["high"].item()


def test_ridge_has_one_spread_for_all_and_is_not_asked_to_tell_patients_apart(table) -> None:
    own = table[table["method"] == "ridge_features"]
    assert set(own["measure"]) == {"coverage", "rank", "spread_skill"}


def test_antithetic_draws_are_measured_by_halves() -> None:
    rng = np.random.default_rng(4)
    values = rng.standard_normal((11, 200, 8))
    draws, cohort = two_modalities(np.concatenate([values[1:], -values[1:]]), values[0])
    ranks = measure(make(draws, cohort, antithetic=True), "rank", "multi", "a")
    assert len(ranks) == 11
    assert ranks["value"].to_numpy() == pytest.approx(1 / 11, abs=0.02)


def test_few_draws_are_compared_with_the_coverage_that_they_can_reach(simulation) -> None:
    few = {
        name: lambda load=load: load().query("draw < 5")
        for name, load in simulation.test_draws.items()
    }
    covered = measure(make(few, simulation.cohort), "coverage", "multi").set_index("point")
    assert covered.loc[90, "nominal"] == pytest.approx(4 / 6)
    assert covered.loc[90, "value"] == pytest.approx(4 / 6, abs=0.04)


def test_a_cancer_type_of_one_patient_has_no_interval(simulation) -> None:
    cohort = simulation.cohort
    types = cohort.cancer_type.copy()
    types[cohort.test[0]] = "UCS"
    table = make(simulation.test_draws, replace(cohort, cancer_type=types))
    lonely = table[table["cancer_type"] == "UCS"]
    assert (lonely["n_patients"] == 1).all()
    assert lonely["value"].notna().all()
    assert lonely[["low", "high"]].isna().all(axis=None)


def test_of_two_modalities_every_method_is_calibrated() -> None:
    draws, cohort = two_modalities(np.random.default_rng(0).random((4, 30, 2)), np.ones((30, 2)))
    methods = ["single", "multi", "coherent", "ridge_features"]
    assert list(make(draws, cohort)["method"].unique()) == methods


def test_a_missing_partition_is_named(simulation) -> None:
    draws = {k: v for k, v in simulation.test_draws.items() if k != "cna/multi/rnaseq+rppa"}
    with pytest.raises(ValueError, match=r"test_draws has no partition cna/multi/rnaseq\+rppa"):
        make(draws, simulation.cohort)


def test_one_line_a_target_states_coverage_and_spread(table) -> None:
    lines = calibration_lines(table)
    assert [line.split(":")[0] for line in lines] == ["cna", "rnaseq", "rppa"]
    covered = measure(table, "coverage", "coherent").set_index("point")["value"]
    assert f"coherent {covered[50]:.1%} and {covered[90]:.1%}, spread/error 0.5" in lines[0]
