from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.metrics.pairwise import cosine_similarity

from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.measures.fidelity import r2
from tcga_coherent.studies.reconstruction.table import (
    ReportedRow,
    _scores,
    summary_lines,
    table1,
)

REPORTED = (
    ReportedRow("cna", "coherent", "rppa+rnaseq", 0.1, 0.01, 13.0),
    ReportedRow("rnaseq", "single", "cna", 0.2, 0.02, 14.0),
    ReportedRow("rnaseq", "single", "wsi", 0.3, 0.03, 15.0),
)


def make(
    simulation, test_draws=None, seed: int = 0, repeats: int = 300, antithetic: bool = False
) -> pd.DataFrame:
    changes = {} if test_draws is None else {"test_draws": test_draws}
    bootstrap = BootstrapParameters(repeats=repeats, level=0.95)
    return table1(simulation.held_out(antithetic, **changes), bootstrap, REPORTED, seed)


@pytest.fixture(scope="module")
def table(simulation) -> pd.DataFrame:
    return make(simulation)


def rows(table: pd.DataFrame, target: str, method: str) -> pd.DataFrame:
    return table[(table["target"] == target) & (table["method"] == method)].set_index("source")


def test_there_is_one_row_a_target_method_and_source_set_in_order(table) -> None:
    assert len(table) == 3 * (2 + 3 + 3 + 4 * 3)
    assert not table.duplicated(["target", "method", "source"]).any()
    cna = table[table["target"] == "cna"]
    assert list(cna["method"].unique()) == [
        "single",
        "multi",
        "coherent",
        "ridge_features",
        "ridge",
        "knn",
        "mean",
    ]
    assert list(rows(table, "cna", "ridge").index) == ["rnaseq", "rppa", "rnaseq+rppa"]
    assert list(table["target"].unique()) == ["cna", "rnaseq", "rppa"]
    assert (table["n_patients"] == 300).all()
    assert (table["n_draws"] == 19).all()


def test_draws_from_the_true_conditional_score_as_the_gaussian_closed_form_says(
    simulation, table
) -> None:
    for target, sources in [("cna", ("rnaseq",)), ("rppa", ("cna", "rnaseq"))]:
        left = 1 - simulation.explained(target, sources)
        row = rows(table, target, "multi").loc["+".join(sources)]
        assert row["r2_mean"] == pytest.approx(1 - 2 * left, abs=0.1)
        assert row["r2_of_mean"] == pytest.approx(1 - left * (1 + 1 / 19), abs=0.05)
        assert row["variance_percent"] == pytest.approx(100 * left, abs=4)
        assert row["coverage_50"] == pytest.approx(0.5, abs=0.03)
        assert row["coverage_90"] == pytest.approx(0.9, abs=0.02)
        assert row["spread_skill"] == pytest.approx(1, abs=0.04)
        _, covariance = simulation.conditional(target, sources)
        crps = np.mean(np.sqrt(np.diag(covariance))) / np.sqrt(np.pi)
        assert row["crps"] == pytest.approx(crps, rel=0.06)


def conditional_mean(simulation, target: str, sources: tuple[str, ...]) -> np.ndarray:
    coefficients, _ = simulation.conditional(target, sources)
    values = [simulation.cohort.truth(source) for source in sources]
    return np.concatenate(values, axis=1) @ coefficients.T


def test_the_corrected_r2_is_that_of_the_conditional_mean(simulation, table) -> None:
    for target, sources in [("cna", ("rnaseq",)), ("rppa", ("cna", "rnaseq"))]:
        row = rows(table, target, "multi").loc["+".join(sources)]
        mean = conditional_mean(simulation, target, sources)
        exact = r2(simulation.cohort.truth(target), mean)
        assert row["r2_of_mean"] < exact - 0.01
        assert row["r2_of_mean_corrected"] == pytest.approx(exact, abs=0.015)
    ridge = rows(table, "cna", "ridge")
    assert (ridge["r2_of_mean_corrected"] == ridge["r2_of_mean"]).all()


def test_what_the_mean_of_few_draws_loses_is_corrected_without_bias() -> None:
    # Draws are noise of variance 4 about the truth of variance 1: the mean of three loses 4 / 3.
    random = np.random.default_rng(0)
    truth = random.standard_normal((4000, 2))
    draws = truth + 2 * random.standard_normal((3, 4000, 2))
    everyone = np.ones((2, 4000), dtype=np.int64)
    scores = _scores(truth, (draws,), draws.mean(axis=0), everyone, 0.9)
    assert scores["r2_of_mean"] == pytest.approx(1 - 4 / 3, abs=0.06)
    lost = scores["r2_of_mean_corrected"] - scores["r2_of_mean"]
    assert lost == pytest.approx(4 / 3, abs=0.06)


