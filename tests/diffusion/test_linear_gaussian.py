from dataclasses import replace

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import CoherenceConfig, SamplingConfig
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.linear_gaussian import (
    FEWEST_PATIENTS,
    PENALTIES,
    LinearExperts,
    LinearGaussian,
    fit_linear_gaussian,
)
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.consensus import measure_errors
from tcga_coherent.diffusion.trained_models import TrainedModels

PROCESS = LinearBeta()
# Rejecting draws on which members disagree would choose among them.
SAMPLING = SamplingConfig(
    n_draws=4000, chunk_rows=4000, recalibrate=False, coherence=CoherenceConfig(max_attempts=1)
)


def ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and intercept by the normal equations, the intercept not penalised."""
    centred = x - x.mean(axis=0)
    square = centred.T @ centred + penalty * np.eye(x.shape[1])
    coefficients = np.linalg.solve(square, centred.T @ (y - y.mean(axis=0)))
    return coefficients, y.mean(axis=0) - x.mean(axis=0) @ coefficients


def left_out_errors(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Return the error on each row of a ridge fitted without it."""
    errors = np.empty_like(y)
    for row in range(len(x)):
        others = np.arange(len(x)) != row
        coefficients, intercept = ridge(x[others], y[others], penalty)
        errors[row] = y[row] - intercept - x[row] @ coefficients
    return errors


def total_sd(code: np.ndarray) -> float:
    return float(np.sqrt(code.var(axis=0).sum()))


