from dataclasses import replace

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.consensus import masked, measure_errors
from tcga_coherent.diffusion.sampling.ensemble import make_sampler
from tcga_coherent.diffusion.trained_models import TrainedModels

SAMPLING = SamplingConfig(multi_expert=True, recalibrate=False, n_draws=8, n_steps=5)
NETWORK = StackedDenoiser(1, DenoiserShape(2, (2,), 2, 1, 2, 2, "velocity"))


def denoiser(target: str, source: str, mse: float) -> LoadedDenoiser:
    return LoadedDenoiser(f"{target}_from_{source}", target, (source,), NETWORK, LinearBeta(), mse)


def test_modalities_are_completed_from_the_most_reliable_to_the_least() -> None:
    single = [
        # Means over the sources: a 2, b 1.5, c 3.
        denoiser("a", "b", 1.0),
        denoiser("a", "c", 3.0),
        denoiser("b", "a", 1.5),
        denoiser("c", "a", 3.0),
    ]
    models = TrainedModels({d.name: d for d in single}, {}, {})
    assert models.completion_order(["a", "b", "c"], "coherent") == ["b", "a", "c"]
    with pytest.raises(ValueError, match=r"No trained denoiser of d\."):
        models.completion_order(["a", "d"], "coherent")


@pytest.fixture(scope="module")
def with_multi_expert() -> TrainedModels:
    """Models of x from a and b with random weights, the multi-condition one measured given a and given both."""
    torch.manual_seed(0)

    def random(name: str, *sources: str) -> LoadedDenoiser:
        shape = DenoiserShape(2, (2,) * len(sources), 8, 2, 4, 4, "velocity")
        network = StackedDenoiser(1, shape).eval()
        torch.nn.init.normal_(network.output.weight)
        return LoadedDenoiser(name, "x", sources, network, LinearBeta(), 1.0)

    single = [random("x_from_a", "a"), random("x_from_b", "b")]
    multi = random("x", "a", "b")
    random_values = np.random.default_rng(0)
    target, a, b = torch.from_numpy(random_values.standard_normal((3, 60, 2)).astype(np.float32))
    b[40:] = torch.nan
    experts = [masked(multi, ("a",)), masked(multi, ("a", "b"))]
    visited = make_sampler(LinearBeta(), SAMPLING).timesteps
    errors = measure_errors(
        [*single, *experts], [], multi, target, {"a": a, "b": b}, np.arange(60) % 2, visited, seed=0
    )
    return TrainedModels({d.name: d for d in single}, {"x": multi}, {"x": errors})


def test_the_multi_expert_is_measured_with_those_who_have_its_sources(with_multi_expert) -> None:
    errors = with_multi_expert.errors["x"]
    assert errors.names == (
        "x_from_a", "x_from_b", "x_multi_from_a", "x_multi_from_a+b", "x", "standard_normal",
    )  # fmt: skip
    assert np.diag(errors.counts).tolist() == [60, 40, 60, 40, 60, 60]


@pytest.mark.parametrize("sources", [("a",), ("a", "b")])
def test_the_multi_expert_alone_draws_as_the_multi_condition_model(
    with_multi_expert, sources
) -> None:
    ensemble = with_multi_expert.ensemble("x", "coherent", sources, SAMPLING)
    n_members = len(sources) + 1
    assert ensemble.weights.shape[1] == n_members
    ensemble.weights[:] = torch.eye(n_members)[-1]
    ensemble.expert_weights[:] = 0.0
    conditions = {source: torch.tensor([[0.3, -1.0], [2.0, 0.5]]) for source in sources}
    keys = named_keys(0, "multi", ["p", "q"])
    multi = with_multi_expert.ensemble("x", "multi", sources, SAMPLING)
    expected = multi.draw(conditions, keys).latents
    torch.testing.assert_close(ensemble.draw(conditions, keys).latents, expected)


def test_the_multi_expert_takes_part_where_it_is_wanted_and_was_measured(with_multi_expert) -> None:
    def experts(models: TrainedModels, *sources: str, wanted: bool = True) -> list[str]:
        config = replace(SAMPLING, multi_expert=wanted)
        return [d.name for d in models.experts("x", sources, config)[0]]

    assert experts(with_multi_expert, "a") == ["x_from_a", "x_multi_from_a"]
    # Given b alone it was not measured.
    assert experts(with_multi_expert, "b") == ["x_from_b"]
    assert experts(with_multi_expert, "a", wanted=False) == ["x_from_a"]
    with pytest.raises(ValueError, match="of x was not measured as an expert"):
        experts(replace(with_multi_expert, errors={}), "a")
