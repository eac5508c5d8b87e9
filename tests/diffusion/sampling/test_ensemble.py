"""The ensemble on denoisers that are exact: the data are Gaussian and the noise is known."""

import dataclasses

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import CoherenceConfig, SamplingConfig
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.coherence import pairwise_cosine_distance, timestep_shares
from tcga_coherent.diffusion.sampling.consensus import (
    ErrorMoments,
    least_error_weights,
    stack_conditions,
)
from tcga_coherent.diffusion.sampling.ensemble import Ensemble
from tcga_coherent.diffusion.trained_models import TrainedModels

DIM = 2
SHAPE = DenoiserShape(
    DIM, (DIM,), hidden_dim=4, n_layers=1, time_dim=2, condition_dim=DIM, prediction="noise"
)
SCHEDULE = LinearBeta()


class ExactDenoiser(StackedDenoiser):
    """Noise predictor of targets that are N(condition, variance)."""

    def __init__(self, variances: list[float]) -> None:
        super().__init__(len(variances), SHAPE)
        self.variances = variances

    def project(self, conditions, mask):
        return conditions[0] * mask

    def forward(self, noisy, timesteps, projected):
        alpha_bar = SCHEDULE.alphas_cumprod.float()[timesteps].unsqueeze(1)
        data_variance = torch.tensor(self.variances).view(-1, 1, 1)
        variance = alpha_bar * data_variance + 1 - alpha_bar
        return (1 - alpha_bar).sqrt() * (noisy - alpha_bar.sqrt() * projected) / variance


class ExactSampling:
    """Stands in for the folded network."""

    def __init__(self, denoiser: ExactDenoiser, schedule, timesteps: list[int], dtype) -> None:
        self.denoiser, self.timesteps, self.n_models = denoiser, timesteps, denoiser.n_models

    def condition(self, conditions, mask):
        return self.denoiser.project(conditions, mask)

    def __call__(self, noisy, visit, condition):
        timesteps = torch.full((self.n_models, noisy.shape[2]), self.timesteps[visit])
        return self.denoiser(noisy, timesteps, condition)


@pytest.fixture
def exact(monkeypatch):
    def stack(networks):
        return ExactDenoiser([v for network in networks for v in network.variances])

    monkeypatch.setattr("tcga_coherent.diffusion.sampling.ensemble.stack_networks", stack)
    monkeypatch.setattr("tcga_coherent.diffusion.sampling.ensemble.FoldedDenoiser", ExactSampling)

    def make(source: str, variance: float = 0.25, mse: float = 1.0) -> LoadedDenoiser:
        return LoadedDenoiser(
            f"x_from_{source}", "x", (source,), ExactDenoiser([variance]), SCHEDULE, mse
        )

    return make


CONFIG = SamplingConfig(
    n_draws=4, n_steps=40, eta=1.0, weights="equal", recalibrate=False, chunk_rows=100_000
)
PATIENTS = [f"P{i}" for i in range(2000)]


def conditions(value: float) -> torch.Tensor:
    return torch.full((len(PATIENTS), DIM), value)


def test_one_denoiser_draws_its_conditional_distribution(exact):
    drawn = Ensemble([exact("a")], CONFIG).draw(
        {"a": conditions(1.0)}, named_keys(0, "x", PATIENTS)
    )
    assert drawn.latents.shape == (2000, 4, DIM)
    assert drawn.latents.mean().item() == pytest.approx(1.0, abs=0.02)
    assert drawn.latents.std().item() == pytest.approx(0.5, rel=0.06)
    assert (drawn.coherence == 0).all()
    assert drawn.accepted.all()


def test_the_consensus_of_gaussians_of_equal_spread_is_at_their_weighted_mean(exact):
    # At every noise level the averaged score is that of the Gaussian at the weighted mean.
    members = [exact("a", mse=1.0), exact("b", mse=3.0)]
    # No draw is rejected, as rejection would change the distribution.
    rule = CoherenceConfig(threshold=2.0)
    config = dataclasses.replace(CONFIG, weights="inverse_mse", coherence=rule)
    drawn = Ensemble(members, config).draw(
        {"a": conditions(1.0), "b": conditions(-1.0)}, named_keys(0, "x", PATIENTS)
    )
    assert drawn.latents.mean().item() == pytest.approx(0.75 * 1.0 + 0.25 * -1.0, abs=0.02)
    assert drawn.latents.std().item() == pytest.approx(0.5, rel=0.04)