def test_mirrored_draws_are_scored_as_two_independent_sets(simulation, table) -> None:
    """Draws and their mirror images around the exact mean: the spread is what it was."""
    mirrored = {}
    for name, load in simulation.test_draws.items():
        target, method, source = name.split("/")
        frame = load()
        if method == "multi":
            mean = conditional_mean(simulation, target, tuple(source.split("+")))
            other = np.repeat(2 * mean, 19, axis=0) - frame.to_numpy()
        else:
            other = frame.to_numpy()
        index = frame.index.set_levels(frame.index.levels[1] + 19, level=1)
        both = pd.concat([frame, pd.DataFrame(other, index, frame.columns)]).sort_index()
        mirrored[name] = lambda both=both: both
    paired = rows(make(simulation, mirrored, antithetic=True), "cna", "multi")
    plain = rows(table, "cna", "multi")
    for measure in ("crps", "coverage_50", "coverage_90", "variance_percent", "spread_skill"):
        np.testing.assert_allclose(paired[measure], plain[measure], rtol=0.04)
    assert (paired["r2_of_mean"] > plain["r2_of_mean"] + 0.01).all()
    np.testing.assert_allclose(paired["r2_of_mean_corrected"], paired["r2_of_mean"], atol=1e-6)


def test_an_overconfident_ensemble_shows_in_coverage_and_not_in_the_mean(table) -> None:
    coherent = rows(table, "cna", "coherent").loc["rnaseq+rppa"]
    multi = rows(table, "cna", "multi").loc["rnaseq+rppa"]
    assert coherent["r2_of_mean"] == pytest.approx(multi["r2_of_mean"], abs=0.02)
    assert coherent["coverage_90"] < 0.7
    assert coherent["spread_skill"] == pytest.approx(0.5, abs=0.03)
    assert coherent["crps"] > multi["crps"]
    assert coherent["energy_score"] > multi["energy_score"]


def test_ridge_comes_near_the_conditional_mean_of_a_gaussian_world(simulation, table) -> None:
    row = rows(table, "cna", "ridge").loc["rnaseq+rppa"]
    assert row["r2_of_mean"] == pytest.approx(
        simulation.explained("cna", ("rnaseq", "rppa")), abs=0.04
    )
    assert row["coverage_90"] == pytest.approx(0.9, abs=0.03)
    assert rows(table, "cna", "mean")["r2_of_mean"].abs().max() < 0.02


def test_r2_of_mean_equals_scikit_learn_on_the_mean_of_the_draws(simulation, table) -> None:
    cohort = simulation.cohort
    mean = simulation.test_draws["rppa/coherent/cna+rnaseq"]().groupby(level="patient_id").mean()
    truth = cohort.latents["rppa"].loc[cohort.test].to_numpy()
    row = rows(table, "rppa", "coherent").loc["cna+rnaseq"]
    mean = mean.loc[cohort.test].to_numpy()
    assert row["r2_of_mean"] == pytest.approx(r2_score(truth.ravel(), mean.ravel()))
    assert row["r2_variance_weighted"] == pytest.approx(
        r2_score(truth, mean, multioutput="variance_weighted")
    )


def test_errors_and_cosines_equal_those_of_scikit_learn(simulation, table) -> None:
    cohort = simulation.cohort
    truth = cohort.truth("rppa")
    draws = simulation.test_draws["rppa/coherent/cna+rnaseq"]()
    each = [draws.xs(k, level="draw").loc[cohort.test].to_numpy() for k in range(19)]
    row = rows(table, "rppa", "coherent").loc["cna+rnaseq"]
    mean = np.mean(each, axis=0)
    assert row["mse_of_mean"] == pytest.approx(mean_squared_error(truth, mean))
    assert row["mse_of_draws"] == pytest.approx(
        np.mean([mean_squared_error(truth, draw) for draw in each])
    )
    assert row["cosine_of_mean"] == pytest.approx(np.diag(cosine_similarity(truth, mean)).mean())
    assert row["cosine_of_draws"] == pytest.approx(
        np.mean([np.diag(cosine_similarity(truth, draw)) for draw in each])
    )
    # The other patients' values would do much worse: rows are those of the same patient.
    assert row["cosine_of_mean"] > 0.3


