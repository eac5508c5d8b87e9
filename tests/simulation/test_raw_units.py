import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.features.steps import build_steps
from tcga_coherent.simulation.raw_units import REMAINDER_GENE, to_raw_units
from tcga_coherent.simulation.settings import parse_simulation


def transform(raw: pd.DataFrame, steps: list[str]) -> pd.DataFrame:
    for step in build_steps(steps, "steps"):
        raw = step.forward(raw)
    return raw


def test_expression_survives_the_round_trip_through_counts(small_cohort):
    spec = small_cohort.settings.modalities["rnaseq"]
    processed = small_cohort.processed["rnaseq"]
    sizes = np.random.default_rng(0).uniform(1e7, 4e7, len(processed))
    raw = to_raw_units(processed, "rnaseq", spec, sizes)
    counts = np.exp2(raw.to_numpy()) - 1.0

    np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)
    np.testing.assert_allclose(counts.sum(axis=1), sizes, rtol=1e-6)
    back = transform(raw, ["log2_counts_to_cpm", "log2_plus_one"])
    np.testing.assert_allclose(back[processed.columns], processed, atol=0.01)
    unexpressed = back.columns.difference([*processed.columns, REMAINDER_GENE])
    assert len(unexpressed) == spec.discarded_features
    assert (back[unexpressed] == 0).all(axis=None)


def test_copy_ratios_survive_the_round_trip_through_copies(small_cohort):
    processed = small_cohort.processed["cna"]
    raw = to_raw_units(processed, "cna", small_cohort.settings.modalities["cna"])
    back = transform(raw, ["log2_copy_ratio"])
    np.testing.assert_allclose(back[processed.columns], processed)
    assert raw.drop(columns=processed.columns).isna().all(axis=None)


def test_other_scales_stay_as_they_are(small_cohort):
    processed = small_cohort.processed["wsi"]
    raw = to_raw_units(processed, "wsi", small_cohort.settings.modalities["wsi"])
    pd.testing.assert_frame_equal(raw, processed)


def test_expression_beyond_a_million_counts_is_refused(small):
    spec = parse_simulation(small).modalities["rnaseq"]
    processed = pd.DataFrame(np.full((1, 8), 17.0))
    with pytest.raises(
        ValueError, match=r"more than a million.*lower simulation\.modalities\.rnaseq"
    ):
        to_raw_units(processed, "rnaseq", spec)
