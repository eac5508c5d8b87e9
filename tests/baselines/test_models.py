from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.models import (
    fit_baseline,
    source_features,
    standard_normal_draws,
)
from tcga_coherent.cohort import Cohort

PARAMETERS = BaselineParameters(
    ridge_alphas=(0.1, 10.0, 1000.0),
    ridge_features_alphas=(0.1, 1.0, 10.0),
    knn_neighbors=(3, 10, 50, 10_000),
)
SOURCES = ("rnaseq", "rppa")


def fit(simulation, method: str, sources=SOURCES, parameters=PARAMETERS, **changes):
    cohort = replace(simulation.cohort, **changes)
    return fit_baseline(method, "cna", sources, cohort, parameters)


def training_rows(simulation) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    """Features and target of those who have the target and a source, patient by patient."""
    cohort = simulation.cohort
    patients = [
        patient
        for patient in cohort.train
        if patient in cohort.latents["cna"].index
        and any(patient in cohort.latents[source].index for source in SOURCES)
    ]
    rows = []
    for patient in patients:
        values, flags = [], []
        for source in SOURCES:
            there = patient in cohort.latents[source].index
            values.extend(cohort.latents[source].loc[patient] if there else np.zeros(4))
            flags.append(0 if there else 2)  # sqrt of four dimensions
        rows.append([*values, *flags])
    return np.array(rows), cohort.latents["cna"].loc[patients].to_numpy(), pd.Index(patients)


def test_absent_sources_are_zero_and_flagged(simulation) -> None:
    expected, _, patients = training_rows(simulation)
    features = source_features(simulation.cohort, "latents", SOURCES, patients)
    np.testing.assert_array_equal(features, expected)
    assert (features[:, -2:] > 0).any()


@pytest.mark.parametrize("reads", ["latents", "codes"])
def test_an_absent_source_is_as_far_away_as_an_unrelated_patient(reads) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((400, 32)), index=[f"p{i}" for i in range(400)])
    nobody = pd.Index([])
    cohort = Cohort({"a": frame}, frame.index, nobody, nobody, pd.Series(), codes={"a": 7 * frame})
    everybody = pd.Index([*frame.index, "absent"])
    features = source_features(cohort, reads, ("a",), everybody)
    unrelated = np.mean(np.sum((features[:200] - features[200:400]) ** 2, axis=1))
    absent = np.mean(np.sum((features[:400] - features[400]) ** 2, axis=1))
    assert absent == pytest.approx(unrelated, rel=0.05)


def test_ridge_solves_the_normal_equations_with_the_penalty_that_leave_one_out_prefers(
    simulation,
) -> None:
    x, y, _ = training_rows(simulation)
    errors = [
        np.mean((y - cross_val_predict(Ridge(alpha), x, y, cv=LeaveOneOut())) ** 2)
        for alpha in PARAMETERS.ridge_alphas
    ]
    alpha = PARAMETERS.ridge_alphas[int(np.argmin(errors))]
    centred = x - x.mean(axis=0)
    coefficients = np.linalg.solve(
        centred.T @ centred + alpha * np.eye(x.shape[1]), centred.T @ (y - y.mean(axis=0))
    )
    cohort = simulation.cohort
    probe = np.hstack([*(cohort.latents[s].loc[cohort.test] for s in SOURCES), np.zeros((300, 2))])
    expected = (probe - x.mean(axis=0)) @ coefficients + y.mean(axis=0)
    predicted = fit(simulation, "ridge").predict(cohort, cohort.test)
    np.testing.assert_allclose(predicted, expected, atol=1e-8)


def test_ridge_on_features_solves_the_normal_equations_of_scaled_codes(simulation) -> None:
    """Of codes that are wider than latents and know more: each source counts alike whatever its units."""
    cohort, rng = simulation.cohort, np.random.default_rng(0)
    cna = cohort.latents["cna"]
    codes = {}
    for scale, (name, frame) in zip((1.0, 30.0, 0.02), cohort.latents.items(), strict=True):
        noise = rng.standard_normal((len(frame), 4))
        wide = np.hstack([frame, cna.reindex(frame.index).fillna(0) + noise])
        codes[name] = pd.DataFrame(scale * wide, index=frame.index)
    fitted = fit(simulation, "ridge_features", codes=codes)

    def features(patients: pd.Index) -> np.ndarray:
        blocks, flags = [], []
        for name in SOURCES:
            there = cohort.train[cohort.train.isin(codes[name].index)]
            length = np.linalg.norm(codes[name].loc[there], axis=1)
            scaled = codes[name] / np.sqrt(np.mean(length**2))
            blocks.append(scaled.reindex(patients).fillna(0.0))
            flags.append((~patients.isin(scaled.index)).astype(float))
        return np.column_stack([*blocks, *flags])

    _, y, patients = training_rows(simulation)
    x = features(patients)
    centred = x - x.mean(axis=0)

    def predict(alpha: float, patients: pd.Index) -> np.ndarray:
        normal = centred.T @ centred + alpha * np.eye(x.shape[1])
        coefficients = np.linalg.solve(normal, centred.T @ (y - y.mean(axis=0)))
        return (features(patients) - x.mean(axis=0)) @ coefficients + y.mean(axis=0)

    truth = cna.loc[cohort.val].to_numpy()
    errors = {
        alpha: np.mean((truth - predict(alpha, cohort.val)) ** 2)
        for alpha in PARAMETERS.ridge_features_alphas
    }
    best = min(errors, key=errors.__getitem__)
    with_codes = replace(cohort, codes=codes)
    np.testing.assert_allclose(
        fitted.predict(with_codes, cohort.test), predict(best, cohort.test), atol=1e-8
    )
    latents_alone = fit(simulation, "ridge").predict(cohort, cohort.test)
    error, other = (
        np.mean((cna.loc[cohort.test].to_numpy() - predicted) ** 2)
        for predicted in (fitted.predict(with_codes, cohort.test), latents_alone)
    )
    assert error < 0.9 * other


