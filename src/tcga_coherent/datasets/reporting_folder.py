"""All tables and figures that runs of an environment have left so far."""

from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from tcga_coherent.datasets.csv_table import read_table
from tcga_coherent.datasets.identity import why_outdated
from tcga_coherent.report.parts import CARD, Image, Parts


class ReportingFolderDataset(AbstractDataset[NoReturn, Parts]):
    """The tables (CSV) and figures (SVG, else PNG) that lie in a folder, to be read when asked for.

    What was made from other data or models than those at hand, or changed since, is left out, with the reason.

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
        outdated: dict[str, str] = {}
        tables = {
            file.stem: partial(read_table, file)
            for file in self._path.glob("*.csv")
            if _belongs(file, [file], outdated)
        }
        figures = {}
        for file in self._path.glob("*.png"):
            # A vector drawing takes the place of its raster.
            drawing = file.with_suffix(".svg")
            drawn = [file, drawing] if drawing.is_file() else [file]
            if _belongs(file, drawn, outdated):
                figures[file.stem] = partial(_read_image, drawn[-1])
        has_card = self._card.is_file() and _belongs(self._card, [self._card], outdated, CARD)
        card = self._card.read_text(encoding="utf-8") if has_card else ""
        return Parts(self._environment, tables, figures, card, outdated)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: tables and figures are saved one by one."""
        raise DatasetError(f"{self._path} is only read: save its tables and figures one by one.")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "environment": self._environment}


def _belongs(
    path: Path, files: list[Path], outdated: dict[str, str], name: str | None = None
) -> bool:
    """Say whether a result is of what is at hand; where not, note why."""
    reason = why_outdated(path, files)
    if reason is None:
        return True
    outdated[name or path.stem] = reason
    return False


def _read_image(file: Path) -> Image:
    mime: Literal["image/svg+xml", "image/png"] = (
        "image/svg+xml" if file.suffix == ".svg" else "image/png"
    )
    return Image(mime, file.read_bytes())
