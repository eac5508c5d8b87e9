"""Checks of the whole configuration, before anything runs."""

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.validation import ParameterValidationError

from tcga_coherent.configuration import BASE, DEFAULT
from tcga_coherent.modality import modality_names

logger = logging.getLogger(__name__)

# Kedro's own name for no environment: base with what conf/local changes.
LOCAL = DEFAULT
# Before the name of a modality: its raw samples in the catalog.
RAW = "raw/"


class ConfigurationHooks:
    """Refuse a configuration of which something would be ignored, or that writes among another's results."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the environment, parameters, and names of datasets.

        Raises
        ------
        ParameterValidationError
            Naming the file or key, and the way out.
        """
        _register_pipelines_anew()
        loader = context.config_loader
        environment = context.env or LOCAL
        folder = Path(str(loader.conf_source))
        _check_environment(environment, loader["globals"].get("environment"), folder)
        _warn_of_local(environment, folder / LOCAL)
        _check_datasets(environment, folder)
        _check_parameters(loader["parameters"])
        _check_raw(loader["catalog"], loader["parameters"]["modalities"], folder)


def _register_pipelines_anew() -> None:
    """Let pipelines follow the modalities of this environment, where they were made for another one."""
    requested = pipelines._requested_pipelines
    pipelines.configure(pipelines._pipelines_module)
    pipelines.set_requested(requested)


def _check_environment(environment: str, stated: Any, folder: Path) -> None:
    """Stop where results would lie among those of another environment, or outside of the data folder."""
    expected = BASE if environment in (BASE, LOCAL) else environment
    if stated != expected:
        raise ParameterValidationError(
            f"The environment {expected} would write to data/*/{stated}: say `environment: {expected}` in "
            f"{folder / expected / 'globals.yml'}, so that its results never mix with others."
        )


def _warn_of_local(environment: str, folder: Path) -> None:
    """Say so where one's own overrides are not read."""
    if environment == LOCAL:
        return
    ignored = sorted(file.name for file in folder.rglob("*.yml"))
    if ignored:
        logger.warning(
            "%s holds %s, which do NOT apply to --env %s: Kedro reads one environment beside base. Copy what "
            "you need to an environment of your own, or give it with --params.",
            folder,
            ", ".join(ignored),
            environment,
        )


def _check_datasets(environment: str, folder: Path) -> None:
    """Stop where an environment misspells a dataset of base: base's would be used in its place."""
    known = _names_in_catalog(folder / BASE)
    used = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    for name in sorted(_names_in_catalog(folder / environment) - known - used):
        similar = get_close_matches(name, known, n=1, cutoff=0.8)
        if similar:
            raise ParameterValidationError(
                f"The catalog of {folder / environment} names the unknown dataset {name!r}: did you mean "
                f"{similar[0]!r}?"
            )


def _check_raw(catalog: Mapping[str, Any], modalities: Mapping[str, Any], folder: Path) -> None:
    """Stop where raw data and parameters name different modalities."""
    raw = [name.removeprefix(RAW) for name in catalog if name.startswith(RAW)]
    unknown = [name for name in raw if name not in modalities]
    if unknown:
        raise ParameterValidationError(
            f"The catalog has {RAW}{unknown[0]}, but the parameters `modalities` know {', '.join(modalities)}: "
            f"add {unknown[0]} there, or take it out of the catalog in {folder}."
        )
    without = [name for name in modality_names(modalities) if name not in raw]
    if without:
        raise ParameterValidationError(
            f"The parameters `modalities` have {without[0]}, but the catalog has no entry {RAW}{without[0]}, only "
            f"{', '.join(RAW + name for name in raw)}: add it in {folder}, or set the modality to null."
        )


def _names_in_catalog(folder: Path) -> set[str]:
    # A second configuration loader would replace what the first resolves names with.
    files = [*folder.glob("catalog*.yml"), *folder.glob("catalog*/**/*.yml")]
    return {
        name
        for file in files
        for name in yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        if not name.startswith("_")
    }


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    from tcga_coherent.parameters import check_parameters

    read = {
        name.removeprefix("params:").split(".")[0]
        for pipeline in pipelines.values()
        for name in pipeline.inputs()
        if name.startswith("params:")
    }
    try:
        check_parameters(parameters, frozenset(read))
    except ValueError as error:
        raise ParameterValidationError(str(error)) from error