def test_weights_follow_the_papers_rule_or_are_equal(exact):
    members = [exact("a", mse=1.0), exact("b", mse=3.0)]
    paper = Ensemble(members, dataclasses.replace(CONFIG, weights="inverse_mse"))
    np.testing.assert_allclose(paper.weights[0], [0.75, 0.25])
    np.testing.assert_allclose(Ensemble(members, CONFIG).weights[7], [0.5, 0.5])
    with pytest.raises(
        ValueError, match="No consensus weights were learned for x_from_a, x_from_b"
    ):
        Ensemble(members, dataclasses.replace(CONFIG, weights="learned"))


def test_draws_without_any_source_are_refused_unless_they_are_allowed(exact):
    keys = named_keys(0, "x", PATIENTS)
    with pytest.raises(
        ValueError,
        match=r"No source is given for x: .* refused.* coherent_sampling\.allow_unconditional to true",
    ):
        Ensemble([exact("a")], CONFIG).draw({}, keys)


def test_with_permission_all_sources_are_masked(exact):
    permitted = dataclasses.replace(CONFIG, allow_unconditional=True)
    keys = named_keys(0, "x", PATIENTS)
    drawn = Ensemble([exact("a")], permitted).draw({}, keys)
    # The exact denoiser is at its condition, and a masked one counts as zero.
    at_zero = Ensemble([exact("a")], CONFIG).draw({"a": conditions(0.0)}, keys)
    torch.testing.assert_close(drawn.latents, at_zero.latents)
    assert drawn.latents.std().item() == pytest.approx(0.5, rel=0.06)


def test_permission_changes_nothing_where_there_are_sources(exact):
    given, keys = {"a": torch.randn(5, DIM)}, named_keys(0, "x", PATIENTS[:5])
    permitted = dataclasses.replace(CONFIG, allow_unconditional=True)
    torch.testing.assert_close(
        Ensemble([exact("a")], permitted).draw(given, keys).latents,
        Ensemble([exact("a")], CONFIG).draw(given, keys).latents,
    )


def test_results_do_not_depend_on_chunks_or_on_the_other_patients(exact):
    members = [exact("a"), exact("b", 0.5)]
    given = {"a": torch.randn(7, DIM), "b": torch.randn(7, DIM)}
    keys = named_keys(0, "x", PATIENTS[:7])
    whole = Ensemble(members, CONFIG).draw(given, keys).latents
    chunked = Ensemble(members, dataclasses.replace(CONFIG, chunk_rows=3)).draw(given, keys).latents
    torch.testing.assert_close(whole, chunked)
    alone = Ensemble(members, CONFIG).draw({s: v[4:5] for s, v in given.items()}, keys[4:5]).latents
    torch.testing.assert_close(whole[4:5], alone)


def test_rejected_draws_are_made_again_and_flagged_when_they_stay_rejected(exact):
    members = [exact("a"), exact("b")]
    rule = CoherenceConfig(threshold=1.0, max_incoherent_share=0.05, max_attempts=3)
    config = dataclasses.replace(CONFIG, coherence=rule)
    keys = named_keys(0, "x", PATIENTS[:50])
    agreeing = {"a": torch.zeros(50, DIM), "b": torch.zeros(50, DIM)}
    drawn = Ensemble(members, config).draw(agreeing, keys)
    assert drawn.accepted.all()
    assert (drawn.attempts == 1).all()
    # Sources that point to opposite ends leave the estimates opposed in the late steps.
    opposed = {"a": torch.full((50, DIM), 20.0), "b": torch.full((50, DIM), -20.0)}
    drawn = Ensemble(members, config).draw(opposed, keys)
    assert not drawn.accepted.any()
    assert (drawn.attempts == 3).all()
    assert (drawn.coherence > 0.5).all()


