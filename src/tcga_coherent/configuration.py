"""The configuration of the environment at hand, for what is decided before a run: which lanes there are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.utils import find_kedro_project

from tcga_coherent.modality import modality_names

BASE, DEFAULT = "base", "local"
# Without the soft merge an environment that overrides one nested key silently drops the siblings of that key.
LOADER_ARGS: dict[str, Any] = {
    "base_env": BASE,
    "default_run_env": DEFAULT,
    "merge_strategy": {"parameters": "soft"},
}


class EnvironmentConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which can be asked for afterwards: pipelines are registered without one."""

    latest: "EnvironmentConfigLoader | None" = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        global _joined
        super().__init__(*args, **kwargs)
        EnvironmentConfigLoader.latest, _joined = self, None

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters, read once: every pipeline asks for the lanes when it is registered."""
        parameters: Mapping[str, Any] = self["parameters"]
        return parameters


@dataclass(frozen=True)
class Configured:
    """What is known of the environment at hand.

    Attributes
    ----------
    environment
        Its name; empty for Kedro's default.
    parameters
        As configured: Kedro makes objects of some of them later.
    """

    environment: str
    parameters: Mapping[str, Any]


_joined: Configured | None = None


def join_environment(environment: str, parameters: Mapping[str, Any]) -> None:
    """Take the configuration of a run that another process has loaded."""
    global _joined
    _joined = Configured(environment, parameters)


def configured() -> Configured:
    """Return the configuration that was loaded last.

    Where none was, as for ``kedro registry list``, it is that of ``KEDRO_ENV``, or base.

    Raises
    ------
    ValueError
        When there is no project around the working directory.
    """
    if _joined is not None:
        return _joined
    loader = EnvironmentConfigLoader.latest
    if loader is None:
        project = find_kedro_project(Path.cwd())
        if project is None:
            raise ValueError(
                f"{Path.cwd()} lies in no project: pipelines follow the modalities of a configuration."
            )
        default = DEFAULT if (project / "conf" / DEFAULT).is_dir() else BASE
        loader = EnvironmentConfigLoader(
            conf_source=str(project / "conf"),
            env=os.environ.get("KEDRO_ENV", default),
            **LOADER_ARGS,
        )
    return Configured(loader.env or "", loader.parameters)


def configured_modalities() -> list[str]:
    """Return the names of the environment's modalities, in the order of tables and figures."""
    return modality_names(configured().parameters["modalities"])


def configured_tasks() -> list[str]:
    """Return the names of the tasks that the environment's downstream models are for."""
    return list(configured().parameters["evaluation"]["tasks"])
