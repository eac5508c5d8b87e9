"""Predictions of the baselines for the test patients, as frames.

They stand beside the draws of the generative methods in every comparison, so they are fitted once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.models import fit_baseline
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.cohort import Cohort, Partitions
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.source_sets import partition_name

PREDICTION, NOISE_SD = "prediction", "noise_sd"


@dataclass(frozen=True)
class BaselinePrediction:
    """What a baseline says of the test patients.

    Attributes
    ----------
    mean
        Predicted latents, patients x dimensions.
    noise_sd
        Root mean squared error of each dimension on the validation patients.
    """

    mean: Array
    noise_sd: Array


def predict_baselines(
    cohort: Cohort, parameters: BaselineParameters
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Fit every baseline for every target and set of sources and predict the test patients.

    Parameters
    ----------
    cohort
        Measured latents and splits; the baselines see training and validation patients.
    parameters
        Settings of ridge and nearest neighbours.

    Yields
    ------
    name
        ``<target>/<method>/<source+source>``.
    frame
        Index (``quantity``, ``patient_id``): a row ``prediction`` a test patient, and one row
        ``noise_sd`` of no patient; columns are the dimensions of the target.
    """
    for target in cohort.modalities:
        columns = cohort.latents[target].columns
        for sources in cohort.source_sets(target):
            patients = cohort.tested(target, *sources)
            for method in BASELINES:
                baseline = fit_baseline(method, target, sources, cohort, parameters)
                # Regressors refuse to predict nobody.
                mean = baseline.predict(cohort, patients) if len(patients) else None
                frames = {
                    PREDICTION: pd.DataFrame(mean, index=patients, columns=columns, dtype=float),
                    NOISE_SD: pd.DataFrame([baseline.noise_sd], index=[""], columns=columns),
                }
                frame = pd.concat(frames, names=["quantity", "patient_id"])
                yield partition_name(target, method, sources), frame


def read_baseline(
    predictions: Partitions, name: str, patients: pd.Index, dimensions: Sequence[str]
) -> BaselinePrediction:
    """Load one prediction.

    Parameters
    ----------
    predictions
        ``<target>/<method>/<source+source>`` to a function that loads its frame.
    name
        Partition to load.
    patients, dimensions
        Rows and columns of the result, in this order.

    Raises
    ------
    ValueError
        When the partition is missing or does not fit the patients and dimensions.
    """
    if name not in predictions:
        raise ValueError(
            f"baseline_predictions has no partition {name}: make it with "
            f"`kedro run --pipeline evaluation --tags baselines`."
        )
    frame = predictions[name]()
    # Of nobody there are no rows, which `xs` would take for an error.
    is_prediction = frame.index.get_level_values("quantity") == PREDICTION
    predicted = frame[is_prediction].droplevel("quantity")
    if set(frame.columns) != set(dimensions) or not patients.isin(predicted.index).all():
        raise ValueError(
            f"baseline_predictions {name} is of other patients or latents than the present ones: run "
            f"`kedro run --pipeline evaluation --tags baselines` again."
        )
    return BaselinePrediction(
        predicted.loc[patients, list(dimensions)].to_numpy(float),
        frame.xs(NOISE_SD, level="quantity")[list(dimensions)].to_numpy(float)[0],
    )