def test_only_rejected_draws_get_new_noise(exact):
    members = [exact("a"), exact("b")]
    keys = named_keys(0, "x", PATIENTS[:20])
    given = {
        "a": torch.zeros(20, DIM),
        "b": torch.cat([torch.zeros(10, DIM), torch.full((10, DIM), 40.0)]),
    }
    once, thrice = (
        Ensemble(
            members,
            dataclasses.replace(CONFIG, coherence=CoherenceConfig(threshold=0.5, max_attempts=n)),
        ).draw(given, keys)
        for n in (1, 3)
    )
    rejected = ~once.accepted
    assert rejected[10:].all()
    kept = once.accepted
    torch.testing.assert_close(once.latents[kept], thrice.latents[kept], rtol=0, atol=0)
    assert (once.latents[rejected] != thrice.latents[rejected]).all()


def test_the_incoherent_share_does_not_depend_on_where_a_sampler_sets_its_steps():
    assert timestep_shares([3, 2, 1, 0]) == [0.25] * 4
    assert timestep_shares([7, 3, 1, 0]) == [0.5, 0.25, 0.125, 0.125]


def test_cosine_distance_is_the_weighted_mean_over_pairs():
    estimates = torch.tensor([[[1.0], [0.0]], [[0.0], [1.0]], [[-1.0], [0.0]]])
    weights = torch.tensor([0.5, 0.3, 0.2])
    pairs = {(0, 1): 1.0, (0, 2): 2.0, (1, 2): 1.0}
    expected = sum(float(weights[i] * weights[j]) * d for (i, j), d in pairs.items()) / sum(
        float(weights[i] * weights[j]) for i, j in pairs
    )
    assert pairwise_cosine_distance(estimates, weights).item() == pytest.approx(expected)
    assert pairwise_cosine_distance(estimates[:1], weights[:1]).item() == 0


def test_antithetic_draws_are_mirror_images_around_an_exact_mean(exact):
    # The sampler is linear in the noise where the denoiser is that of a normal distribution.
    given = {"a": torch.linspace(-1, 1, 20).unsqueeze(1).expand(-1, DIM)}
    keys = named_keys(0, "x", PATIENTS[:20])
    config = dataclasses.replace(CONFIG, n_draws=6)
    paired = Ensemble([exact("a")], config).draw(given, keys).latents
    independent = Ensemble([exact("a")], dataclasses.replace(config, antithetic=False)).draw(
        given, keys
    )
    torch.testing.assert_close(paired[:, :3], independent.latents[:, :3])
    middles = (paired[:, :3] + paired[:, 3:]) / 2
    torch.testing.assert_close(
        middles, given["a"].unsqueeze(1).expand(-1, 3, -1), atol=0.02, rtol=0
    )
    assert (paired[:, :3] - paired[:, 3:]).abs().mean() > 0.5


@pytest.mark.parametrize("n_draws", [2, 5])
def test_antithetic_draws_come_in_pairs(n_draws):
    with pytest.raises(ValueError, match=f"n_draws is {n_draws}, but antithetic draws come in"):
        SamplingConfig(n_draws=n_draws)


@pytest.mark.parametrize(("spread", "temperature"), [(0.5, 1.0), (1.0, 0.25), (2.0, 0.0)])
def test_spread_and_temperature_scale_draws_about_the_patients_mean(exact, spread, temperature):
    given, keys = {"a": torch.randn(9, DIM)}, named_keys(0, "x", PATIENTS[:9])
    raw = Ensemble([exact("a")], CONFIG).draw(given, keys).latents
    config = dataclasses.replace(CONFIG, temperature=temperature)
    found = Ensemble([exact("a")], config, spread=spread).draw(given, keys).latents
    mean = raw.mean(dim=1, keepdim=True)
    torch.testing.assert_close(found, mean + spread * temperature * (raw - mean))
    if temperature == 0:
        torch.testing.assert_close(found[:, 0], found[:, 3])


