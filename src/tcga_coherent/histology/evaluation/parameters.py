"""Parameters of the evaluation of tiles."""

from dataclasses import field

from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.histology.evaluation.nuclei import NucleiParameters
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import STRICT


@dataclass(frozen=True, config=STRICT)
class TileEvaluationParameters:
    """The ``tile_evaluation`` parameters.

    Attributes
    ----------
    nuclei
        How nuclei are found.
    bootstrap
        Of the intervals over patients.
    sheet_patients, sheet_tiles
        Patients, and tiles of each, that the sample sheet shows.
    seed
        Of the bootstrap.
    """

    bootstrap: BootstrapParameters
    nuclei: NucleiParameters = field(default_factory=NucleiParameters)
    sheet_patients: int = Field(default=8, ge=1)
    sheet_tiles: int = Field(default=4, ge=1)
    seed: int = Field(default=0, ge=0)
