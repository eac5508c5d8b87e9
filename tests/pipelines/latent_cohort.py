"""A small cohort of latents whose modalities share one factor, and denoisers trained on it."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import (
    ArchitectureConfig,
    SamplingConfig,
    TrainingConfig,
    ValidationConfig,
)
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks
from tcga_coherent.pipelines.coherent_sampling.nodes import learn_agreement, recalibrate_spread
from tcga_coherent.pipelines.diffusion_training import nodes
from tcga_coherent.pipelines.diffusion_training.nodes import (
    fit_linear_experts,
    learn_consensus,
    select_denoisers,
)
from tcga_coherent.pipelines.partitions import join_conditions, load_models_of_conditions
from tcga_coherent.source_sets import source_sets

# Of two sizes, so that models form more than one stack.
SIZES = {"cna": 3, "rnaseq": 3, "rppa": 2}
MODALITIES = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": [], "latent_size": size}
    for name, size in SIZES.items()
}
TRAINING = TrainingConfig(
    architecture=ArchitectureConfig(hidden_dim=16, n_layers=2, time_dim=8, condition_dim=8),
    validation=ValidationConfig(every=10, n_draws=4, n_steps=5),
    batch_size=32,
    max_steps=30,
    ema_decay=0.9,
)
SAMPLING = SamplingConfig(n_steps=5, n_draws=4)
ALL_SETS = {target: source_sets(target, list(SIZES)) for target in SIZES}
TASKS = {"single": single_tasks, "multi": multi_tasks}


def lazily(contents: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return what a partitioned dataset loads."""
    return {name: lambda content=content: content for name, content in contents.items()}


def make_split() -> pd.DataFrame:
    patients = pd.Index([f"TCGA-AA-{number:04d}" for number in range(160)], name="patient_id")
    parts = np.repeat(["train", "val", "test"], [110, 25, 25])
    return pd.DataFrame({"split": parts, "cancer_type": "LUAD"}, index=patients)


def make_latents(split: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return latents; every modality lacks ten training patients of its own."""
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((len(split), 3))
    frames = {}
    for number, (name, size) in enumerate(SIZES.items()):
        values = 0.9 * factor[:, :size] + 0.4 * rng.standard_normal((len(split), size))
        frame = pd.DataFrame(
            values.astype(np.float32), split.index, [f"z{i:02d}" for i in range(size)]
        )
        frames[name] = frame.drop(split.index[10 * number : 10 * number + 10])
    return frames


def make_codes(latents: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return codes, each a function of its patient's latents alone."""
    return {
        name: pd.DataFrame(
            np.hstack([2 * frame.to_numpy(), np.square(frame.to_numpy()) - 1]),
            frame.index,
            [f"c{i:03d}" for i in range(2 * frame.shape[1])],
        )
        for name, frame in latents.items()
    }


def make_conditions(latents: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return latents with their codes beside them."""
    return join_conditions(latents, lazily(make_codes(latents)))


def make_encoders() -> dict[str, Checkpoint]:
    """Return stand-ins: training and test draws only take their fingerprints."""
    return {
        name: Checkpoint({"axes": np.full(1, number, np.float32)})
        for number, name in enumerate(SIZES)
    }


def train(
    family: str,
    target: str,
    latents: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    encoders: dict[str, Checkpoint],
    former: Checkpoint | None = None,
    config: TrainingConfig = TRAINING,
    conditions: dict[str, pd.DataFrame] | None = None,
) -> list[Checkpoint]:
    """Return all states that training yields, as a file would hold them.

    Copies, because a state is only good until training goes on: its arrays are those being trained.
    """
    states = nodes.train(
        TASKS[family],
        latents,
        conditions or make_conditions(latents),
        lazily(encoders),
        split,
        deepcopy(former) or Checkpoint({}),
        config,
        "cpu",
        target,
    )
    return [deepcopy(state) for state in states]


def load_trained(
    latents: dict[str, pd.DataFrame],
    models: dict[str, dict[str, Checkpoint]],
    *others: str,
    conditions: dict[str, pd.DataFrame] | None = None,
) -> TrainedModels:
    """Load models of these latents, with those of the kinds of `others` that are there."""
    kinds = ("single", "multi", "consensus", "linear")
    stored = [lazily(models.get(kind, {})) for kind in kinds]
    return load_models_of_conditions(
        conditions or make_conditions(latents),
        *stored,
        "cpu",
        *(lazily(models[kind]) for kind in others),
    )


def train_all(
    latents: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    encoders: dict[str, Checkpoint],
    conditions: dict[str, pd.DataFrame] | None = None,
) -> dict[str, dict[str, Checkpoint]]:
    """Return the checkpoints of all kinds that sampling reads, and the agreement by itself."""
    conditions = conditions or make_conditions(latents)
    models: dict[str, dict[str, Checkpoint]] = {
        family: {
            name: model
            for target in latents
            for name, model in select_denoisers(
                train(family, target, latents, split, encoders, conditions=conditions)[-1]
            )[0].items()
        }
        for family in TASKS
    }
    models["linear"] = {
        target: fit_linear_experts(latents, conditions, lazily(encoders), split, ALL_SETS, target)
        for target in latents
    }
    trained = load_trained(latents, models, conditions=conditions)
    models["consensus"] = {
        target: learn_consensus(
            latents, conditions, split, trained, ALL_SETS, TRAINING, SAMPLING, target
        )[0]
        for target in latents
    }
    weighted = load_trained(latents, models, conditions=conditions)
    models["recalibration"] = {
        target: recalibrate_spread(
            latents, conditions, split, weighted, ALL_SETS, SAMPLING, target
        )[0]
        for target in latents
    }
    models["fitted"] = {"agreement": learn_agreement(latents, split)}
    return models
