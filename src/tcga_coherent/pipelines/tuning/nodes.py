"""Nodes of the tuning pipeline."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from tcga_coherent import __version__
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays, fingerprint_frame
from tcga_coherent.diffusion.training.tasks import (
    DenoiserTask,
    multi_tasks,
    single_tasks,
    told_beside_latents,
)
from tcga_coherent.diffusion.training.tuning import Trial, search, select_tasks
from tcga_coherent.diffusion.training.tuning_config import TuningConfig
from tcga_coherent.figures.drawing import Drawing
from tcga_coherent.figures.tuning import draw_tuning
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.pipelines.tuning.tables import ALL_MODELS, as_yaml, best_table, trials_table

logger = logging.getLogger(__name__)

TRIALS = TypeAdapter(list[Trial])


def search_hyperparameters(
    frames: dict[str, pd.DataFrame],
    conditions: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    former: Checkpoint,
    config: TrainingConfig,
    tuning: TuningConfig,
    device: str,
) -> Iterator[Checkpoint]:
    """Yield the state of the search after every trial.

    Kedro saves what a generator yields at once, so a search that is killed goes on after its last
    whole trial, and one with a larger ``tuning.n_trials`` after the last trial of the smaller. The
    state keeps the trials of searches with other data or parameters too.
    """
    make_tasks = single_tasks if tuning.family == "single" else multi_tasks
    told = told_beside_latents(config, conditions)
    tasks = select_tasks(make_tasks(frames, split["split"], None, told), tuning.models)
    identity = _identity(conditions, tasks, config, tuning)
    searches = former.metadata.get("searches", {})
    stored = TRIALS.validate_python(searches.get(identity, []))
    if stored:
        logger.info("Going on after %d trials of an earlier run", len(stored))
    trials = stored

    for trials in search(tasks, config, tuning, resolve_device(device), stored):
        yield _state(searches, identity, trials, finished=False)
    yield _state(searches, identity, trials, finished=True)


def tabulate_search(
    state: Checkpoint, config: TrainingConfig, tuning: TuningConfig
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all trials and the best of each model; log the best common settings as YAML.

    Raises
    ------
    ValueError
        When the search is not finished.
    """
    if not state.metadata.get("finished"):
        raise ValueError(
            "The hyperparameter search is not finished. Run the tuning pipeline again: it goes on "
            "after the last whole trial."
        )
    stored = TRIALS.validate_python(state.metadata["searches"][state.metadata["current"]])
    trials = stored[: tuning.total_trials + 1]
    table = trials_table(trials)
    criterion = config.validation.criterion
    best = best_table(table, list(tuning.candidates), criterion)
    common = best[best["model"] == ALL_MODELS].iloc[0]
    logger.info(
        "Best mean %s of the models: %.4f with the settings of trial %d, %.4f with the present "
        "ones. As parameters:\n%s",
        criterion,
        common[criterion],
        common["trial"],
        common[f"default_{criterion}"],
        as_yaml(trials[int(common["trial"])]),
    )
    return table, best


def draw_search(
    table: pd.DataFrame,
    modalities: Mapping[str, ModalityConfig],
    config: TrainingConfig,
    tuning: TuningConfig,
) -> Drawing:
    """Draw the score by hyperparameter and by model."""
    return partial(
        draw_tuning,
        table,
        list(tuning.candidates),
        config.validation.criterion,
        modalities,
    )


def _state(
    searches: Mapping[str, Any], identity: str, trials: list[Trial], finished: bool
) -> Checkpoint:
    known = {**searches, identity: TRIALS.dump_python(trials)}
    return Checkpoint({}, {"finished": finished, "current": identity, "searches": known})


def _identity(
    latents: Mapping[str, pd.DataFrame],
    tasks: Sequence[DenoiserTask],
    config: TrainingConfig,
    tuning: TuningConfig,
) -> str:
    """Return a digest of all that the trials depend on."""
    parts = {
        "version": __version__,
        "config": asdict(config),
        # Their number is left out: a search can be made longer.
        "tuning": {k: v for k, v in asdict(tuning).items() if k != "n_trials"},
        "latents": {name: fingerprint_frame(frame) for name, frame in latents.items()},
        "tasks": {
            task.name: fingerprint_arrays(
                {"train": task.train.target, "val": task.validation.target}
            )
            for task in tasks
        },
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
