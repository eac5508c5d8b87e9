from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_squared_error, r2_score

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.studies.reconstruction.by_type import (
    ByTypeParameters,
    by_type_lines,
    reconstruction_by_type,
)


def make(simulation, cohort=None, min_patients: int = 10, repeats: int = 100) -> pd.DataFrame:
    return reconstruction_by_type(
        simulation.held_out() if cohort is None else simulation.held_out(cohort=cohort),
        BootstrapParameters(repeats=repeats, level=0.95),
        ByTypeParameters(min_patients),
        seed=0,
    )


@pytest.fixture(scope="module")
def table(simulation) -> pd.DataFrame:
    return make(simulation)


def row(table: pd.DataFrame, target: str, method: str, source: str, cancer_type: str) -> pd.Series:
    key = ["target", "method", "source", "cancer_type"]
    return table.set_index(key).loc[(target, method, source, cancer_type)]


def draws_of(simulation, name: str, patients: pd.Index) -> np.ndarray:
    frame = simulation.test_draws[name]()
    return np.stack([frame.xs(k, level="draw").loc[patients].to_numpy() for k in range(19)])


def test_every_reconstruction_has_a_row_a_type_and_one_of_all(simulation, table) -> None:
    assert len(table) == 3 * (2 + 3 + 3 + 4 * 3) * 3
    assert not table.duplicated(["target", "method", "source", "cancer_type"]).any()
    sizes = simulation.cohort.cancer_type[simulation.cohort.test].value_counts()
    found = table.groupby("cancer_type")["n_patients"].unique()
    assert found["all"] == [300]
    assert found["LUAD"] == [sizes["LUAD"]]
    assert found["BRCA"] == [sizes["BRCA"]]


def test_scores_of_a_type_are_those_of_its_patients_alone(simulation, table) -> None:
    cohort = simulation.cohort
    for name in ("LUAD", "BRCA"):
        patients = cohort.test[cohort.cancer_type[cohort.test] == name]
        truth = cohort.latents["rppa"].loc[patients].to_numpy()
        draws = draws_of(simulation, "rppa/coherent/cna+rnaseq", patients)
        found = row(table, "rppa", "coherent", "cna+rnaseq", name)
        each = [r2_score(truth.ravel(), draw.ravel()) for draw in draws]
        assert found["r2_mean"] == pytest.approx(np.mean(each))
        assert found["r2_std"] == pytest.approx(np.std(each, ddof=1))
        mean = draws.mean(axis=0)
        assert found["r2_of_mean"] == pytest.approx(r2_score(truth.ravel(), mean.ravel()))
        assert found["mse_of_mean"] == pytest.approx(mean_squared_error(truth, mean))
        assert found["mse_of_draws"] == pytest.approx(
            np.mean([mean_squared_error(truth, draw) for draw in draws])
        )
        products = (truth * mean).sum(axis=1)
        norms = np.linalg.norm(truth, axis=1) * np.linalg.norm(mean, axis=1)
        assert found["cosine_of_mean"] == pytest.approx(np.mean(products / norms))


def test_beyond_the_type_is_against_the_mean_of_its_training_patients(simulation, table) -> None:
    cohort = simulation.cohort
    errors = {}
    for name in ("LUAD", "BRCA"):
        own = cohort.cancer_type.index[cohort.cancer_type == name]
        train = cohort.latents["cna"].loc[
            cohort.latents["cna"].index.isin(own.intersection(cohort.train))
        ]
        patients = cohort.test[cohort.test.isin(own)]
        truth = cohort.latents["cna"].loc[patients].to_numpy()
        mean = draws_of(simulation, "cna/multi/rppa", patients).mean(axis=0)
        error = np.sum((truth - mean) ** 2), np.sum((truth - train.mean().to_numpy()) ** 2)
        errors[name] = error
        found = row(table, "cna", "multi", "rppa", name)
        assert found["r2_beyond_type"] == pytest.approx(1 - error[0] / error[1])
    total = np.sum(list(errors.values()), axis=0)
    found = row(table, "cna", "multi", "rppa", "all")
    assert found["r2_beyond_type"] == pytest.approx(1 - total[0] / total[1])


def test_a_method_that_knows_the_type_alone_scores_in_r2_but_not_beyond_it(simulation) -> None:
    """Types half of the spread apart, and predictions that are the type's mean."""
    cohort = simulation.cohort
    shift = np.where(cohort.cancer_type == "LUAD", 2.0, -2.0)
    pattern = np.array([1.0, -1.0, 1.0, -1.0])
    moved = {
        name: frame + np.outer(pd.Series(shift, cohort.cancer_type.index)[frame.index], pattern)
        for name, frame in cohort.latents.items()
    }
    typed = replace(cohort, latents=moved)
    means = moved["cna"].loc[moved["cna"].index.isin(cohort.train)]
    means = means.groupby(cohort.cancer_type).mean().loc[cohort.cancer_type[cohort.test]]
    name = "cna/ridge/rnaseq"
    frame = simulation.baseline_predictions[name]().copy()
    frame.loc["prediction"] = means.to_numpy()
    known = dict(simulation.baseline_predictions) | {name: lambda: frame}
    table = reconstruction_by_type(
        simulation.held_out(cohort=typed, baseline_predictions=known),
        BootstrapParameters(repeats=20, level=0.95),
        ByTypeParameters(10),
        seed=0,
    )
    for cancer_type in ("LUAD", "BRCA"):
        found = row(table, "cna", "ridge", "rnaseq", cancer_type)
        assert found["r2_of_mean"] > 0.5
        assert found["r2_beyond_type"] == pytest.approx(0, abs=1e-9)


