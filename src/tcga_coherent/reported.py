"""What the paper reports, as parameters; it stands beside what is computed here, never in its place.

Marchesi et al., *Coherent cross-modal generation of synthetic biomedical data to advance multimodal
precision medicine*, PLOS Computational Biology, https://doi.org/10.1371/journal.pcbi.1013455.
"""

from collections.abc import Sequence
from typing import Annotated

import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT

Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, config=STRICT)
class ReportedRescue:
    """One row of the paper's Table 2: a pattern of removed modalities.

    Attributes
    ----------
    removed
        Modality names joined by ``+``.
    stage_f1_ablation_drop_mean, stage_f1_ablation_drop_std
        Change of the macro F1 of the stage classifier where the modalities are removed, against
        complete patients; mean and standard deviation over repeats.
    stage_f1_gain_multi_mean, stage_f1_gain_multi_std, stage_f1_gain_coherent_mean, stage_f1_gain_coherent_std
        Gain over that where a method generates the removed modalities.
    survival_cindex_ablation_drop_mean, survival_cindex_ablation_drop_std, survival_cindex_gain_multi_mean, survival_cindex_gain_multi_std, survival_cindex_gain_coherent_mean, survival_cindex_gain_coherent_std
        The same for the C-index of the survival forest.
    """

    removed: str
    stage_f1_ablation_drop_mean: float
    stage_f1_ablation_drop_std: float
    stage_f1_gain_multi_mean: float
    stage_f1_gain_multi_std: float
    stage_f1_gain_coherent_mean: float
    stage_f1_gain_coherent_std: float
    survival_cindex_ablation_drop_mean: float
    survival_cindex_ablation_drop_std: float
    survival_cindex_gain_multi_mean: float
    survival_cindex_gain_multi_std: float
    survival_cindex_gain_coherent_mean: float
    survival_cindex_gain_coherent_std: float


@dataclass(frozen=True, config=STRICT)
class ReportedPrivacy:
    """One row of the paper's Table 3: generation without any condition.

    Attributes
    ----------
    method
        ``multi`` or ``coherent``.
    f1_mean, f1_std
        F1 of precision and recall of the training patients' manifold, over 10 runs.
    energy_distance_mean, energy_distance_std
        Energy distance between generated and training patients.
    """

    method: str
    f1_mean: float
    f1_std: float
    energy_distance_mean: float
    energy_distance_std: float


@dataclass(frozen=True, config=STRICT)
class ReportedCancerType:
    """One row of the paper's Table 4: patients of a cancer type.

    Attributes
    ----------
    cancer_type
        TCGA's code.
    total
        Patients.
    complete
        Patients with all modalities.
    measured
        Modality to patients that have it.
    """

    cancer_type: str
    total: Count
    complete: Count
    measured: dict[str, Count]


@dataclass(frozen=True, config=STRICT)
class ReportedByPaper:
    """The ``reported_by_paper`` parameters.

    Attributes
    ----------
    table2
        Rescue of incomplete patients.
    table3
        Privacy.
    table4
        The cohort, without the row of totals.
    """

    table2: tuple[ReportedRescue, ...]
    table3: tuple[ReportedPrivacy, ...]
    table4: tuple[ReportedCancerType, ...]


def cohort_beside_reported(
    table: pd.DataFrame, reported: Sequence[ReportedCancerType]
) -> pd.DataFrame:
    """Put the paper's counts of patients beside those of the cohort.

    Parameters
    ----------
    table
        ``table4_cohort``: a row a cancer type and one ``TOTAL``.
    reported
        The paper's counts. Those of cancer types that the cohort lacks are only in the total.

    Returns
    -------
    DataFrame
        `table` with columns ``paper_<column>``.
    """
    counts = pd.DataFrame(
        [
            {
                "cancer_type": row.cancer_type,
                "paper_total": row.total,
                **{f"paper_{modality}": n for modality, n in row.measured.items()},
                "paper_complete": row.complete,
                "paper_incomplete": row.total - row.complete,
            }
            for row in reported
        ]
    ).set_index("cancer_type")
    counts.loc["TOTAL"] = counts.sum()
    return table.join(counts, on="cancer_type")
