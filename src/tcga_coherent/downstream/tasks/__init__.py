"""The tasks there are: each file of this folder brings one, as its ``TASK``.

A further task is a file here, and its name in the parameter ``evaluation.tasks``.
"""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

from pydantic import AfterValidator

from tcga_coherent.downstream.classification import ClassificationTask
from tcga_coherent.downstream.task import DownstreamTask
from tcga_coherent.downstream.tasks import cancer_type, stage

TASKS: dict[str, DownstreamTask] = {
    module.name: import_module(f"{__name__}.{module.name}").TASK
    for module in iter_modules(__path__)
}


# Classes that single modalities are asked for, in the study of signal and by attacks on attributes.
CLASS_TASKS: dict[str, ClassificationTask] = {
    task.name: task for task in (cancer_type.TASK, stage.TASK)
}


def chosen(names: Iterable[str]) -> list[DownstreamTask]:
    """Return the tasks of these names."""
    return [TASKS[name] for name in names]


def less_is_better(metric: str) -> bool:
    """Return whether a score is an error."""
    return any(metric in task.errors for task in TASKS.values())


def _known(name: str) -> str:
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}: there are {', '.join(TASKS)}")
    return name


TaskName = Annotated[str, AfterValidator(_known)]
