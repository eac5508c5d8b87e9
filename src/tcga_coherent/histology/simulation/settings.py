"""Settings of the simulated tissue."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT


@dataclass(frozen=True, config=STRICT)
class TissueSimulation:
    """What determines the simulated patients, their expression and their tiles.

    Attributes
    ----------
    seed
        Seed of everything.
    patients, tiles_per_patient
        How many there are.
    tile_size
        Pixels of a side.
    cancer_types
        Types; each shifts the programmes of its patients.
    programme_genes, other_genes
        Genes of each programme, and genes that follow none.
    programme_share
        Share of the variance of a programme's gene that is the programme.
    type_share
        Share of the variance of a programme that lies between types.
    """

    seed: int = Field(default=2026, ge=0)
    patients: int = Field(default=400, ge=10)
    tiles_per_patient: int = Field(default=8, ge=1)
    tile_size: int = Field(default=64, ge=32)
    cancer_types: tuple[str, ...] = field(default=("LUAD", "GBM", "COAD"))
    programme_genes: int = Field(default=25, ge=1)
    other_genes: int = Field(default=150, ge=0)
    programme_share: float = Field(default=0.7, gt=0, le=1)
    type_share: float = Field(default=0.2, ge=0, lt=1)


def parse_tissue_simulation(settings: Mapping[str, Any]) -> TissueSimulation:
    """Validate the settings.

    Raises
    ------
    ValueError
        Naming the key.
    """
    try:
        return TypeAdapter(TissueSimulation).validate_python(dict(settings))
    except ValidationError as error:
        problems = "; ".join(
            f"simulation.{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors()
        )
        raise ValueError(f"Bad settings of the simulated tiles: {problems}.") from error
