"""Coherent cross-modal generation of missing cancer data.

The names below are the library without Kedro, and stay. All others are internal: they may move from version to
version.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcga_coherent.baselines.baseline import Baseline
    from tcga_coherent.cohort import Cohort
    from tcga_coherent.completion.completer import Completer
    from tcga_coherent.completion.completion import Completion
    from tcga_coherent.diffusion.completion.generation import complete_latents
    from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig
    from tcga_coherent.diffusion.sampling.ensemble import Ensemble
    from tcga_coherent.diffusion.trained_models import TrainedModels
    from tcga_coherent.diffusion.training.family import train_denoisers
    from tcga_coherent.downstream.task import DownstreamTask
    from tcga_coherent.embedding.encoder import Encoder
    from tcga_coherent.held_out import HeldOut
    from tcga_coherent.omics.features.preprocessor import Preprocessor
    from tcga_coherent.simulation.cohort import simulate_cohort

__version__ = "0.1.0"

__all__ = [
    "Baseline",
    "Cohort",
    "Completer",
    "Completion",
    "DownstreamTask",
    "Encoder",
    "Ensemble",
    "HeldOut",
    "Preprocessor",
    "SamplingConfig",
    "TrainedModels",
    "TrainingConfig",
    "__version__",
    "complete_latents",
    "simulate_cohort",
    "train_denoisers",
]

_MODULES = {
    "Baseline": "baselines.baseline",
    "Cohort": "cohort",
    "Completer": "completion.completer",
    "Completion": "completion.completion",
    "DownstreamTask": "downstream.task",
    "Encoder": "embedding.encoder",
    "Ensemble": "diffusion.sampling.ensemble",
    "HeldOut": "held_out",
    "Preprocessor": "omics.features.preprocessor",
    "SamplingConfig": "diffusion.config",
    "TrainedModels": "diffusion.trained_models",
    "TrainingConfig": "diffusion.config",
    "complete_latents": "diffusion.completion.generation",
    "simulate_cohort": "simulation.cohort",
    "train_denoisers": "diffusion.training.family",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: torch alone takes a second."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
