"""Whether artefacts belong together: checked before a node reads them, recorded when it has made them."""

import hashlib
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.io.core import DatasetError
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from tcga_coherent import __version__
from tcga_coherent.datasets.identity import (
    Identified,
    Identity,
    MadeFrom,
    Raw,
    changed_files,
    content_of,
    hash_files,
    other_inputs,
    read_identity,
    write_identity,
)

logger = logging.getLogger(__name__)

# Where and how fast something is computed is no reason to compute it again.
MACHINE_PARAMETERS = "params:compute."
EXAMPLES = 3

Inputs = dict[str, Identified | Raw]


class IdentityHooks:
    """Give every artefact an identity, and refuse those that do not belong to what they meet.

    An artefact is current while its inputs are what it was made from, and current themselves. Only current
    artefacts are read. A run that makes missing outputs only also makes those again that are not current, or
    were made with other parameters.
    """

    def __init__(self) -> None:
        self._catalog = DataCatalog()
        self._pipeline = Pipeline([])
        self._environment = ""
        self._parameters: Mapping[str, Any] | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the parameters as configured: Kedro makes objects of those that nodes have types for."""
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Remember what runs, and mark what a run of missing outputs has to make again."""
        self._catalog, self._pipeline = catalog, pipeline
        self._environment = run_params["env"] or ""
        if run_params["only_missing_outputs"]:
            outdated = self._mark_outdated()
            if outdated:
                logger.warning(
                    "%d results were made from other data or parameters than those at hand and are made again: %s",
                    len(outdated),
                    _examples(outdated),
                )

    def join_run(
        self, catalog: DataCatalog, parameters: Mapping[str, Any], environment: str
    ) -> None:
        """Take part in a run that was announced to another process, where everything between nodes is a file."""
        self._catalog, self._parameters, self._environment = catalog, parameters, environment

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Check an input of a node; the run goes on without an optional one.

        Raises
        ------
        DatasetError
            When it is absent, not as it was written, or made from what is no longer there.
        """
        dataset = self._identified(dataset_name)
        if dataset is None or self._continues(dataset, node):
            return
        problem = self._problem(dataset_name, dataset)
        if problem is not None and not dataset.optional:
            raise DatasetError(problem)
        if problem is not None:
            logger.warning("Left out: %s", problem)
            dataset.outdated = True

    def _problem(self, dataset_name: str, dataset: Identified) -> str | None:
        """Say in a sentence why an artefact cannot be read."""
        path, files = dataset.identified_path, dataset.identified_files()
        if not files:
            run = _lower(self._run(_maker(dataset_name)))
            return f"{path} does not exist: {run} first."
        identity = read_identity(path)
        if identity is None:
            return (
                f"Nothing is known of what {path} was made from: an older version wrote it, or it was put "
                f"there by hand. {self._run(_maker(dataset_name))} again."
            )
        again = f"{self._run(identity.pipeline)} again"
        changed = changed_files(identity, files)
        if changed:
            return (
                f"{path} is not as it was written ({_examples(changed)}): it was edited, damaged or "
                f"exchanged. Restore it, or {_lower(again)}."
            )
        others = other_inputs(path, identity, self._place)
        if others:
            return (
                f"{path} does not belong to what lies beside it: it was made from other {_examples(others)} "
                f"than those at hand. {again}, or restore those."
            )
        return None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Record what an output is and what it was made from."""
        dataset = self._identified(dataset_name)
        if dataset is None:
            return
        dataset.outdated = False
        inputs, parameters = self._sources(node)
        write_identity(
            dataset.identified_path,
            Identity(
                dataset=dataset_name,
                pipeline=_pipeline_of(node),
                node=node.name,
                version=__version__,
                files=hash_files(dataset.identified_files()),
                parameters=self._hash_parameters(parameters),
                inputs=self._made_from(inputs, dataset.identified_path),
            ),
        )

    def _with_files(self, name: str) -> Identified | Raw | None:
        """Return the dataset of this name where it has files."""
        if name.startswith("params:") or name == "parameters" or name not in self._catalog:
            return None
        dataset = self._catalog.get(name)
        return dataset if isinstance(dataset, Identified | Raw) else None

    def _identified(self, name: str) -> Identified | None:
        dataset = self._with_files(name)
        return dataset if isinstance(dataset, Identified) else None

    def _continues(self, dataset: Identified, node: Node) -> bool:
        """Say whether a node reads what it goes on with: the same files are its output."""
        outputs = map(self._identified, node.outputs)
        return any(
            output is not None and output.identified_path == dataset.identified_path
            for output in outputs
        )

    def _sources(self, node: Node) -> tuple[Inputs, set[str]]:
        """Return the datasets with files and the parameters that a node reads, also behind its inputs in memory."""
        makers = {output: other for other in self._pipeline.nodes for output in other.outputs}
        persisted: Inputs = {}
        parameters: set[str] = set()
        open_nodes, seen = [node], {node.name}
        while open_nodes:
            reader = open_nodes.pop()
            for name in reader.inputs:
                dataset = self._with_files(name)
                if dataset is not None:
                    if isinstance(dataset, Raw) or not self._continues(dataset, reader):
                        persisted[name] = dataset
                elif name.startswith("params:") or name == "parameters":
                    parameters.add(name)
                elif name in makers and makers[name].name not in seen:
                    seen.add(makers[name].name)
                    open_nodes.append(makers[name])
        return persisted, parameters

    def _made_from(self, inputs: Inputs, made: Path) -> dict[str, MadeFrom]:
        found = {}
        for name, dataset in sorted(inputs.items()):
            if isinstance(dataset, Raw):
                found[name] = MadeFrom("", _raw_content(dataset))
                continue
            path = dataset.identified_path
            identity = read_identity(path)
            if identity is not None:
                place = Path(os.path.relpath(path, made.parent)).as_posix()
                found[name] = MadeFrom(place, identity.content)
        return found

    def _place(self, name: str) -> Path | None:
        dataset = self._identified(name)
        return dataset.identified_path if dataset is not None else None

    def _hash_parameters(self, names: set[str]) -> dict[str, str]:
        return {
            name: hashlib.sha256(repr(self._parameter(name)).encode()).hexdigest()
            for name in sorted(names)
            if not name.startswith(MACHINE_PARAMETERS)
        }

    def _parameter(self, name: str) -> Any:
        if self._parameters is None:
            return self._catalog.load(name)
        value: Any = self._parameters
        if name.startswith("params:"):
            for key in name.removeprefix("params:").split("."):
                value = value[key]
        return value

    def _mark_outdated(self) -> list[str]:
        """Mark outputs that are not what this run would make; return their names."""
        outdated: list[str] = []
        for node in self._pipeline.nodes:
            inputs, parameters = self._sources(node)
            behind = not inputs.keys().isdisjoint(outdated)
            for name in node.outputs:
                dataset = self._identified(name)
                if dataset is None or not dataset.identified_files():
                    continue
                if behind or not self._is_current(dataset, inputs, parameters):
                    dataset.outdated = True
                    outdated.append(name)
        return outdated

    def _is_current(self, dataset: Identified, inputs: Inputs, parameters: set[str]) -> bool:
        identity = read_identity(dataset.identified_path)
        if identity is None:
            return False
        return (
            not changed_files(identity, dataset.identified_files())
            and identity.inputs.keys() == inputs.keys()
            and all(
                identity.inputs[name].content == _raw_content(raw)
                for name, raw in inputs.items()
                if isinstance(raw, Raw)
            )
            and identity.parameters == self._hash_parameters(parameters)
            and not other_inputs(dataset.identified_path, identity, self._place)
        )

    def _run(self, pipeline: str | None) -> str:
        environment = f" --env {self._environment}" if self._environment else ""
        part = f" --pipelines {pipeline}" if pipeline else ""
        return f"Run `kedro run{environment}{part}`"


def _raw_content(dataset: Raw) -> str:
    return content_of(hash_files(dataset.raw_files()))


def _maker(name: str) -> str | None:
    """Return the pipeline that makes a dataset, of all that there are."""
    # A run knows only the pipelines that it was asked for.
    pipelines.set_requested(None)
    for pipeline in pipelines.values():
        for node in pipeline.nodes:
            if name in node.outputs:
                return _pipeline_of(node)
    return None


def _pipeline_of(node: Node) -> str:
    # A box of the pipeline `lanes` is named by one namespace, ingestion-cna.
    return re.split("[.-]", node.namespace or "")[0]


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _examples(names: list[str]) -> str:
    more = len(names) - EXAMPLES
    return ", ".join(names[:EXAMPLES]) + (f" and {more} more" if more > 0 else "")
