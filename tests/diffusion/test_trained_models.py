import pytest

from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.denoiser import DenoiserShape, StackedDenoiser
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.trained_models import TrainedModels

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
