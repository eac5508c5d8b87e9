"""Nodes that read or write a dataset of every lane, a lane a modality or a target, as one argument.

Datasets are called as the files they are: ``latents/cna``, ``single/cna_from_rnaseq``.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, update_wrapper
from typing import Any

import pandas as pd
from kedro.pipeline import Node

Datasets = str | Mapping[str, str]


def each(kind: str, lanes: Sequence[str]) -> dict[str, str]:
    """Return lane to its dataset of a kind, as ``{"cna": "latents/cna"}``."""
    return {lane: f"{kind}/{lane}" for lane in lanes}


def pairs_of(target: str, modalities: Sequence[str]) -> list[str]:
    """Return the names of the single-condition denoisers of a target."""
    return [f"{target}_from_{source}" for source in modalities if source != target]


def all_pairs(modalities: Sequence[str]) -> list[str]:
    """Return the names of all single-condition denoisers."""
    return [pair for target in modalities for pair in pairs_of(target, modalities)]


def lane_node(
    function: Callable[..., Any],
    inputs: str | Sequence[Datasets],
    outputs: str | Sequence[Datasets],
    *,
    name: str,
    namespace: str | None = None,
    tags: Sequence[str] = (),
    lane: str | None = None,
) -> Node:
    """Return a node of a function some arguments of which are read from a dataset of every lane.

    Parameters
    ----------
    function
        What the node calls.
    inputs
        Dataset of each argument. For a mapping, as :func:`each` returns it, the function is given lane to a
        function that returns what the dataset holds, as of a partitioned dataset; where a lane's dataset is
        partitioned itself, ``<lane>/<partition>``.
    outputs
        Dataset of each result. A mapping takes a dict with the same keys.
    name, namespace, tags
        As of :class:`kedro.pipeline.Node`.
    lane
        Last argument of the function: what the node is about.
    """
    inputs = [inputs] if isinstance(inputs, str) else inputs
    groups = [_flat(datasets) for datasets in inputs]
    results = [outputs] if isinstance(outputs, str) else list(outputs)
    parameters = list(inspect.signature(function).parameters.values())
    arguments, annotations = [], {}
    for datasets, parameter in zip(inputs, parameters, strict=False):
        if isinstance(datasets, str):
            arguments.append(parameter.name)
            annotations[parameter.name] = parameter.annotation
        else:
            arguments += [f"{parameter.name}_{number}" for number in range(len(datasets))]

    def call(*values: Any) -> Any:
        remaining = iter(values)
        given = [
            next(remaining)
            if isinstance(datasets, str)
            else _gather({key: next(remaining) for key in datasets})
            for datasets in inputs
        ]
        return function(*given, *([] if lane is None else [lane]))

    def run(*values: Any) -> Any:
        returned = call(*values)
        if isinstance(outputs, str):
            return returned
        parts = returned if len(results) > 1 else [returned]
        made = [
            value
            for datasets, part in zip(results, parts, strict=True)
            for value in ([part] if isinstance(datasets, str) else [part[key] for key in datasets])
        ]
        return made if len(made) > 1 else made[0]

    def stream(*values: Any) -> Iterator[Any]:
        yield from call(*values)

    wrapped = update_wrapper(stream if inspect.isgeneratorfunction(function) else run, function)
    # Kedro checks parameters against the annotations of a node's function.
    wrapped.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(argument, inspect.Parameter.POSITIONAL_ONLY) for argument in arguments]
    )
    wrapped.__annotations__ = annotations
    made = [dataset for datasets in results for dataset in _flat(datasets)]
    return Node(
        wrapped,
        inputs=[dataset for group in groups for dataset in group],
        outputs=made if len(made) > 1 else made[0],
        name=name,
        namespace=namespace,
        tags=list(tags),
    )


def lazily(contents: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return what a partitioned dataset of these contents loads."""
    return {name: partial(_itself, content) for name, content in contents.items()}


def gather_rows(table: str, lanes: Sequence[str], dataset: str | None = None) -> Node:
    """Return the node that joins what every lane adds to a table."""
    return lane_node(
        join_rows,
        inputs=[each(f"rows/{table}", lanes)],
        outputs=dataset or f"{table}_table",
        name=f"gather_{table}",
        namespace="report",
    )


def join_rows(rows: Mapping[str, Callable[[], pd.DataFrame]]) -> pd.DataFrame:
    """Join the rows of all lanes."""
    return pd.concat([load() for load in rows.values()], ignore_index=True)


def _flat(datasets: Datasets) -> list[str]:
    return [datasets] if isinstance(datasets, str) else list(datasets.values())


def _itself(content: Any) -> Any:
    return content


def _gather(values: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    gathered: dict[str, Callable[[], Any]] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            gathered |= {f"{key}/{part}": load for part, load in value.items()}
        else:
            gathered |= lazily({key: value})
    return gathered
