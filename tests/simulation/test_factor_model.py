import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from tcga_coherent.simulation.factor_model import FactorModel, LinearView

SOURCE_SETS = [("cna",), ("rnaseq", "wsi")]


@pytest.fixture(scope="module")
def model() -> FactorModel:
    """A mixture of three types that overlap, so that the type stays uncertain."""
    rng = np.random.default_rng(0)
    sizes = {"cna": 3, "rnaseq": 4, "wsi": 2, "rppa": 3}
    return FactorModel(
        cancer_types=("A", "B", "C"),
        prior=np.array([0.5, 0.3, 0.2]),
        factor_means=rng.normal(0, 1.0, (3, 4)),
        factor_variances=np.array([0.5, 1.0, 0.8, 0.3]),
        views={
            name: LinearView(
                features=pd.Index([f"{name}_{number}" for number in range(size)]),
                offset=rng.normal(size=size),
                loadings=rng.normal(0, 0.7, (size, 4)),
                noise_variance=rng.uniform(0.5, 1.5, size),
            )
            for name, size in sizes.items()
        },
    )


@pytest.fixture(scope="module")
def observed(model) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    factors = model.simulate_factors(np.array([0, 1, 2, 0, 1]), rng)
    return {name: model.simulate(name, factors, rng).to_numpy() for name in model.views}


def condition_densely(model, target, sources, observed):
    """Condition the joint Gaussian of all features within each type; mix by dense likelihoods."""
    order = [target, *sources]
    loadings = np.vstack([model.views[name].loadings for name in order])
    offset = np.concatenate([model.views[name].offset for name in order])
    noise = np.concatenate([model.views[name].noise_variance for name in order])
    covariance = loadings @ np.diag(model.factor_variances) @ loadings.T + np.diag(noise)
    p = len(model.views[target].offset)
    values = np.hstack([observed[name] for name in sources])
    gain = covariance[:p, p:] @ np.linalg.inv(covariance[p:, p:])
    within = covariance[:p, :p] - gain @ covariance[p:, :p]
    means = offset + model.factor_means @ loadings.T
    log_weights = np.stack(
        [
            np.log(prior) + multivariate_normal(mean[p:], covariance[p:, p:]).logpdf(values)
            for prior, mean in zip(model.prior, means, strict=True)
        ],
        axis=1,
    )
    weights = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    of_types = np.stack([mean[:p] + (values - mean[p:]) @ gain.T for mean in means], axis=1)
    mean = np.einsum("nt,ntp->np", weights, of_types)
    second = np.einsum("nt,ntp,ntq->npq", weights, of_types, of_types)
    return weights, mean, within + second - np.einsum("np,nq->npq", mean, mean)


@pytest.mark.parametrize("sources", SOURCE_SETS)
def test_conditionals_agree_with_dense_gaussian_conditioning(model, observed, sources):
    given = {name: observed[name] for name in sources}
    weights, mean, covariance = condition_densely(model, "rppa", sources, observed)
    # Otherwise the mixture would be one Gaussian, and weights would not matter.
    assert weights.max(axis=1).min() < 0.8

    np.testing.assert_allclose(model.posterior(given).probabilities, weights, rtol=1e-9)
    np.testing.assert_allclose(model.conditional_mean("rppa", given), mean, rtol=1e-9)
    np.testing.assert_allclose(model.conditional_covariance("rppa", given), covariance, atol=1e-12)
    np.testing.assert_allclose(
        model.conditional_variance("rppa", given),
        np.diagonal(covariance, axis1=1, axis2=2),
        rtol=1e-9,
    )


def test_conditionals_agree_with_importance_weighting(model, observed):
    given = {name: observed[name][:1] for name in ("cna", "wsi")}
    rng = np.random.default_rng(2)
    types = rng.choice(3, size=400_000, p=model.prior)
    factors = model.simulate_factors(types, rng)
    log_weights = np.zeros(len(factors))
    for name, values in given.items():
        view = model.views[name]
        misfit = values - view.offset - factors @ view.loadings.T
        log_weights -= 0.5 * (misfit**2 / view.noise_variance).sum(axis=1)
    weights = np.exp(log_weights - logsumexp(log_weights))
    target = model.simulate("rppa", factors, rng).to_numpy()
    mean = weights @ target
    variance = weights @ (target - mean) ** 2
    np.testing.assert_allclose(model.conditional_mean("rppa", given)[0], mean, atol=0.02)
    np.testing.assert_allclose(model.conditional_variance("rppa", given)[0], variance, rtol=0.03)


def test_draws_have_the_conditional_moments(model, observed):
    given = {"cna": observed["cna"]}
    draws = model.sample_conditional("rppa", given, 100_000, np.random.default_rng(3))
    assert draws.shape == (5, 100_000, 3)
    np.testing.assert_allclose(
        draws.mean(axis=1), model.conditional_mean("rppa", given), atol=0.025
    )
    for patient, covariance in zip(draws, model.conditional_covariance("rppa", given), strict=True):
        np.testing.assert_allclose(np.cov(patient.T), covariance, atol=0.05)


def test_draws_are_a_mixture_and_not_its_gaussian_approximation():
    # One factor, two far types of equal weight, a source that says nothing about them.
    view = LinearView(pd.Index(["x"]), np.zeros(1), np.ones((1, 1)), np.full(1, 0.01))
    blind = LinearView(pd.Index(["y"]), np.zeros(1), np.zeros((1, 1)), np.ones(1))
    model = FactorModel(
        ("A", "B"),
        np.full(2, 0.5),
        np.array([[-3.0], [3.0]]),
        np.full(1, 0.1),
        {"target": view, "source": blind},
    )
    given = {"source": np.zeros((1, 1))}
    draws = model.sample_conditional("target", given, 2000, np.random.default_rng(0)).ravel()
    assert np.abs(draws).min() > 1.0
    assert (draws > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert model.conditional_variance("target", given)[0, 0] == pytest.approx(9.0 + 0.1 + 0.01)


def test_more_sources_leave_less_variance_on_average(model, observed):
    one = model.conditional_variance("rppa", {"cna": observed["cna"]}).mean()
    two = model.conditional_variance(
        "rppa", {"cna": observed["cna"], "rnaseq": observed["rnaseq"]}
    ).mean()
    assert two < one


def test_simulated_factors_have_the_means_and_variances_of_their_type(model):
    factors = model.simulate_factors(np.full(50_000, 2), np.random.default_rng(4))
    np.testing.assert_allclose(factors.mean(axis=0), model.factor_means[2], atol=0.02)
    np.testing.assert_allclose(factors.var(axis=0), model.factor_variances, rtol=0.03)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "No modality is observed: name at least one source"),
        ({"dna": np.zeros((1, 3))}, "The model has no modality 'dna': it has cna, rnaseq"),
        ({"cna": np.zeros((1, 2))}, r"Source 'cna' must have shape \(patients, 3\), got \(1, 2\)"),
        ({"cna": np.full((1, 3), np.nan)}, "Source 'cna' has missing values"),
        (
            {"cna": np.zeros((1, 3)), "wsi": np.zeros((2, 2))},
            r"Sources must hold the same patients, got \[1, 2\]",
        ),
    ],
)
def test_bad_sources_are_named(model, given, message):
    with pytest.raises(ValueError, match=message):
        model.posterior(given)


def test_an_unknown_target_is_named(model, observed):
    with pytest.raises(ValueError, match="The model has no modality 'dna'"):
        model.conditional_mean("dna", {"cna": observed["cna"]})