def test_all_types_together_score_as_in_table_1(simulation, table) -> None:
    cohort = simulation.cohort
    truth = cohort.truth("cna")
    ridge = simulation.baseline_predictions["cna/ridge/rnaseq+rppa"]().loc["prediction"]
    found = row(table, "cna", "ridge", "rnaseq+rppa", "all")
    expected = r2_score(truth.ravel(), ridge.loc[cohort.test].to_numpy().ravel())
    assert found["r2_of_mean"] == pytest.approx(expected)


def test_the_interval_equals_resampling_patient_by_patient(simulation) -> None:
    cohort = simulation.cohort
    patients = cohort.test[cohort.cancer_type[cohort.test] == "BRCA"]
    truth = cohort.latents["cna"].loc[patients].to_numpy()
    mean = draws_of(simulation, "cna/multi/rppa", patients).mean(axis=0)
    train = cohort.latents["cna"].loc[cohort.latents["cna"].index.isin(cohort.train)]
    type_mean = train[cohort.cancer_type[train.index] == "BRCA"].mean().to_numpy()
    rng = np.random.default_rng(3)
    scores = []
    for _ in range(4000):
        chosen = rng.integers(0, len(patients), size=len(patients))
        left = np.sum((truth[chosen] - mean[chosen]) ** 2)
        beyond = 1 - left / np.sum((truth[chosen] - type_mean) ** 2)
        scores.append([r2_score(truth[chosen].ravel(), mean[chosen].ravel()), beyond])
    (low, low_beyond), (high, high_beyond) = np.quantile(scores, [0.025, 0.975], axis=0)
    found = row(make(simulation, repeats=1500), "cna", "multi", "rppa", "BRCA")
    assert found["r2_of_mean_low"] == pytest.approx(low, abs=0.015)
    assert found["r2_of_mean_high"] == pytest.approx(high, abs=0.015)
    assert found["r2_beyond_type_low"] == pytest.approx(low_beyond, abs=0.015)
    assert found["r2_beyond_type_high"] == pytest.approx(high_beyond, abs=0.015)


def test_types_of_few_patients_or_none_in_training_are_scored_as_far_as_they_can(
    simulation,
) -> None:
    cohort = simulation.cohort
    types = cohort.cancer_type.copy()
    types[cohort.test[:1]] = "ONE"
    types[cohort.test[1:10]] = "NINE"
    types[cohort.train[:5]] = "NINE"
    table = make(simulation, replace(cohort, cancer_type=types), repeats=10)
    one = row(table, "cna", "multi", "rppa", "ONE")
    assert np.isfinite(one["r2_of_mean"])
    assert one[["r2_of_mean_low", "r2_beyond_type", "r2_beyond_type_high"]].isna().all()
    nine = row(table, "cna", "multi", "rppa", "NINE")
    assert np.isfinite(nine["r2_beyond_type"])
    assert nine[["r2_of_mean_low", "r2_beyond_type_low"]].isna().all()
    everyone = row(table, "cna", "multi", "rppa", "all")
    assert everyone["n_patients"] == 300
    assert everyone["r2_beyond_type_low"] < everyone["r2_beyond_type"]
    assert everyone["r2_beyond_type"] < everyone["r2_beyond_type_high"]
    # What is removed and what is left of the patients whose type was seen in training.
    names = ["BRCA", "LUAD", "NINE"]
    seen = [row(table, "cna", "multi", "rppa", name) for name in names]
    left = np.array([one["mse_of_mean"] * one["n_patients"] for one in seen])
    of_type = left / (1 - np.array([one["r2_beyond_type"] for one in seen]))
    assert everyone["r2_beyond_type"] == pytest.approx(1 - left.sum() / of_type.sum())
    assert table.loc[table["cancer_type"] == "BRCA", "r2_of_mean_low"].notna().all()


def test_the_lines_count_types_whose_interval_is_above_zero() -> None:
    lows = {"A": 0.1, "B": -0.1, "C": np.nan, "all": 0.2}
    table = pd.DataFrame(
        [
            {
                "target": "cna",
                "method": "multi",
                "source": source,
                "cancer_type": name,
                "every_type": name == "all",
                "r2_beyond_type_low": low,
            }
            for name, low in lows.items()
            for source in ("rppa", "rppa+wsi")
        ]
    )
    (line,) = by_type_lines(table)
    assert line.startswith("cna: ")
    assert line.endswith("of 2: multi 1")
