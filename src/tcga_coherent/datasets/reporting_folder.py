"""All tables and figures that runs of an environment have left so far."""

from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.evaluation.report.parts import Image, Parts


class ReportingFolderDataset(AbstractDataset[NoReturn, Parts]):
    """The tables (CSV) and figures (SVG, else PNG) that lie in a folder, to be read when asked for.

    It cannot be saved: each table and figure has a dataset of its own.

    Parameters
    ----------
    path
        The folder; where it is absent there are no tables and figures.
    environment
        Environment that wrote them.
    release_card
        File of the models' card, which lies beside them.
    metadata
        Free-form metadata for Kedro plugins; unused here.
    """

    def __init__(
        self,
        *,
        path: str,
        environment: str,
        release_card: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path = Path(path)
        self._card = Path(release_card)
        self._environment = environment
        self.metadata = metadata

    def load(self) -> Parts:
        """List what is there."""
        tables = {file.stem: partial(_read_table, file) for file in self._path.glob("*.csv")}
        figures = {file.stem: partial(_read_image, file) for file in self._path.glob("*.png")}
        # A vector drawing takes the place of its raster.
        figures |= {file.stem: partial(_read_image, file) for file in self._path.glob("*.svg")}
        card = self._card.read_text(encoding="utf-8") if self._card.is_file() else ""
        return Parts(self._environment, tables, figures, card)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: tables and figures are saved one by one."""
        raise DatasetError(f"{self._path} is only read: save its tables and figures one by one.")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "environment": self._environment}


def _read_table(file: Path) -> pd.DataFrame:
    return pd.read_csv(file)


def _read_image(file: Path) -> Image:
    mime: Literal["image/svg+xml", "image/png"] = (
        "image/svg+xml" if file.suffix == ".svg" else "image/png"
    )
    return Image(mime, file.read_bytes())
