"""Parameters of the evaluation."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.tasks import TaskName
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import STRICT
from tcga_coherent.studies.calibration.table import CalibrationParameters
from tcga_coherent.studies.fidelity.table import ManifoldParameters
from tcga_coherent.studies.prioritisation.inputs import CounterfactualParameters
from tcga_coherent.studies.reconstruction.by_type import ByTypeParameters
from tcga_coherent.studies.reconstruction.decoded_features import DecodedParameters
from tcga_coherent.studies.reconstruction.table import ReportedRow
from tcga_coherent.studies.rescue.experiment import RescueParameters
from tcga_coherent.studies.signal.claims import SignalParameters


@dataclass(frozen=True, config=STRICT)
class EvaluationParameters:
    """The ``evaluation`` parameters.

    Attributes
    ----------
    seed
        Seed of bootstrap, baseline noise and UMAP.
    n_repeats
        Repeats of what has a seed of its own: downstream models and single draws.
    tasks
        What downstream models predict: names of files of ``tcga_coherent.downstream.tasks``.
    forests
        Settings of the downstream models.
    bootstrap
        Intervals over test patients.
    calibration
        Levels and groups of the calibration table.
    baselines
        Settings of the baselines.
    manifold
        Settings of UMAP and its numbers.
    reconstruction_by_type
        When a cancer type has an interval.
    decoded
        Tables of decoded features.
    signal
        What the paper says of preserved signal.
    rescue
        Draws that downstream models predict incomplete patients with.
    counterfactual
        Versions of a patient, and modalities whose acquisition is prioritised.
    reported_by_paper
        Rows of the paper's Table 1, from another cohort.
    """

    seed: Annotated[int, Field(ge=0)]
    n_repeats: Annotated[int, Field(ge=2)]
    tasks: Annotated[tuple[TaskName, ...], Field(min_length=1)]
    forests: ForestParameters
    bootstrap: BootstrapParameters
    calibration: CalibrationParameters
    baselines: BaselineParameters
    manifold: ManifoldParameters
    reconstruction_by_type: ByTypeParameters
    decoded: DecodedParameters
    signal: SignalParameters
    rescue: RescueParameters
    counterfactual: CounterfactualParameters
    reported_by_paper: tuple[ReportedRow, ...]
