"""What reconstruction and signal bring to the tests: scores by repeat and by sample of patients.

The treatment that others are held against comes first.
"""

import logging

import numpy as np
import pandas as pd

from tcga_coherent.baselines.registry import STRONGEST
from tcga_coherent.cohort import FEWEST_PATIENTS, Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.downstream.profiles import GENERATORS, TestProfiles
from tcga_coherent.downstream.tasks import CLASS_TASKS
from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.measures.fidelity import Array, resampled_r2
from tcga_coherent.measures.score import Score
from tcga_coherent.measures.statistical_tests import Comparison
from tcga_coherent.studies.signal.experiment import REAL, labelled_patients
from tcga_coherent.studies.signal.table import cell_scores

logger = logging.getLogger(__name__)

RECONSTRUCTION, SIGNAL = "reconstruction", "signal"
BEST_SINGLE = "best_single"
# Single draws of generators are compared as in the paper, and their mean.
SIGNAL_INPUTS = {"of_draws": "draw", "of_mean": "mean_of_draws"}


def reconstruction_comparisons(
    profiles: TestProfiles, n_repeats: int, bootstrap: BootstrapParameters, seed: int
) -> list[Comparison]:
    """Compare R2 from all sources: of single draws over repeats, and of the mean of all draws.

    The simple method says the same in every repeat. Of the single-condition models the best one on the test
    patients is taken, which favours it.

    Parameters
    ----------
    profiles
        Measured and generated latents of the test patients.
    n_repeats
        Number of draws that are compared one by one.
    bootstrap, seed
        Samples of the patients.
    """
    n_patients = len(profiles.patients)
    if n_patients < FEWEST_PATIENTS:
        logger.warning("Too few test patients have every modality to compare reconstructions")
        return []
    counts = resample_patients(n_patients, bootstrap.repeats, seed)
    everyone = np.ones((1, n_patients))
    comparisons = []
    for target, truth in profiles.real.items():
        draws, means = _reconstructions(profiles, target, n_repeats)
        for metric, reconstructed in (("r2_of_draws", draws), ("r2_of_mean", means)):
            errors = {
                method: np.sum((truth - values) ** 2, axis=-1)
                for method, values in reconstructed.items()
            }
            comparisons.append(
                Comparison(
                    RECONSTRUCTION,
                    target,
                    metric,
                    {
                        name: Score(
                            resampled_r2(truth, error, everyone)[:, 0],
                            resampled_r2(truth, error, counts).mean(axis=0),
                        )
                        for name, error in errors.items()
                    },
                    n_patients,
                )
            )
    return comparisons


def signal_comparisons(
    predictions: pd.DataFrame,
    cohort: Cohort,
    clinical: pd.DataFrame,
    bootstrap: BootstrapParameters,
    seed: int,
) -> list[Comparison]:
    """Compare the macro F1 of classifiers on measured and on generated modalities.

    ``macro_f1_of_draws`` is of single draws, ``macro_f1_of_mean`` of the mean of all.

    Parameters
    ----------
    predictions
        Results of :func:`tcga_coherent.studies.signal.experiment.predict_repeat` with the column ``repeat``.
    cohort, clinical
        Latents and splits; clinical table.
    bootstrap, seed
        Samples of the patients.
    """
    comparisons = []
    for task in CLASS_TASKS:
        for modality in cohort.modalities:
            condition = f"{task} from {modality}"
            try:
                _, truth = labelled_patients(task, modality, cohort, clinical)
            except CannotEvaluate as reason:
                comparisons.append(Comparison(SIGNAL, condition, "macro_f1", note=str(reason)))
                continue
            own = predictions[(predictions["task"] == task) & (predictions["modality"] == modality)]
            counts = resample_patients(len(truth), bootstrap.repeats, seed)
            scores = cell_scores(own, truth, counts)["macro_f1"]
            for suffix, kind in SIGNAL_INPUTS.items():
                keys = [REAL, *((method, kind) for method in GENERATORS)]
                comparisons.append(
                    Comparison(
                        SIGNAL,
                        condition,
                        f"macro_f1_{suffix}",
                        {key[0]: scores[key] for key in keys},
                        len(truth),
                    )
                )
    return comparisons


def _reconstructions(
    profiles: TestProfiles, target: str, n_repeats: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return reconstructions from all sources, repeats x patients x dimensions.

    Single draws of generators, and the one mean of them; the simple method predicts in both.
    """
    truth, removed = profiles.real[target], (target,)
    sources = [name for name in profiles.modalities if name != target]
    simple = profiles.generated(target, removed, STRONGEST)
    draws = {STRONGEST: np.stack([simple] * n_repeats)}
    means = {STRONGEST: simple[None]}
    singles = {source: [name for name in sources if name != source] for source in sources}
    single_means = {
        source: profiles.generated(target, (*removed, *others), "single")
        for source, others in singles.items()
    }
    best = min(singles, key=lambda source: np.sum((truth - single_means[source]) ** 2))
    others = (*removed, *singles[best])
    draws[BEST_SINGLE] = profiles.independent_draws(target, others, "single")[:n_repeats]
    means[BEST_SINGLE] = single_means[best][None]
    for method in GENERATORS:
        draws[method] = profiles.independent_draws(target, removed, method)[:n_repeats]
        means[method] = profiles.generated(target, removed, method)[None]
    return draws, means
