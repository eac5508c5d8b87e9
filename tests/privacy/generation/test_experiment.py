from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.generation.experiment import (
    ALL,
    Audited,
    UnconditionalParameters,
    compare_with_training_patients,
    summarise_unconditional,
    training_patients,
    values,
)
from tcga_coherent.privacy.generation.rows import GENERATORS
from tcga_coherent.privacy.generation.scores import METRICS, closeness
from tcga_coherent.reported import ReportedPrivacy
from tests.pipelines.latent_cohort import SIZES
from tests.privacy.audited import make_audited

PARAMETERS = UnconditionalParameters(n_repeats=2, k=3, max_rows=60, n_neighbors=5, min_dist=0.1)
BOOTSTRAP = BootstrapParameters(repeats=20, level=0.9)
REFERENCES = {"gaussian", "standard_normal", "copy", "train_halves", "held_out"}
REPORTED = (
    ReportedPrivacy("multi", f1_mean=0.14, f1_std=0.01, energy_distance_mean=1.0, energy_distance_std=0.2),
    ReportedPrivacy("coherent", f1_mean=0.0, f1_std=0.0, energy_distance_mean=2.1, energy_distance_std=0.3),
)  # fmt: skip


@pytest.fixture(scope="module")
def audited() -> Audited:
    torch.set_num_threads(1)
    return make_audited()


def repeat(audited: Audited, number: int, **changes) -> pd.DataFrame:
    parameters = replace(PARAMETERS, **changes)
    return compare_with_training_patients(audited, parameters, BOOTSTRAP, 0, number)


@pytest.fixture(scope="module")
def repeats(audited) -> pd.DataFrame:
    return pd.concat(
        [repeat(audited, number).assign(repeat=number) for number in range(2)], ignore_index=True
    )


@pytest.fixture(scope="module")
def table(repeats, audited) -> pd.DataFrame:
    return summarise_unconditional(repeats, audited.cohort, PARAMETERS, REPORTED).set_index(
        ["space", "method"]
    )


def test_every_space_has_every_method_once(table) -> None:
    methods = {*GENERATORS, *REFERENCES}
    expected = {(space, method) for space in (ALL, *SIZES) for method in methods}
    assert table.index.is_unique
    assert set(table.index) == expected | {(ALL, "held_out_unlinked")}
    assert table[[f"{metric}_mean" for metric in METRICS]].notna().all(axis=None)
    assert (table["note"] == "").all()
    assert (table["k"] == 3).all()
    assert (table["n_repeats"] == 2).all()


def test_no_patient_but_training_ones_is_what_rows_are_held_against(audited) -> None:
    cohort = audited.cohort
    assert len(training_patients(cohort, "cna")) == 100
    complete = training_patients(cohort, ALL)
    assert len(complete) == 80
    assert complete.isin(cohort.train).all()
    found = values(cohort, ALL, complete)
    assert found.shape == (80, sum(SIZES.values()))
    np.testing.assert_array_equal(found[:, :3], cohort.latents["cna"].loc[complete])


def test_means_and_deviations_are_those_over_repeats(table, repeats) -> None:
    group = repeats[(repeats["space"] == "rnaseq") & (repeats["method"] == "multi")]
    row = table.loc[("rnaseq", "multi")]
    assert row["recall_mean"] == pytest.approx(group["recall"].mean())
    assert row["energy_distance_std"] == pytest.approx(group["energy_distance"].std(ddof=1))
    assert group["energy_distance"].nunique() == 2


def test_held_out_patients_are_scored_as_they_are(audited) -> None:
    cohort = audited.cohort
    table = repeat(audited, 0, max_rows=1000).set_index(["space", "method"])
    direct = closeness(
        values(cohort, ALL, training_patients(cohort, ALL)), values(cohort, ALL, cohort.test), 3
    )
    for metric, expected in direct.items():
        assert table.loc[(ALL, "held_out"), metric] == pytest.approx(expected)
    assert table.loc[(ALL, "held_out"), ["n_train", "n_rows"]].tolist() == [80, 25]
    assert table.loc[(ALL, "train_halves"), ["n_train", "n_rows"]].tolist() == [40, 40]
    assert table.loc[("cna", "multi"), ["n_train", "n_rows"]].tolist() == [100, 100]


def test_references_are_ordered_as_they_must_be(table) -> None:
    for space in (ALL, *SIZES):
        f1, distance = table.loc[space]["f1_mean"], table.loc[space]["energy_distance_mean"]
        assert table.loc[(space, "copy"), "precision_mean"] == 1
        assert f1["copy"] > 0.85
        assert f1["coherent_narrow"] < f1["coherent_inverse_mse"]
        assert distance["coherent_narrow"] > distance["gaussian"]
    # The modalities share a factor, which rows of different patients do not.
    whole = table.loc[ALL]["energy_distance_mean"]
    assert whole["held_out_unlinked"] > whole["held_out"] + 0.03
    assert whole["standard_normal"] > whole["gaussian"] + 0.03


def test_the_papers_numbers_stand_beside_whole_patients_alone(table) -> None:
    reported = table["paper_f1_mean"].dropna()
    assert reported.to_dict() == {
        (ALL, "multi"): 0.14,
        (ALL, "coherent"): 0.0,
        (ALL, "coherent_inverse_mse"): 0.0,
    }
    assert table.loc[(ALL, "coherent"), "paper_energy_distance_std"] == 0.3


def test_the_interval_holds_the_first_repeat(table, repeats) -> None:
    first = repeats[repeats["repeat"] == 0].set_index(["space", "method"])["energy_distance"]
    inside = (table["energy_distance_low"] <= first) & (first <= table["energy_distance_high"])
    # Few resamples, and pairs of one patient never count: an interval may just miss.
    assert inside.mean() > 0.8


def test_a_repeat_is_reproducible(audited, repeats) -> None:
    again = repeat(audited, 1).assign(repeat=1)
    former = repeats[repeats["repeat"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, former[again.columns])


def test_too_few_training_patients_are_a_note(audited) -> None:
    few = repeat(audited, 0, k=90).assign(repeat=0)
    table = summarise_unconditional(few, audited.cohort, replace(PARAMETERS, k=90), REPORTED)
    whole = table[table["space"] == ALL]
    assert whole["note"].str.startswith("60 training patients, more than k = 90").all()
    assert whole["f1_mean"].isna().all()
    assert set(whole["method"]) == set(GENERATORS)
