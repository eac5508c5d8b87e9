from dataclasses import replace

import numpy as np
import pytest

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.studies.fidelity.patient_sets import PatientSet, patient_sets


def sets_of(simulation, test_draws=None) -> dict[str, list[PatientSet]]:
    draws = simulation.test_draws if test_draws is None else test_draws
    return patient_sets(simulation.held_out(test_draws=draws), seed=0)


def named(sets: list[PatientSet]) -> dict[tuple[str, str], PatientSet]:
    return {(one.name, one.reading): one for one in sets}


@pytest.fixture(scope="module")
def sets(simulation):
    return sets_of(simulation)


def test_every_space_has_real_and_generated_patients_and_those_of_the_baselines(sets) -> None:
    assert list(sets) == ["all", "cna", "rnaseq", "rppa"]
    for space, width in {"all": 12, "cna": 4, "rnaseq": 4, "rppa": 4}.items():
        assert list(named(sets[space])) == [
            ("real", "measured"),
            ("multi", "draw"),
            ("coherent", "draw"),
            ("multi", "mean"),
            ("coherent", "mean"),
            ("ridge_features", "mean"),
            ("ridge", "mean"),
            ("knn", "mean"),
            ("mean", "mean"),
        ]
        assert {one.points.shape for one in sets[space]} == {(300, width)}


def test_a_draw_is_the_first_of_each_modality_from_all_others(simulation, sets) -> None:
    patient = simulation.cohort.test[3]
    draws = simulation.test_draws["rnaseq/coherent/cna+rppa"]().loc[patient]
    whole, alone = named(sets["all"]), named(sets["rnaseq"])
    np.testing.assert_array_equal(whole["coherent", "draw"].points[3, 4:8], draws.loc[0])
    np.testing.assert_array_equal(alone["coherent", "draw"].points[3], draws.loc[0])
    np.testing.assert_allclose(alone["coherent", "mean"].points[3], draws.mean())
    np.testing.assert_array_equal(
        whole["real", "measured"].points[3, 8:], simulation.latents["rppa"]().loc[patient]
    )
    ridge = simulation.baseline_predictions["rppa/ridge_features/cna+rnaseq"]().loc["prediction"]
    np.testing.assert_allclose(whole["ridge_features", "mean"].points[:, 8:], ridge)


def test_training_patients_are_complete_different_and_none_of_the_test_split(simulation) -> None:
    cohort = replace(simulation.cohort, test=simulation.cohort.test[:100])
    sets = patient_sets(simulation.held_out(cohort=cohort), seed=0)
    train = cohort.complete(cohort.train)
    known = {tuple(row): name for name, row in cohort.latents["cna"].loc[train].iterrows()}
    chosen = [known[tuple(row)] for row in named(sets["cna"])["train", "measured"].points]
    assert set(chosen) <= set(cohort.train)
    assert len(set(chosen)) == len(chosen) == 100
    types = named(sets["cna"])["train", "measured"].types
    np.testing.assert_array_equal(types, cohort.cancer_type[chosen])


def test_fewer_complete_training_than_test_patients_are_no_set(simulation, caplog) -> None:
    n_train = len(simulation.cohort.complete(simulation.cohort.train))
    assert n_train < 300
    for space in sets_of(simulation).values():
        assert ("train", "measured") not in named(space)
    assert f"Fewer complete training patients ({n_train}) than test patients (300)" in caplog.text


def test_whole_patients_of_five_modalities_use_the_four_others(simulation_of_five) -> None:
    sets = sets_of(simulation_of_five)
    first = simulation_of_five.test_draws["wsi/multi/cna+rnaseq+rppa+methylation"]()
    expected = first.xs(0, level="draw").loc[simulation_of_five.cohort.test]
    multi = named(sets["all"])["multi", "draw"].points
    np.testing.assert_array_equal(multi[:, 12:16], expected)
    assert multi.shape == (80, 20)


def test_a_missing_partition_is_named(simulation) -> None:
    fewer = {k: v for k, v in simulation.test_draws.items() if k != "rppa/coherent/cna+rnaseq"}
    with pytest.raises(ValueError, match=r"no partition rppa/coherent/cna\+rnaseq"):
        sets_of(simulation, fewer)


def test_no_complete_training_patient_is_said_so(simulation) -> None:
    cohort = simulation.cohort
    lacking = replace(
        cohort, latents=cohort.latents | {"rppa": cohort.latents["rppa"].loc[cohort.test]}
    )
    with pytest.raises(CannotEvaluate, match="no training patient has every modality"):
        patient_sets(simulation.held_out(cohort=lacking), seed=0)
