"""Downstream models for new patients: a lane a task."""

from collections.abc import Callable, Mapping

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.completion.predictor import train_predictor
from tcga_coherent.configuration import configured_modalities, configured_tasks
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays
from tcga_coherent.downstream.profiles import read_profiles
from tcga_coherent.downstream.task import PossibleTasks
from tcga_coherent.held_out import HeldOut
from tcga_coherent.pipelines.arguments import held_out
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.evaluation.tasks import tasks
from tcga_coherent.pipelines.lanes import each, lane_node
from tcga_coherent.studies.prioritisation.table import acquisition_verdicts
from tcga_coherent.studies.rescue.table import held_out_losses


def train_downstream_model(
    held_out: HeldOut,
    tasks: PossibleTasks,
    encoders: Mapping[str, Callable[[], Checkpoint]],
    rescue: pd.DataFrame,
    areas: pd.DataFrame,
    parameters: EvaluationParameters,
    task: str,
) -> Checkpoint:
    """Train what predicts completed patients, or say why there is nothing to learn."""
    if task in tasks.reasons:
        return Checkpoint({}, {"task": task, "reason": tasks.reasons[task]})
    return train_predictor(
        task,
        tasks.possible[task],
        held_out.cohort,
        read_profiles(held_out),
        parameters.forests,
        parameters.seed,
        held_out_losses(rescue, task),
        acquisition_verdicts(areas, task),
        {name: fingerprint_arrays(load().arrays) for name, load in encoders.items()},
    ).checkpoint()


def downstream() -> Pipeline:
    """Return a node for each task."""
    return Pipeline(
        [
            lane_node(
                train_downstream_model,
                [
                    *(held_out(), tasks(), each("encoders", configured_modalities())),
                    *("table2_rescue_table", "counterfactual_area_table", "params:evaluation"),
                ],
                f"downstream/{task}",
                name=f"train_{task}",
                namespace="downstream",
                tags=["downstream"],
                lane=task,
            )
            for task in configured_tasks()
        ]
    )