def test_knn_averages_the_nearest_patients_with_the_number_that_validation_prefers(
    simulation,
) -> None:
    x, y, _ = training_rows(simulation)
    cohort = simulation.cohort

    def predict(patients: pd.Index, k: int) -> np.ndarray:
        probe = np.hstack(
            [*(cohort.latents[s].loc[patients] for s in SOURCES), np.zeros((len(patients), 2))]
        )
        distances = np.linalg.norm(probe[:, None] - x[None], axis=2)
        return y[np.argsort(distances, axis=1)[:, :k]].mean(axis=1)

    truth = cohort.latents["cna"].loc[cohort.val].to_numpy()
    errors = {k: np.mean((truth - predict(cohort.val, k)) ** 2) for k in (3, 10, 50)}
    best = min(errors, key=errors.__getitem__)
    predicted = fit(simulation, "knn").predict(cohort, cohort.test)
    np.testing.assert_allclose(predicted, predict(cohort.test, best))


def test_mean_predicts_the_mean_of_the_patients_it_may_learn_from(simulation) -> None:
    _, y, _ = training_rows(simulation)
    cohort = simulation.cohort
    predicted = fit(simulation, "mean").predict(cohort, cohort.test)
    np.testing.assert_allclose(predicted, np.tile(y.mean(axis=0), (300, 1)))


@pytest.mark.parametrize("method", ["ridge_features", "ridge", "knn", "mean"])
def test_noise_is_the_root_mean_squared_error_on_validation_patients(simulation, method) -> None:
    cohort = simulation.cohort
    baseline = fit(simulation, method)
    error = cohort.latents["cna"].loc[cohort.val] - baseline.predict(cohort, cohort.val)
    np.testing.assert_allclose(baseline.noise_sd, np.sqrt((error**2).mean()))


@pytest.mark.parametrize("method", ["ridge_features", "ridge", "knn", "mean"])
def test_test_patients_leave_no_trace_in_a_fitted_baseline(simulation, method) -> None:
    cohort = simulation.cohort
    changed = {name: frame.copy() for name, frame in cohort.latents.items()}
    for frame in changed.values():
        frame.loc[cohort.test] = 99.0
    before, after = fit(simulation, method), fit(simulation, method, latents=changed, codes=changed)
    np.testing.assert_array_equal(before.noise_sd, after.noise_sd)
    np.testing.assert_array_equal(
        before.predict(cohort, cohort.test), after.predict(cohort, cohort.test)
    )


@pytest.mark.parametrize("method", ["ridge_features", "ridge", "knn"])
def test_training_patients_do_matter(simulation, method) -> None:
    cohort = simulation.cohort
    half = fit(simulation, method, train=cohort.train[::2])
    assert not np.allclose(
        half.predict(cohort, cohort.test),
        fit(simulation, method).predict(cohort, cohort.test),
    )


def test_an_unknown_baseline_is_refused_with_the_known_ones(simulation) -> None:
    with pytest.raises(
        ValueError, match="No baseline 'forest'; there are ridge_features, ridge, knn, mean"
    ):
        fit(simulation, "forest")


def test_a_target_that_never_meets_its_sources_is_refused(simulation) -> None:
    cohort = simulation.cohort
    without = cohort.train[~cohort.train.isin(cohort.latents["cna"].index)]
    with pytest.raises(
        ValueError, match=r"No training patient has cna together with any of rnaseq"
    ):
        fit(simulation, "ridge", train=without)


def test_more_neighbours_than_patients_are_refused_with_the_parameter(simulation) -> None:
    parameters = BaselineParameters(
        ridge_alphas=(1.0,), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(5000,)
    )
    with pytest.raises(ValueError, match=r"evaluation.baselines.knn_neighbors \(5000\) exceed"):
        fit(simulation, "knn", parameters=parameters)


def test_a_patients_noise_does_not_depend_on_who_else_is_there() -> None:
    patients = pd.Index(["a", "b", "c"])
    noise = standard_normal_draws(patients, 5, 3, seed=1)
    assert noise.shape == (5, 3, 3)
    np.testing.assert_array_equal(
        standard_normal_draws(patients[[2, 0]], 5, 3, seed=1), noise[:, [2, 0]]
    )
    assert not np.array_equal(standard_normal_draws(patients, 5, 3, seed=2), noise)


def test_noise_is_standard_normal_over_patients() -> None:
    noise = standard_normal_draws(pd.Index([f"p{i}" for i in range(500)]), 10, 8, seed=0)
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.std() == pytest.approx(1, abs=0.02)


def test_a_single_candidate_is_enough(simulation) -> None:
    cohort = simulation.cohort
    alone = BaselineParameters(
        ridge_alphas=(1.0,), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10,)
    )
    for method in ("ridge", "knn"):
        baseline = fit_baseline(method, "cna", ("rppa",), cohort, alone)
        assert baseline.predict(cohort, cohort.test).shape == (len(cohort.test), 4)
