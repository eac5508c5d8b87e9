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
    feature_network, feature_size
        Network whose features tell how far tiles are apart, and the pixels of a side that it is given; see
        :func:`tcga_coherent.histology.evaluation.features.embed_tiles`.
    feature_tiles
        Most tiles of a set.
    feature_repeats
        Pairs of random halves that the spread of distances is measured on.
    sheet_patients, sheet_tiles
        Patients, and tiles of each, that the sample sheet shows.
    seed
        Of the bootstrap.
    """

    bootstrap: BootstrapParameters
    nuclei: NucleiParameters = field(default_factory=NucleiParameters)
    feature_network: str = "efficientnet_lite0"
    feature_size: int = Field(default=224, ge=8)
    feature_tiles: int = Field(default=2000, ge=4)
    feature_repeats: int = Field(default=50, ge=2)
    sheet_patients: int = Field(default=8, ge=1)
    sheet_tiles: int = Field(default=4, ge=1)
    seed: int = Field(default=0, ge=0)
