"""Parameters of the privacy pipeline."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import STRICT
from tcga_coherent.privacy.attacks.parameters import AttackParameters
from tcga_coherent.privacy.generation.experiment import UnconditionalParameters
from tcga_coherent.privacy.release_card.card import ReleaseCardParameters
from tcga_coherent.privacy.screening.experiment import ScreeningParameters


@dataclass(frozen=True, config=STRICT)
class PrivacyParameters:
    """The ``privacy`` parameters.

    Attributes
    ----------
    seed
        Seed of all that is drawn at random.
    bootstrap
        Intervals over patients.
    unconditional
        Generation from nothing.
    attacks
        Attacks on models and on generated patients.
    screening
        Records too close to a training patient.
    release_card
        What only those who release models can say.
    """

    seed: Annotated[int, Field(ge=0)]
    bootstrap: BootstrapParameters
    unconditional: UnconditionalParameters
    attacks: AttackParameters
    screening: ScreeningParameters
    release_card: ReleaseCardParameters