def test_the_bootstrap_interval_equals_resampling_patient_by_patient(simulation) -> None:
    cohort = simulation.cohort
    truth = cohort.latents["cna"].loc[cohort.test].to_numpy()
    draws = simulation.test_draws["cna/multi/rppa"]().groupby(level="patient_id").mean()
    mean = draws.loc[cohort.test].to_numpy()
    rng = np.random.default_rng(5)
    scores = []
    for _ in range(4000):
        chosen = rng.integers(0, 300, size=300)
        scores.append(r2_score(truth[chosen].ravel(), mean[chosen].ravel()))
    row = rows(make(simulation, repeats=4000), "cna", "multi").loc["rppa"]
    low, high = np.quantile(scores, [0.025, 0.975])
    assert row["r2_of_mean_low"] == pytest.approx(low, abs=0.006)
    assert row["r2_of_mean_high"] == pytest.approx(high, abs=0.006)


def test_best_marks_the_highest_mean_among_methods_with_all_sources(table) -> None:
    assert (table.groupby("target")["best"].sum() == 1).all()
    complete = table[table["source"].str.contains("+", regex=False)]
    for target, group in complete.groupby("target"):
        best = table[table["best"] & (table["target"] == target)].iloc[0]
        assert best["r2_of_mean"] == group["r2_of_mean"].max()
        assert "+" in best["source"]


def test_reported_values_stand_beside_the_matching_row_and_nowhere_else(table) -> None:
    row = rows(table, "cna", "coherent").loc["rnaseq+rppa"]
    assert tuple(row[["paper_r2_mean", "paper_r2_std", "paper_variance_percent"]]) == (
        0.1,
        0.01,
        13,
    )
    assert rows(table, "rnaseq", "single").loc["cna", "paper_r2_mean"] == 0.2
    assert table["paper_r2_mean"].notna().sum() == 2


def test_the_same_seed_gives_the_same_table_and_another_seed_other_baseline_draws(
    simulation, table
) -> None:
    pd.testing.assert_frame_equal(make(simulation), table)
    other = make(simulation, seed=1)
    exact = ["r2_of_mean", "r2_variance_weighted"]
    pd.testing.assert_frame_equal(other[exact], table[exact])
    ridge = table["method"] == "ridge"
    assert (other.loc[ridge, "crps"] != table.loc[ridge, "crps"]).all()


def test_a_missing_partition_is_named(simulation) -> None:
    fewer = {k: v for k, v in simulation.test_draws.items() if k != "rppa/multi/cna+rnaseq"}
    with pytest.raises(ValueError, match=r"test_draws has no partition rppa/multi/cna\+rnaseq"):
        make(simulation, fewer)


def test_partitions_with_other_numbers_of_draws_are_refused(simulation) -> None:
    name = "cna/coherent/rnaseq+rppa"
    fewer = simulation.test_draws[name]().query("draw < 10")
    with pytest.raises(ValueError, match=r"rnaseq\+rppa holds 10 draws a patient, other .* 19"):
        make(simulation, simulation.test_draws | {name: lambda: fewer})


def test_partitions_are_loaded_once_each(simulation) -> None:
    loaded = []

    def counting(name: str):
        def load() -> pd.DataFrame:
            loaded.append(name)
            return simulation.test_draws[name]()

        return load

    make(simulation, {name: counting(name) for name in simulation.test_draws})
    assert sorted(loaded) == sorted(simulation.test_draws)


def test_the_summary_names_winner_and_rivals_of_each_target() -> None:
    scores = [
        ("single", "rnaseq", 0.30, False),
        ("single", "rppa", 0.35, False),
        ("multi", "rppa", 0.90, False),
        ("multi", "rnaseq+rppa", 0.41, False),
        ("coherent", "rnaseq+rppa", 0.42, False),
        ("ridge", "rnaseq+rppa", 0.43, True),
    ]
    table = pd.DataFrame(scores, columns=["method", "source", "r2_of_mean", "best"])
    assert summary_lines(table.assign(target="cna")) == [
        "cna: R2 of the mean draw from rnaseq+rppa: multi 0.410, coherent 0.420, ridge 0.430; "
        "best single source 0.350 (rppa); best: ridge"
    ]


def test_five_modalities_give_all_their_source_sets(simulation_of_five) -> None:
    table = make(simulation_of_five)
    # 4 single, 15 multi, 15 coherent and four baselines of 15 each.
    assert (table.groupby("target").size() == 4 + 15 + 15 + 60).all()
    assert set(table.loc[table["best"], "source"].str.count(r"\+")) == {3}


def test_two_modalities_are_compared_by_every_method(simulation) -> None:
    two = replace(simulation, modalities=["cna", "rnaseq"])
    table = make(two)
    assert set(table["method"]) == {"single", "multi", "coherent", *BASELINES}
    assert (table.groupby("target")["best"].sum() == 1).all()
    assert len(summary_lines(table)) == 2
