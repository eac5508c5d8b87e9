"""What the report shows, in the order of the paper's Results: each study brings its own section.

To show one more table or figure, add a view to the section of its study. A view whose dataset is not
there becomes a sentence with the command that makes it.
"""

from collections.abc import Iterable

from tcga_coherent.figures.sections import COHORT, HYPERPARAMETERS, TRAINING
from tcga_coherent.privacy.section import SECTION as PRIVACY
from tcga_coherent.report.views import Section
from tcga_coherent.studies.calibration.section import SECTION as CALIBRATION
from tcga_coherent.studies.coherence.section import SECTION as COHERENCE
from tcga_coherent.studies.fidelity.section import SECTION as FIDELITY
from tcga_coherent.studies.latent_sizes.section import SECTION as LATENT_SIZES
from tcga_coherent.studies.prioritisation.section import SECTION as PRIORITISATION
from tcga_coherent.studies.reconstruction.section import SECTION as RECONSTRUCTION
from tcga_coherent.studies.rejection.section import SECTION as REJECTION
from tcga_coherent.studies.rescue.section import SECTION as RESCUE
from tcga_coherent.studies.signal.section import SECTION as SIGNAL
from tcga_coherent.studies.statistics.section import SECTION as STATISTICS
from tcga_coherent.studies.weights.section import SECTION as WEIGHTS


def chapters(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Join each section without a title to the one before it."""
    joined: list[Section] = []
    for section in sections:
        if section.title:
            joined.append(section)
        else:
            joined[-1] = joined[-1].continued(section)
    return tuple(joined)


SECTIONS = chapters(
    [
        COHORT,
        FIDELITY,
        *(RECONSTRUCTION, CALIBRATION, COHERENCE),
        SIGNAL,
        RESCUE,
        PRIORITISATION,
        STATISTICS,
        *(HYPERPARAMETERS, WEIGHTS, REJECTION, LATENT_SIZES, TRAINING),
        PRIVACY,
    ]
)
