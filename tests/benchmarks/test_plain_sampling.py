from dataclasses import replace

import numpy as np
import pytest
import torch

import plain_sampling
from environment import Environment, trained_models
from plain_sampling import PlainEnsemble, draw_plain
from sampling import plain_ensemble, raw_draws
from tcga_coherent.diffusion.config import CoherenceConfig
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling import ensemble as engine

LEVEL = 0.2


@pytest.fixture
def conditions(environment: Environment) -> dict[str, torch.Tensor]:
    values = environment.given(environment.patients("test"))
    return {source: values[source] for source in environment.sources("cna")}


@pytest.fixture
def plain(environment: Environment) -> PlainEnsemble:
    models = trained_models(environment)
    config = raw_draws(environment.sampling)
    return plain_ensemble(models, "cna", environment.sources("cna"), config)


@pytest.mark.parametrize("weights", ["composed", "learned", "inverse_mse"])
def test_the_plain_loop_computes_what_the_engines_ancestral_sampler_computes(
    weights: str,
    environment: Environment,
    conditions: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(
        raw_draws(environment.sampling),
        sampler="ddpm",
        weights=weights,
        antithetic=False,
        n_draws=2,
    )
    models = trained_models(environment)
    sources = environment.sources("cna")
    # Both take the same number for noise: all that is left to differ is what they compute.
    monkeypatch.setattr(
        engine, "normal_noise", lambda keys, dim: torch.full((dim, len(keys)), LEVEL)
    )
    monkeypatch.setattr(
        plain_sampling.torch, "randn", lambda *shape, device: torch.full(shape, LEVEL)
    )
    monkeypatch.setattr(plain_sampling.torch, "randn_like", lambda x: torch.full_like(x, LEVEL))
    keys = named_keys(0, "cna", list(environment.patients("test")))
    expected = models.ensemble("cna", "coherent", sources, config).draw(conditions, keys)
    drawn = draw_plain(plain_ensemble(models, "cna", sources, config), conditions, 2, seed=0)
    torch.testing.assert_close(drawn.latents, expected.latents, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(drawn.coherence, expected.coherence, atol=1e-3, rtol=1e-3)
    assert torch.equal(drawn.accepted, expected.accepted)


def test_draws_differ_and_come_again_with_their_seed(
    plain: PlainEnsemble, conditions: dict[str, torch.Tensor]
) -> None:
    first = draw_plain(plain, conditions, 2, seed=3).latents
    assert first.shape == (len(conditions["rnaseq"]), 2, 3)
    assert not torch.equal(first[:, 0], first[:, 1])
    assert torch.equal(first, draw_plain(plain, conditions, 2, seed=3).latents)


def test_what_stays_incoherent_is_drawn_as_often_as_the_rule_says_and_flagged(
    plain: PlainEnsemble, conditions: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def denoise(
        ensemble: PlainEnsemble, given: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows = len(given["rnaseq"])
        attempts.append(rows)
        # Half of the rows are incoherent, whatever is tried.
        incoherent = (torch.arange(rows) % 2).float()
        return torch.zeros(rows, 3), incoherent, incoherent

    monkeypatch.setattr(plain_sampling, "_denoise", denoise)
    rule = CoherenceConfig(threshold=1.0, max_incoherent_share=0.05, max_attempts=3)
    drawn = draw_plain(replace(plain, coherence=rule), conditions, 1, seed=0)
    assert attempts == [25, 12, 6]
    assert int((~drawn.accepted).sum()) == 3


def test_distances_are_weighted_by_products_and_zero_for_one_estimate() -> None:
    along, against = torch.tensor([[1.0, 0.0]]), torch.tensor([[-1.0, 0.0]])
    across = torch.tensor([[0.0, 1.0]])
    distance = plain_sampling._pairwise_cosine_distance([along, against, across], [0.5, 0.3, 0.2])
    pairs = np.array([0.5 * 0.3, 0.5 * 0.2, 0.3 * 0.2])
    assert float(distance[0]) == pytest.approx(pairs @ [2, 1, 1] / pairs.sum())
    assert float(plain_sampling._pairwise_cosine_distance([along], [1.0])[0]) == 0.0