def test_the_unconditional_expert_enters_with_its_weight(exact):
    """One member of weight 1.5 and the standard normal of weight -0.5, as a normal sampler."""
    moments = np.zeros((2, 3, 3))
    # Errors e, e and 2 e - d of the members: least for (0, 1.5, -0.5).
    errors = np.array([[5.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    moments[:] = errors @ errors.T + 1e-9 * np.eye(3)
    known = ErrorMoments(("x_from_a", "x_from_b", "standard_normal"), np.array([0, 999]), moments)
    config = dataclasses.replace(CONFIG, weights="composed")
    ensemble = Ensemble([exact("a"), exact("b")], config, known)
    np.testing.assert_allclose(ensemble.weights, [[0.0, 1.5]] * len(ensemble.weights), atol=1e-4)
    np.testing.assert_allclose(ensemble.expert_weights, -0.5, atol=1e-4)
    drawn = ensemble.draw(
        {"a": conditions(5.0), "b": conditions(1.0)}, named_keys(0, "x", PATIENTS)
    )
    # At the highest noise level the clean estimate is 1.5 * 1 - 0.5 * 0; the mean is beyond that
    # of the second member, and far from the first's, which has no weight.
    assert 1.05 < drawn.latents.mean().item() < 1.5
    assert (drawn.coherence == 0).all()


def test_a_trained_expert_must_be_there_for_its_weights(exact):
    moments = np.stack([np.eye(3) + 0.1] * 2)
    known = ErrorMoments(("x_from_a", "x_from_b", "x"), np.array([0, 999]), moments)
    config = dataclasses.replace(CONFIG, weights="composed_trained")
    with pytest.raises(ValueError, match="need the multi-condition denoiser of x"):
        Ensemble([exact("a"), exact("b")], config, known)
    expert = dataclasses.replace(exact("a"), name="x")
    drawn = Ensemble([exact("a"), exact("b")], config, known, expert).draw(
        {"a": conditions(1.0), "b": conditions(1.0)}, named_keys(0, "x", PATIENTS)
    )
    # The expert is blind: its part of the weight pulls the mean to zero.
    weight = least_error_weights(moments[0], 1)[-1]
    assert weight == pytest.approx(1 / 3)
    assert 0.5 < drawn.latents.mean().item() < 0.8


def test_chunks_do_not_change_the_draws_of_a_real_network_whichever_are_made_again():
    """Antithetic draws of trained-like networks, some of them rejected, in chunks of any size."""
    members = []
    for number, source in enumerate("ab"):
        torch.manual_seed(number)
        network = StackedDenoiser(1, dataclasses.replace(SHAPE, hidden_dim=16)).eval()
        members.append(LoadedDenoiser(f"x_from_{source}", "x", (source,), network, SCHEDULE, 1.0))
    given = {source: torch.randn(11, DIM) for source in "ab"}
    keys = named_keys(0, "x", PATIENTS[:11])
    rule = CoherenceConfig(threshold=0.9, max_incoherent_share=0.4, max_attempts=2)
    whole, *others = (
        Ensemble(members, dataclasses.replace(CONFIG, coherence=rule, chunk_rows=rows)).draw(
            given, keys
        )
        for rows in (1000, 1, 13)
    )
    assert 0 < (whole.attempts > 1).float().mean() < 1
    for chunked in others:
        torch.testing.assert_close(chunked.latents, whole.latents, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(chunked.attempts, whole.attempts)


def test_values_of_a_masked_source_change_nothing():
    shape = dataclasses.replace(SHAPE, condition_dims=(DIM, DIM), hidden_dim=16)
    multi = LoadedDenoiser("x", "x", ("a", "b"), StackedDenoiser(1, shape).eval(), SCHEDULE, 1.0)
    given = {"a": torch.randn(5, DIM)}
    conditions_without_b = stack_conditions([multi], given, 5, torch.device("cpu"))
    projected = multi.network.project(*conditions_without_b)
    assert (projected[:, SHAPE.condition_dim :] == 0).all()
    values, mask = conditions_without_b
    changed = multi.network.project([values[0], torch.full_like(values[1], 1e6)], mask)
    torch.testing.assert_close(projected, changed, rtol=0, atol=0)


def test_deterministic_draws_of_noise_predictors_are_warned_of(exact, caplog):
    models = TrainedModels({"x_from_a": exact("a")}, {}, {})
    models.check(dataclasses.replace(CONFIG, eta=0.0))
    assert "Deterministic draws of denoisers that predict noise, as x_from_a" in caplog.text
    caplog.clear()
    models.check(CONFIG)
    assert not caplog.text


def test_generation_without_a_condition_is_refused(exact):
    with pytest.raises(ValueError, match="generation without a condition is refused"):
        Ensemble([exact("a")], CONFIG).draw({}, named_keys(0, "x", PATIENTS[:2]))


def test_denoisers_of_different_targets_cannot_form_an_ensemble(exact):
    other = dataclasses.replace(exact("b"), target="y")
    with pytest.raises(ValueError, match="differ in target or process"):
        Ensemble([exact("a"), other], CONFIG)
