"""What nodes of several pipelines are given: modalities, cohort, and what was made of the test patients."""

from tcga_coherent.cohort import Cohort, Partitions, read_cohort
from tcga_coherent.configuration import configured_modalities
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.held_out import HeldOut
from tcga_coherent.modality import labels, parse_modalities
from tcga_coherent.pipelines.lanes import Built, each
from tcga_coherent.source_sets import choose_source_sets

# Name to configuration, in the order of tables and figures.
MODALITIES = Built(parse_modalities, ("params:modalities",))
LABELS = Built(labels, (MODALITIES,))


def sources() -> Built:
    """Return the :data:`tcga_coherent.source_sets.SourceSets`."""
    return Built(choose_source_sets, (MODALITIES, "presence", "params:source_sets"))


def cohort(*, with_codes: bool = False) -> Built:
    """Return the :class:`tcga_coherent.cohort.Cohort`, with the codes where they are asked for."""
    modalities = configured_modalities()
    codes = (each("codes", modalities),) if with_codes else ()
    return Built(read_cohort, (each("latents", modalities), "split", "presence", sources(), *codes))


def held_out() -> Built:
    """Return the :class:`tcga_coherent.held_out.HeldOut`."""
    drawn = each("draws", configured_modalities())
    return Built(_held_out, (cohort(), drawn, "baseline_predictions", "params:coherent_sampling"))


def _held_out(
    measured: Cohort, draws: Partitions, predictions: Partitions, sampling: SamplingConfig
) -> HeldOut:
    return HeldOut(measured, draws, predictions, sampling.antithetic)
