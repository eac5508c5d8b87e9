"""The test split, predicted by the simple baselines."""

import pandas as pd
from kedro.pipeline import Pipeline

from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.cohort import Cohort
from tcga_coherent.pipelines.arguments import cohort
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.pipelines.lanes import study


def predict_test_split(cohort: Cohort, parameters: EvaluationParameters) -> dict[str, pd.DataFrame]:
    """Predict every modality of the test patients from every set of the others."""
    return dict(predict_baselines(cohort, parameters.baselines))


def baselines(compared: list[str]) -> Pipeline:
    """Return the node of the baselines, run with each of the parts that are `compared` to them."""
    return study(
        "baselines",
        ["baselines", *compared],
        (
            predict_test_split,
            [cohort(with_codes=True), "params:evaluation"],
            "baseline_predictions",
        ),
    )
