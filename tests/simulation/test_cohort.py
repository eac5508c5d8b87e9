from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.simulation.cohort import simulate_cohort
from tcga_coherent.simulation.settings import parse_simulation

TARGET_R2 = {"cna": (0.1, 0.25), "rnaseq": (0.6, 0.8), "rppa": (0.5, 0.65), "wsi": (0.35, 0.5)}


def complete_patients(cohort):
    return cohort.presence.index[cohort.presence.all(axis=1)]


def explained_variance(cohort, target, sources):
    """R2 of the best possible prediction, over features scaled to the same variance."""
    # A quarter of them is enough, and soon done.
    patients = complete_patients(cohort)[::4]
    truth = cohort.processed[target].loc[patients]
    residual = truth - cohort.conditional_mean(target, sources, patients)
    return 1.0 - (residual**2 / truth.var()).mean(axis=None) / (
        (truth - truth.mean()) ** 2 / truth.var()
    ).mean(axis=None)


@pytest.mark.parametrize("target", TARGET_R2)
def test_modalities_of_the_demo_differ_in_how_predictable_they_are(demo_cohort, target):
    sources = [name for name in demo_cohort.processed if name != target]
    low, high = TARGET_R2[target]
    assert low < explained_variance(demo_cohort, target, sources) < high


@pytest.mark.parametrize("target", ["rnaseq", "rppa", "wsi"])
def test_several_sources_predict_better_than_the_best_single_one(demo_cohort, target):
    sources = [name for name in demo_cohort.processed if name != target]
    single = max(explained_variance(demo_cohort, target, [source]) for source in sources)
    pair = max(explained_variance(demo_cohort, target, two) for two in combinations(sources, 2))
    assert pair > single + 0.04


def test_the_promised_variance_is_that_of_the_errors(demo_cohort):
    patients = complete_patients(demo_cohort)
    sources = ["rppa", "wsi"]
    error = demo_cohort.processed["rnaseq"].loc[patients] - demo_cohort.conditional_mean(
        "rnaseq", sources, patients
    )
    variance = demo_cohort.conditional_variance("rnaseq", sources, patients)
    assert (error**2 / variance).mean(axis=None) == pytest.approx(1.0, abs=0.02)


def test_the_same_settings_give_the_same_cohort_and_another_seed_another(small, small_cohort):
    again = simulate_cohort(parse_simulation(small))
    for name, values in small_cohort.processed.items():
        pd.testing.assert_frame_equal(again.processed[name], values, check_exact=True)
    pd.testing.assert_frame_equal(again.clinical, small_cohort.clinical)
    pd.testing.assert_frame_equal(again.presence, small_cohort.presence)

    small["seed"] += 1
    other = simulate_cohort(parse_simulation(small))
    assert not other.processed["wsi"].equals(small_cohort.processed["wsi"])


def test_a_further_modality_needs_settings_only_and_changes_no_other(
    small, small_cohort, methylation
):
    small["modalities"]["methylation"] = methylation
    cohort = simulate_cohort(parse_simulation(small))
    for name, values in small_cohort.processed.items():
        pd.testing.assert_frame_equal(cohort.processed[name], values, check_exact=True)
    assert cohort.processed["methylation"].shape == (300, 6)
    patients = complete_patients(cohort)[:4]
    draws = cohort.sample_conditional("methylation", ["cna", "rnaseq"], patients, 3, seed=0)
    assert cohort.to_raw_units("methylation", draws).equals(draws)


def test_conditional_draws_are_labelled_seeded_and_centred(small_cohort):
    patients = complete_patients(small_cohort)[:3]
    draws = small_cohort.sample_conditional("rnaseq", ["wsi"], patients, 4000, seed=1)
    assert draws.index.names == ["patient_id", "draw"]
    assert list(draws.columns) == list(small_cohort.processed["rnaseq"].columns)
    mean = small_cohort.conditional_mean("rnaseq", ["wsi"], patients)
    sd = np.sqrt(small_cohort.conditional_variance("rnaseq", ["wsi"], patients))
    by_patient = draws.groupby(level="patient_id")
    assert ((by_patient.mean() - mean).abs() < 5 * sd / 4000**0.5).all(axis=None)
    np.testing.assert_allclose(by_patient.std(ddof=0), sd, rtol=0.06)

    again = small_cohort.sample_conditional("rnaseq", ["wsi"], patients, 4000, seed=1)
    pd.testing.assert_frame_equal(again, draws)
    other = small_cohort.sample_conditional("rnaseq", ["wsi"], patients, 4000, seed=2)
    assert not other.equals(draws)


def test_every_patient_is_measured_and_has_a_tcga_barcode(small_cohort):
    assert small_cohort.presence.any(axis=1).all()
    assert small_cohort.presence.index.is_unique
    assert small_cohort.presence.index.str.fullmatch(r"TCGA-00-[0-9A-Z]{4}").all()
    assert (small_cohort.presence | ~small_cohort.degraded).all(axis=None)


def test_conditioning_on_what_was_not_measured_is_refused(small_cohort):
    without = small_cohort.presence.index[~small_cohort.presence["cna"]][0]
    with pytest.raises(ValueError, match=f"Source 'cna' of patient {without} is not measured"):
        small_cohort.conditional_mean("wsi", ["cna"], [without])
    with pytest.raises(ValueError, match="has no patient 'TCGA-99-9999'"):
        small_cohort.conditional_mean("wsi", ["cna"], ["TCGA-99-9999"])
    with pytest.raises(ValueError, match="has no modality 'dna': it has cna, rnaseq, wsi"):
        small_cohort.conditional_mean("wsi", ["dna"], [without])
