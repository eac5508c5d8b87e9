"""The simulated tissue of the demo, written as files and read back like real ones."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock
from kedro.io.core import DatasetError

from tcga_coherent.datasets.atomic import replace_when_whole
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.datasets.tiles.profiles import ExpressionDataset, PatientGroupsDataset
from tcga_coherent.datasets.tiles.ready_tiles import ReadyTilesDataset
from tcga_coherent.histology.simulation.patients import simulate_patients, tissue_of
from tcga_coherent.histology.simulation.settings import TissueSimulation, parse_tissue_simulation
from tcga_coherent.histology.simulation.tiles import draw_tile
from tcga_coherent.histology.tiles import encode_png
from tcga_coherent.histology.tiling.ready import ReadyTiles
from tcga_coherent.simulation.random_streams import random_stream

logger = logging.getLogger(__name__)

TILES, EXPRESSION, PATIENTS, RECORD = (
    *("tiles.parquet", "expression.parquet", "patients.parquet"),
    "simulation.json",
)
# To be raised when the same settings give other files, so that old ones are replaced.
LAYOUT_VERSION = 1


class DemoTilesDataset(ReadyTilesDataset):
    """Tiles of the simulated tissue, drawn when they are first read.

    Parameters
    ----------
    folder
        Of the files; those of other settings are replaced.
    simulation
        See :class:`tcga_coherent.histology.simulation.settings.TissueSimulation`.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self, *, folder: str, simulation: Mapping[str, Any], metadata: dict[str, Any] | None = None
    ) -> None:
        self._settings = parse_tissue_simulation(simulation)
        super().__init__(filepath=f"{folder}/{TILES}", metadata=metadata)

    def load(self) -> ReadyTiles:
        """Draw what is not there, and read it."""
        ensure_demo_tissue(self._filepath.parent, self._settings)
        return super().load()


class DemoExpressionDataset(ExpressionDataset):
    """Expression of the simulated patients; parameters as of :class:`DemoTilesDataset`."""

    def __init__(
        self, *, folder: str, simulation: Mapping[str, Any], metadata: dict[str, Any] | None = None
    ) -> None:
        self._settings = parse_tissue_simulation(simulation)
        super().__init__(
            filepath=f"{folder}/{EXPRESSION}", orientation="samples_by_features", metadata=metadata
        )

    def load(self) -> pd.DataFrame:
        """Simulate what is not there, and read it."""
        ensure_demo_tissue(self._filepath.parent, self._settings)
        return super().load()


class DemoPatientsDataset(PatientGroupsDataset):
    """Types of the simulated patients; parameters as of :class:`DemoTilesDataset`."""

    def __init__(
        self, *, folder: str, simulation: Mapping[str, Any], metadata: dict[str, Any] | None = None
    ) -> None:
        self._settings = parse_tissue_simulation(simulation)
        super().__init__(
            filepath=f"{folder}/{PATIENTS}",
            columns={"cancer_type": "cancer_type"},
            metadata=metadata,
        )

    def load(self) -> pd.DataFrame:
        """Simulate what is not there, and read it."""
        ensure_demo_tissue(self._filepath.parent, self._settings)
        return super().load()


def ensure_demo_tissue(folder: Path, settings: TissueSimulation) -> None:
    """Simulate patients and tiles and write them, unless those of the same settings are there."""
    folder = resolve_in_project(str(folder))
    record = json.dumps({"layout": LAYOUT_VERSION, "simulation": asdict(settings)}, sort_keys=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        known = folder / RECORD
        if known.is_file() and known.read_text(encoding="utf-8") == record:
            return
        if folder.is_dir() and any(folder.iterdir()) and not known.is_file():
            raise DatasetError(
                f"{folder} holds files that were not simulated, which the demo's would replace: move them."
            )
        logger.info(
            "Simulating %d patients with %d tiles each",
            settings.patients,
            settings.tiles_per_patient,
        )
        patients = simulate_patients(settings)
        rows = []
        for patient_id, programmes in patients.programmes.iterrows():
            rng = random_stream(settings.seed, "tiles", str(patient_id))
            tissue = tissue_of(programmes)
            for number in range(settings.tiles_per_patient):
                image = encode_png(draw_tile(tissue, settings.tile_size, rng))
                slide = f"{patient_id}-DX1"
                rows.append((slide, patient_id, number * settings.tile_size, 0, image))
        with replace_when_whole(folder) as partial:
            partial.mkdir()
            columns = ["slide", "patient_id", "x", "y", "image"]
            pd.DataFrame(rows, columns=columns).to_parquet(partial / TILES)
            patients.expression.astype("float32").to_parquet(partial / EXPRESSION)
            patients.cancer_type.reset_index().to_parquet(partial / PATIENTS)
            # The truth, for whoever wants to look: nothing reads it.
            patients.programmes.to_csv(partial / "programmes.csv", float_format="%.6g")
            (partial / RECORD).write_text(record, encoding="utf-8")
