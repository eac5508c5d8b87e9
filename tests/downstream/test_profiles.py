from dataclasses import replace

import numpy as np
import pytest

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.downstream.profiles import (
    COMPLETIONS,
    TestProfiles,
    read_profiles,
    removal_patterns,
    training_profiles,
)

PARAMETERS = BaselineParameters(
    ridge_alphas=(1.0, 10.0), ridge_features_alphas=(0.1, 1.0, 10.0), knn_neighbors=(10, 30)
)


@pytest.fixture(scope="module")
def profiles(simulation) -> TestProfiles:
    cohort = simulation.cohort
    predictions = {
        name: lambda frame=frame: frame for name, frame in predict_baselines(cohort, PARAMETERS)
    }
    return read_profiles(simulation.held_out(baseline_predictions=predictions))


def test_four_modalities_have_fourteen_removal_patterns() -> None:
    patterns = removal_patterns(["cna", "rnaseq", "rppa", "wsi"])
    assert len(patterns) == len(set(patterns)) == 14
    assert patterns[0] == ("cna",)
    assert patterns[-1] == ("rnaseq", "rppa", "wsi")


def test_only_what_was_drawn_can_be_removed(simulation) -> None:
    """Of sets of a cohort nobody of which lacks two modalities, one can be removed at a time or all but one."""
    sets = {
        name: [(other,) for other in simulation.modalities if other != name]
        for name in simulation.modalities
    }
    cohort = replace(simulation.cohort, chosen_sets=sets)
    made = simulation.held_out()
    chosen = read_profiles(replace(made, cohort=cohort))
    assert chosen.patterns == [("cna", "rnaseq"), ("cna", "rppa"), ("rnaseq", "rppa")]
    assert read_profiles(made).patterns == removal_patterns(simulation.modalities)


def test_ablation_removes_and_leaves_the_rest(profiles) -> None:
    values = profiles.completed(("rnaseq",), "ablation")
    assert values.shape == (len(profiles.patients), 12)
    assert np.isnan(values[:, 4:8]).all()
    np.testing.assert_array_equal(values[:, :4], profiles.real["cna"])
    np.testing.assert_array_equal(values[:, 8:], profiles.real["rppa"])


def test_no_completion_sees_what_was_removed(simulation, profiles) -> None:
    """Each modality that is made up again is the target of a model of the modalities left."""
    for completion in COMPLETIONS[1:]:
        values = profiles.completed(("cna", "rppa"), completion)
        for target, place in (("cna", slice(0, 4)), ("rppa", slice(8, 12))):
            name = f"{target}/{completion}/rnaseq"
            if name in profiles.baselines:
                expected = profiles.baselines[name].mean
            else:
                expected = profiles.draws[name].mean(axis=0)
            np.testing.assert_allclose(values[:, place], expected, rtol=1e-4, atol=1e-6)


def test_a_draw_is_one_draw_and_none_is_their_mean(simulation, profiles) -> None:
    frame = simulation.test_draws["cna/coherent/rnaseq+rppa"]()
    third = profiles.completed(("cna",), "coherent", draw=3)[:, :4]
    np.testing.assert_allclose(third, frame.xs(3, level="draw"), rtol=1e-6)
    mean = profiles.completed(("cna",), "coherent")[:, :4]
    by_patient = frame.groupby(level="patient_id").mean().loc[profiles.patients]
    np.testing.assert_allclose(mean, by_patient, rtol=1e-5, atol=1e-6)


def test_antithetic_draws_are_independent_in_the_first_half_only(simulation, profiles) -> None:
    assert profiles.n_independent == 19
    draws = {name: values[:18] for name, values in profiles.draws.items()}
    pairs = TestProfiles(profiles.patients, profiles.real, draws, profiles.baselines, True)
    assert pairs.n_independent == 9
    found = pairs.independent_draws("cna", ("cna",), "multi")
    np.testing.assert_array_equal(found, draws["cna/multi/rnaseq+rppa"][:9])


def test_training_profiles_are_missing_where_patients_are(simulation) -> None:
    cohort = simulation.cohort
    values = training_profiles(cohort, cohort.train)
    absent = ~cohort.train.isin(cohort.latents["rnaseq"].index)
    np.testing.assert_array_equal(np.isnan(values[:, 4:8]).all(axis=1), absent)
    assert absent.any()
