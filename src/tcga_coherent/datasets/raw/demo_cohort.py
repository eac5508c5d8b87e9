"""The simulated demo cohort, written in the layout of real data and read back like them."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import pandas as pd
from filelock import FileLock
from kedro.io.core import DatasetError

from tcga_coherent.datasets.atomic import replace_when_whole
from tcga_coherent.datasets.raw.raw_modality import RawModalityDataset, RawSamples, TitanDataset
from tcga_coherent.datasets.raw.text_files import resolve_in_project
from tcga_coherent.datasets.raw.titan import FEATURES, WIDTH
from tcga_coherent.datasets.raw.xena_hub import (
    XenaClinicalDataset,
    XenaFolder,
    XenaMatrixDataset,
)
from tcga_coherent.simulation.cohort import DemoCohort, simulate_cohort
from tcga_coherent.simulation.settings import SimulationSettings, parse_simulation
from tcga_coherent.simulation.xena_layout import (
    split_by_cancer_type,
    tabulate_clinical,
    tabulate_samples,
    tabulate_slides,
)

logger = logging.getLogger(__name__)

RECORD = "simulation.json"
# To be raised when the same settings give other files, so that old ones are replaced.
LAYOUT_VERSION = 1
# What the hub writes over the names of the features.
FEATURE_HEADERS = {"protein": "peptide_target"}
USUAL_FEATURE_HEADER = "Ensembl_ID"


class DemoModalityDataset(RawModalityDataset):
    """A modality of the demo cohort, simulated when it is first read.

    Files of other settings are replaced; files of the same settings are used as they are.

    Parameters
    ----------
    modality
        Which of those in `simulation`.
    folder
        Folder of the files in the layout of the Xena hub, clinical tables included. Slide
        embeddings go where the modality's ``source`` says.
    simulation
        See :class:`tcga_coherent.simulation.settings.SimulationSettings`.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        modality: str,
        folder: str,
        simulation: Mapping[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._settings = parse_simulation(simulation)
        if modality not in self._settings.modalities:
            raise DatasetError(
                f"The simulation has no modality {modality!r}, but {', '.join(self._settings.modalities)}: add it "
                f"to `simulation` in globals.yml."
            )
        cohorts = list(self._settings.cohorts)
        self._hub = XenaFolder(folder, cohorts, [], base_url=None, workers=1)
        source = self._settings.modalities[modality].source
        self._dataset: RawModalityDataset = (
            XenaMatrixDataset(folder=folder, kind=source["kind"], cohorts=cohorts)
            if _format_of(modality, source) == "xena"
            else TitanDataset(folder=source["folder"], width=source.get("width", WIDTH))
        )
        self.metadata = metadata

    def samples(self) -> RawSamples:
        """Simulate what is not there; return what reads the names and the values."""
        ensure_demo_files(self._hub, self._settings)
        return self._dataset.samples()

    def raw_files(self) -> dict[str, Path]:
        """Return the files of the modality."""
        return self._dataset.raw_files()

    def _describe(self) -> dict[str, Any]:
        return self._dataset._describe()


class DemoClinicalDataset(XenaClinicalDataset):
    """Clinical and survival tables of the demo cohort, simulated on the first load.

    Parameters
    ----------
    folder, simulation, metadata
        As in :class:`DemoModalityDataset`; both must be the same there.
    """

    def __init__(
        self,
        *,
        folder: str,
        simulation: Mapping[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._settings = parse_simulation(simulation)
        super().__init__(folder=folder, cohorts=list(self._settings.cohorts), metadata=metadata)

    def _ensure_files(self) -> None:
        ensure_demo_files(self._files, self._settings)


def load_truth(folder: str | Path) -> DemoCohort:
    """Simulate again the cohort whose files lie in a folder: the truth behind them.

    Parameters
    ----------
    folder
        ``folder`` of the catalog entry, such as ``data/01_raw/demo/xena``.

    Returns
    -------
    DemoCohort
        The model, all patients' values and the exact conditional distributions.

    Raises
    ------
    DatasetError
        When the folder holds no simulated cohort.
    """
    record = resolve_in_project(str(folder)) / RECORD
    if not record.is_file():
        raise DatasetError(
            f"{record} does not exist: the folder holds no simulated cohort. Load the demo cohort "
            f"first, for instance with `kedro run --env demo --pipelines ingestion`."
        )
    found = json.loads(record.read_text(encoding="utf-8"))
    return simulate_cohort(parse_simulation(found["simulation"]))


def ensure_demo_files(files: XenaFolder, settings: SimulationSettings) -> None:
    """Simulate the cohort and write its files, unless those of the same settings are there.

    Parameters
    ----------
    files
        Folder of the files in the layout of the Xena hub.
    settings
        Settings of the simulation.

    Raises
    ------
    DatasetError
        When a modality has a source other than ``xena`` and ``titan``, a folder holds files that
        were not simulated, or cannot be written.
    """
    kinds, slide_folders = {}, {}
    for modality, spec in settings.modalities.items():
        if _format_of(modality, spec.source) == "xena":
            kinds[modality] = spec.source["kind"]
        else:
            slide_folders[modality] = resolve_in_project(spec.source["folder"])
    record = json.loads(json.dumps({"layout": LAYOUT_VERSION, "simulation": asdict(settings)}))
    writers: dict[Path, Callable[[DemoCohort, Path], None]] = {
        files.folder: lambda cohort, folder: _write_tables(cohort, kinds, folder),
    }
    for modality, slide_folder in slide_folders.items():
        writers[slide_folder] = lambda cohort, folder, name=modality: _write_slides(  # type: ignore[misc]
            cohort, name, folder
        )
    files.folder.parent.mkdir(parents=True, exist_ok=True)
    # Modalities may be read at the same time, and the first simulates for all.
    with FileLock(files.folder.with_name(f".{files.folder.name}.lock")):
        stale = [folder for folder in writers if not _is_whole(folder, record)]
        if not stale:
            return
        logger.info(
            "Simulating %d patients with %s", settings.patients, ", ".join(settings.modalities)
        )
        cohort = simulate_cohort(settings)
        for folder in stale:
            with replace_when_whole(folder) as partial:
                partial.mkdir()
                writers[folder](cohort, partial)
                names = sorted(path.name for path in partial.iterdir())
                text = json.dumps({**record, "files": names}, indent=1)
                (partial / RECORD).write_text(text + "\n", encoding="utf-8")
            logger.info("Wrote %d files to %s", len(names), folder)


def _format_of(modality: str, source: Mapping[str, Any]) -> str:
    """Return ``xena`` or ``titan``."""
    needed = {"xena": "kind", "titan": "folder"}.get(source.get("format", ""))
    if needed not in source:
        raise DatasetError(
            f"simulation.modalities.{modality}.source is {dict(source)}: write {{format: xena, kind: KIND}} or "
            f"{{format: titan, folder: FOLDER}}."
        )
    return str(source["format"])


def _is_whole(folder: Path, record: dict[str, Any]) -> bool:
    """Say whether a folder holds all files of a simulation with these settings.

    Raises
    ------
    DatasetError
        When it holds something else than a simulation.
    """
    path = folder / RECORD
    if not path.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise DatasetError(
                f"{folder} holds files that were not simulated, which the demo cohort would replace: "
                f"move them, or point the catalog entry at another folder."
            )
        return False
    found = json.loads(path.read_text(encoding="utf-8"))
    names = found.pop("files")
    return found == record and all((folder / name).is_file() for name in names)


def _write_tables(cohort: DemoCohort, kinds: Mapping[str, str], folder: Path) -> None:
    for modality, kind in kinds.items():
        tables = split_by_cancer_type(cohort, tabulate_samples(cohort, modality))
        for name, table in tables.items():
            header = FEATURE_HEADERS.get(kind, USUAL_FEATURE_HEADER)
            matrix = table.T.rename_axis(index=header, columns=None)
            _write_table(matrix, folder / f"TCGA-{name}.{kind}.tsv.gz")
    for kind, table in zip(("clinical", "survival"), tabulate_clinical(cohort), strict=True):
        for name, rows in split_by_cancer_type(cohort, table).items():
            _write_table(rows, folder / f"TCGA-{name}.{kind}.tsv.gz")


def _write_table(table: pd.DataFrame, path: Path) -> None:
    # Without a time stamp the same values give the same bytes.
    compression: Any = {"method": "gzip", "mtime": 0, "compresslevel": 6}
    table.to_csv(path, sep="\t", float_format="%.4f", compression=compression)


def _write_slides(cohort: DemoCohort, modality: str, folder: Path) -> None:
    slides = tabulate_slides(cohort, modality)
    for barcode, embedding in zip(slides.index, slides.to_numpy(), strict=True):
        with h5py.File(folder / f"{barcode}.h5", "w") as file:
            file[FEATURES] = embedding