@pytest.fixture
def cohort() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Latents, and codes of two sources of very different scale, one of them with more columns than patients."""
    random = np.random.default_rng(0)
    factor = random.standard_normal((30, 2))
    wide = factor @ random.standard_normal((2, 40)) + random.standard_normal((30, 40))
    narrow = 100 * (factor @ random.standard_normal((2, 3)) + random.standard_normal((30, 3))) + 7
    latents = 5 + factor @ random.standard_normal((2, 4)) + 0.5 * random.standard_normal((30, 4))
    return latents, {"wide": wide, "narrow": narrow}


@pytest.mark.parametrize("tells_nothing", ["", "wide"])
def test_penalty_and_scale_are_those_of_the_least_error_on_rows_left_out(
    cohort, tells_nothing
) -> None:
    latents, codes = cohort
    if tells_nothing:
        # Small and of no use: better left small.
        noise = np.random.default_rng(5).standard_normal(codes["wide"].shape)
        codes = {**codes, "wide": noise}
    found, left_out = fit_linear_gaussian("x", latents, codes)
    equal = {name: total_sd(code) for name, code in codes.items()}
    common = np.sqrt(sum(scale**2 for scale in equal.values()) / 2)
    best = None
    for scales in (equal, dict.fromkeys(codes, common)):
        x = np.hstack([code / scales[name] for name, code in codes.items()])
        by_penalty = np.stack([left_out_errors(x, latents, 30 * p) for p in PENALTIES])
        chosen = np.square(by_penalty).mean(axis=1).argmin(axis=0)
        errors = by_penalty[chosen, :, range(4)].T
        if best is None or np.square(errors).mean() < best[0]:
            fits = [ridge(x, latents, 30 * PENALTIES[choice]) for choice in chosen]
            coefficients = np.stack([fit[0][:, i] for i, fit in enumerate(fits)], axis=1)
            intercept = np.array([fit[1][i] for i, fit in enumerate(fits)])
            best = np.square(errors).mean(), errors, x @ coefficients + intercept
            alike = scales is equal
    np.testing.assert_allclose(found.covariance, best[1].T @ best[1] / 30, rtol=1e-6)
    np.testing.assert_allclose(found.mean(codes), best[2], atol=1e-4)
    np.testing.assert_allclose(left_out, latents - best[1], rtol=1e-6)
    assert alike == (not tells_nothing)
    assert (found.n_train, found.sources) == (30, ("wide", "narrow"))
    assert found.mse == pytest.approx(2 * np.square(best[1]).mean())


def test_columns_that_are_constant_or_collinear_change_nothing(cohort) -> None:
    latents, codes = cohort
    plain, _ = fit_linear_gaussian("x", latents, {"narrow": codes["narrow"]})
    constant = np.hstack([codes["narrow"], np.full((30, 2), 3.0)])
    same, _ = fit_linear_gaussian("x", latents, {"narrow": constant})
    np.testing.assert_allclose(
        same.mean({"narrow": constant}), plain.mean({"narrow": codes["narrow"]}), atol=1e-5
    )
    twice = np.hstack([codes["narrow"], codes["narrow"]])
    collinear, _ = fit_linear_gaussian("x", latents, {"narrow": twice})
    np.testing.assert_allclose(
        collinear.mean({"narrow": twice}), plain.mean({"narrow": codes["narrow"]}), atol=1e-4
    )
    nothing, _ = fit_linear_gaussian("x", latents, {"narrow": np.zeros((30, 2))})
    np.testing.assert_allclose(
        nothing.mean({"narrow": np.zeros((30, 2))}), np.tile(latents.mean(axis=0), (30, 1))
    )


def test_codes_that_say_nothing_are_not_believed() -> None:
    random = np.random.default_rng(1)
    latents, code = random.standard_normal((400, 8)), random.standard_normal((400, 100))
    expert, _ = fit_linear_gaussian("x", latents, {"a": code})
    unseen = expert.mean({"a": random.standard_normal((1000, 100))})
    assert np.square(unseen).mean() < 0.03
    np.testing.assert_allclose(np.diag(expert.covariance), latents.var(axis=0), rtol=0.05)


def test_a_handful_of_patients_is_refused() -> None:
    with pytest.raises(ValueError, match="3 training patients have x and a and b"):
        fit_linear_gaussian("x", np.zeros((3, 2)), {"a": np.zeros((3, 1)), "b": np.zeros((3, 1))})
    assert FEWEST_PATIENTS > 3


def made_up_expert() -> LinearGaussian:
    return LinearGaussian(
        "x",
        ("a",),
        {"a": np.array([[1.0, -0.5], [0.3, 0.8]], np.float32)},
        np.array([0.2, -0.1], np.float32),
        np.array([[0.3, 0.15], [0.15, 0.2]]),
        100,
    )


def test_the_noise_estimate_is_the_conditional_expectation() -> None:
    expert, timesteps = made_up_expert(), [0, 300, 999]
    experts = LinearExperts([expert, expert], PROCESS, timesteps, torch.device("cpu"))
    code = torch.tensor([[0.5, 2.0], [-1.0, 0.1]])
    # Latents of another size stand before the code.
    means = experts.condition({"a": torch.cat([torch.full((2, 3), 9.0), code], dim=1)})
    noisy = torch.tensor([[0.7, -2.0], [1.5, 0.3]])
    for visit, timestep in enumerate(timesteps):
        alpha, sigma = PROCESS.level(timestep)
        for row in (0, 1):
            mean = expert.intercept + code[row].numpy() @ expert.coefficients["a"]
            # Joint normal law of noise and x_t.
            law = alpha**2 * expert.covariance + sigma**2 * np.eye(2)
            expected = sigma * np.linalg.solve(law, noisy[:, row].numpy() - alpha * mean)
            for found in experts.estimate(noisy, visit, means):
                np.testing.assert_allclose(found[:, row], expected, rtol=1e-4)


def test_a_condition_of_another_size_is_refused() -> None:
    experts = LinearExperts([made_up_expert()], PROCESS, [0], torch.device("cpu"))
    with pytest.raises(
        ValueError, match="The condition of a holds no code for the linear-Gaussian"
    ):
        experts.condition({"a": torch.zeros(4, 1)})


@pytest.fixture(scope="module")
def ensemble_of_both() -> tuple[TrainedModels, LinearGaussian]:
    """An expert whose law is that of the patients, and a denoiser that has learned nothing."""
    random = np.random.default_rng(2)
    expert = made_up_expert()
    code = random.standard_normal((3000, 2)).astype(np.float32)
    noise = random.multivariate_normal(np.zeros(2), expert.covariance, 3000)
    target = torch.from_numpy((expert.mean({"a": code}) + noise).astype(np.float32))
    torch.manual_seed(0)
    shape = DenoiserShape(2, (2,), 8, 2, 4, 4, "velocity")

    def untrained(name: str) -> LoadedDenoiser:
        network = StackedDenoiser(1, shape).eval()
        # Of no velocity, as the standard normal has none.
        torch.nn.init.zeros_(network.output.weight)
        torch.nn.init.zeros_(network.output.bias)
        return LoadedDenoiser(name, "x", ("a",), network, PROCESS, 1.0)

    single, multi = untrained("x_from_a"), untrained("x")
    visited = (
        TrainedModels({single.name: single}, {}, {})
        .ensemble("x", "single", ("a",), SAMPLING)
        .sampler.timesteps
    )
    errors = measure_errors(
        [single], [expert], multi, target, {"a": torch.from_numpy(code)},
        np.arange(3000) % 2, visited, seed=0,
    )  # fmt: skip
    models = TrainedModels(
        {single.name: single}, {"x": multi}, {"x": errors}, linear={expert.name: expert}
    )
    return models, expert


def test_one_wrong_weight_at_one_step_shows(ensemble_of_both) -> None:
    models, expert = ensemble_of_both
    code = torch.tensor([[0.5, 2.0]])
    ensemble = models.ensemble("x", "coherent", ("a",), SAMPLING)
    ensemble.weights[:] = torch.tensor([0.0, 1.0])
    ensemble.expert_weights[:] = 0.0
    keys = named_keys(0, "toy", ["p"])
    draws = ensemble.draw({"a": code}, keys).latents[0].numpy()
    mean = expert.mean({"a": code.numpy()})[0]
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.01)
    np.testing.assert_allclose(np.cov(draws.T), expert.covariance, atol=0.015)
    ensemble.weights[8, 1] = 0.5
    wrong = ensemble.draw({"a": code}, keys).latents[0].numpy()
    assert np.abs(np.cov(wrong.T) - expert.covariance).max() > 0.05


@pytest.mark.parametrize("weights", ["learned", "composed", "composed_trained"])
def test_the_ensemble_draws_from_the_law_of_the_expert_that_knows_it(
    ensemble_of_both, weights
) -> None:
    models, expert = ensemble_of_both
    config = replace(SAMPLING, weights=weights)
    code = np.array([[0.5, 2.0], [-1.0, 0.1]], np.float32)
    drawn = models.ensemble("x", "coherent", ("a",), config).draw(
        {"a": torch.from_numpy(code)}, named_keys(0, "toy", ["p", "q"])
    )
    for patient in (0, 1):
        draws = drawn.latents[patient].numpy()
        np.testing.assert_allclose(draws.mean(axis=0), expert.mean({"a": code})[patient], atol=0.06)
        np.testing.assert_allclose(np.cov(draws.T), expert.covariance, atol=0.03)


def test_linear_experts_take_part_where_they_are_wanted_and_measured(ensemble_of_both) -> None:
    models, expert = ensemble_of_both
    assert models.linear_members("x", ("a", "b")) == [expert]
    assert models.linear_members("x", ("b",)) == []
    assert replace(models, errors={}).linear_members("x", ("a",)) == []
    assert models.experts("x", ("a",), SAMPLING)[1] == [expert]
    assert models.experts("x", ("a",), replace(SAMPLING, linear_experts=False))[1] == []
    assert models.ensemble("x", "coherent", ("a",), SAMPLING).weights.shape[1] == 2
    for other in (
        models.ensemble("x", "single", ("a",), SAMPLING),
        models.ensemble("x", "coherent", ("a",), replace(SAMPLING, linear_experts=False)),
    ):
        assert other.weights.shape[1] == 1
