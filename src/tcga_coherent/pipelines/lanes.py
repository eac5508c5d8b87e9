"""Nodes with arguments of several datasets: one of every lane, a lane a modality or a target, or what is built of some.

Datasets are called as the files they are: ``latents/cna``, ``single/cna_from_rnaseq``.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline
from matplotlib.figure import Figure

from tcga_coherent.figures.drawing import Drawing

Datasets = str | Mapping[str, str]


@dataclass(frozen=True)
class Built:
    """An argument that is made when the node runs.

    Attributes
    ----------
    build
        Makes it.
    inputs
        What each argument of `build` is read from, as of :func:`lane_node`.
    """

    build: Callable[..., Any]
    inputs: tuple["Argument", ...]


Argument = Datasets | Built


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
    inputs: str | Sequence[Argument],
    outputs: str | Sequence[Datasets],
    *,
    name: str = "",
    namespace: str | None = None,
    tags: Sequence[str] = (),
    lane: str | None = None,
) -> Node:
    """Return a node of a function some arguments of which are made of several datasets.

    Parameters
    ----------
    function
        What the node calls.
    inputs
        What each argument is read from. For a mapping, as :func:`each` returns it, the function is given
        lane to a function that returns what the dataset holds, as of a partitioned dataset; where a lane's
        dataset is partitioned itself, ``<lane>/<partition>``. For :class:`Built`, what it builds.
    outputs
        Dataset of each result. A mapping takes a dict with the same keys.
    name, namespace, tags
        As of :class:`kedro.pipeline.Node`; the name is the function's by default.
    lane
        Last argument of the function: what the node is about.
    """
    inputs = [inputs] if isinstance(inputs, str) else inputs
    results = [outputs] if isinstance(outputs, str) else list(outputs)
    read = list(dict.fromkeys(name for argument in inputs for name in _names(argument)))
    types = dict(_types(function, inputs))
    # Kedro checks parameters against the annotations of a node's function.
    arguments = {f"input_{number}": dataset for number, dataset in enumerate(read)}

    def call(*values: Any) -> Any:
        contents = dict(zip(read, values, strict=True))
        built: list[tuple[Built, Any]] = []
        given = [_value(argument, contents, built) for argument in inputs]
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

    written = function.func if isinstance(function, partial) else function
    wrapped = update_wrapper(stream if inspect.isgeneratorfunction(written) else run, written)
    wrapped.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(argument, inspect.Parameter.POSITIONAL_ONLY) for argument in arguments]
    )
    wrapped.__annotations__ = {
        argument: types[dataset] for argument, dataset in arguments.items() if dataset in types
    }
    made = [dataset for datasets in results for dataset in _names(datasets)]
    return Node(
        wrapped,
        inputs=read,
        outputs=made if len(made) > 1 else made[0],
        name=name or written.__name__,
        namespace=namespace,
        tags=list(tags),
    )


def study(
    namespace: str, tags: Sequence[str], *steps: tuple[Callable[..., Any], Any, Any]
) -> Pipeline:
    """Return nodes that belong together: a box of the lineage, run alone by its tags.

    Parameters
    ----------
    namespace, tags
        Of all nodes.
    steps
        Function, inputs and outputs of each, as of :func:`lane_node`.
    """
    return Pipeline(
        [
            lane_node(function, inputs, outputs, namespace=namespace, tags=tags)
            for function, inputs, outputs in steps
        ]
    )


def drawing(draw: Callable[..., Figure]) -> Callable[..., Drawing]:
    """Return the function of a node that gives `draw` what it shows: figures are drawn where they are saved."""

    def prepare(*shown: Any) -> Drawing:
        return partial(draw, *shown)

    return update_wrapper(prepare, draw)


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


def _names(argument: Argument) -> list[str]:
    """Return the datasets that an argument is read from."""
    if isinstance(argument, str):
        return [argument]
    if isinstance(argument, Built):
        return [name for part in argument.inputs for name in _names(part)]
    return list(argument.values())


def _types(
    function: Callable[..., Any], inputs: Sequence[Argument]
) -> Iterator[tuple[str, object]]:
    """Yield the datasets that are arguments as they are, with what the function expects them to be."""
    parameters = inspect.signature(function).parameters.values()
    for argument, parameter in zip(inputs, parameters, strict=False):
        if isinstance(argument, Built):
            yield from _types(argument.build, argument.inputs)
        elif isinstance(argument, str):
            yield argument, parameter.annotation


def _value(argument: Argument, contents: Mapping[str, Any], built: list[tuple[Built, Any]]) -> Any:
    """Return an argument; what several arguments are built of is built once, and kept in `built`."""
    if isinstance(argument, str):
        return contents[argument]
    if not isinstance(argument, Built):
        return _gather({key: contents[name] for key, name in argument.items()})
    for known, value in built:
        if known == argument:
            return value
    value = argument.build(*(_value(part, contents, built) for part in argument.inputs))
    built.append((argument, value))
    return value


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
