"""Cancer type, which every patient of the cohort has."""

import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.classification import ClassificationTask


class CancerTypeTask(ClassificationTask):
    """Predicting the cancer type as it is in the split."""

    def labels(self, cohort: Cohort, clinical: pd.DataFrame) -> pd.Series:
        """Return the cancer type of every patient."""
        return cohort.cancer_type.dropna().astype(str)


TASK = CancerTypeTask(
    "cancer_type", "cancer type", "Cancer type", curve_label="Macro F1 of the cancer type"
)
