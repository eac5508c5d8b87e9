"""What a benchmark takes from an environment of the project: latents, parameters, models."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from kedro.framework.project import configure_project
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog
from pydantic import TypeAdapter
from threadpoolctl import threadpool_limits

from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.latents import latent_tensors
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.modality import ModalityConfig, parse_modalities
from tcga_coherent.pipelines.lanes import all_pairs, each
from tcga_coherent.pipelines.partitions import (
    Partitions,
    join_conditions,
    load_latents,
    load_models_of_conditions,
)


@dataclass(frozen=True)
class Environment:
    """Latents and parameters of an environment.

    Attributes
    ----------
    name
        Name of the environment.
    latents
        Modality to frame patients x latent size.
    conditions
        The same with the code of each modality beside its latents.
    split
        ``train``, ``val`` or ``test`` of each patient.
    training, sampling
        Parameters.
    device
        Where to compute.
    catalog
        All datasets.
    """

    name: str
    latents: dict[str, pd.DataFrame]
    conditions: dict[str, pd.DataFrame]
    split: pd.Series
    training: TrainingConfig
    sampling: SamplingConfig
    device: torch.device
    catalog: DataCatalog

    def patients(self, part: str) -> pd.Index:
        """Return the patients of a split."""
        return self.split.index[self.split == part]

    def values(self, patients: pd.Index) -> dict[str, torch.Tensor]:
        """Return the latents of some patients on the device, one tensor a modality."""
        values = latent_tensors(self.latents, patients)
        return {name: value.to(self.device) for name, value in values.items()}

    def given(self, patients: pd.Index) -> dict[str, torch.Tensor]:
        """Return latents and codes of some patients on the device, as trained models are given them."""
        values = latent_tensors(self.conditions, patients)
        return {name: value.to(self.device) for name, value in values.items()}

    def sources(self, target: str) -> tuple[str, ...]:
        """Return all other modalities."""
        return tuple(name for name in self.latents if name != target)


def open_environment(name: str, device: str | None = None) -> Environment:
    """Read latents and parameters of an environment of the project in the working directory.

    Applies the environment's number of CPU threads to this process.

    Parameters
    ----------
    name
        Environment.
    device
        Overrides the parameter ``compute.device``.

    Raises
    ------
    SystemExit
        When the working directory is not the project's root, or the environment has no latents.
    """
    catalog = _catalog(name)
    modalities = parse_modalities(catalog.load("params:modalities"))
    latents = each("latents", list(modalities))
    codes = each("codes", list(modalities))
    _require(catalog, name, *latents.values(), *codes.values(), "split")
    frames = load_latents(_loaders(catalog, latents))
    compute = catalog.load("params:compute")
    torch.set_num_threads(compute["threads"])
    threadpool_limits(compute["threads"])
    torch.set_flush_denormal(True)
    return Environment(
        name=name,
        latents=frames,
        conditions=join_conditions(frames, _loaders(catalog, codes)),
        split=catalog.load("split")["split"],
        training=TypeAdapter(TrainingConfig).validate_python(
            catalog.load("params:diffusion_training")
        ),
        sampling=TypeAdapter(SamplingConfig).validate_python(
            catalog.load("params:coherent_sampling")
        ),
        device=resolve_device(device or compute["device"]),
        catalog=catalog,
    )


def training_parameters(name: str) -> TrainingConfig:
    """Return the training parameters of another environment, of which no data are needed."""
    return TypeAdapter(TrainingConfig).validate_python(
        _catalog(name).load("params:diffusion_training")
    )


def trained_models(environment: Environment) -> TrainedModels:
    """Read the denoisers of an environment and what their consensus weights are learned from.

    Raises
    ------
    SystemExit
        When the environment has none.
    """
    catalog = environment.catalog
    modalities = list(environment.latents)
    kinds = [
        each("single", all_pairs(modalities)),
        each("multi", modalities),
        each("consensus", modalities),
        each("linear", modalities),
    ]
    _require(catalog, environment.name, *(name for kind in kinds for name in kind.values()))
    return load_models_of_conditions(
        environment.conditions,
        *(_loaders(catalog, kind) for kind in kinds),
        str(environment.device),
    )


def open_tables(
    name: str, tables: Sequence[str]
) -> tuple[dict[str, pd.DataFrame], dict[str, ModalityConfig]]:
    """Return tables of an environment's reporting folder, and its modalities.

    Raises
    ------
    SystemExit
        When the environment has none of that name.
    """
    catalog = _catalog(name)
    datasets = {table: f"{table}_table" for table in tables}
    _require(catalog, name, *datasets.values())
    loaded = {table: catalog.load(dataset) for table, dataset in datasets.items()}
    return loaded, parse_modalities(catalog.load("params:modalities"))


def _loaders(catalog: DataCatalog, datasets: Mapping[str, str]) -> Partitions:
    return {key: partial(catalog.load, dataset) for key, dataset in datasets.items()}


def _catalog(name: str) -> DataCatalog:
    root = Path.cwd()
    if not (root / "conf" / name).is_dir():
        raise SystemExit(
            f"{root} has no conf/{name}: start the benchmarks from the project's root, with --env "
            f"and one of its environments."
        )
    configure_project("tcga_coherent")
    for logger in ("kedro", "tcga_coherent"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    with KedroSession.create(root, env=name, save_on_close=False) as session:
        return session.load_context().catalog


def _require(catalog: DataCatalog, name: str, *datasets: str) -> None:
    missing = [dataset for dataset in datasets if not catalog.exists(dataset)]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise SystemExit(
            f"The environment {name} has no {missing[0]}{more}: `kedro run --env {name}` makes them."
        )
