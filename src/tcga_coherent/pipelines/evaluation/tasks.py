"""What downstream models are asked of the cohort."""

import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.task import PossibleTasks, possible_tasks
from tcga_coherent.downstream.tasks import chosen
from tcga_coherent.pipelines.arguments import cohort
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import Built


def tasks() -> Built:
    """Return the :class:`tcga_coherent.downstream.task.PossibleTasks`."""
    return Built(_possible, (cohort(), "clinical", "params:evaluation"))


def _possible(
    cohort: Cohort, clinical: pd.DataFrame, parameters: EvaluationParameters
) -> PossibleTasks:
    return possible_tasks(chosen(parameters.tasks), cohort, clinical, parameters.forests)
