import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tcga_coherent.evaluation.manifold import (
    ManifoldParameters,
    energy_distance,
    manifold_table,
    project,
    type_agreement,
    whole_patients,
)

PARAMETERS = ManifoldParameters(n_neighbors=10, min_dist=0.1, voting_neighbors=5)


def test_whole_patients_hold_the_first_draw_of_each_modality_from_all_others(simulation) -> None:
    sets = whole_patients(simulation.test_draws, simulation.cohort)
    assert list(sets) == ["real", "multi", "coherent"]
    patient = simulation.cohort.test[3]
    rnaseq = simulation.test_draws["rnaseq/coherent/cna+rppa"]().loc[(patient, 0)]
    np.testing.assert_array_equal(sets["coherent"][3, 4:8], rnaseq)
    np.testing.assert_array_equal(
        sets["real"][3, 8:], simulation.latents["rppa"]().loc[patient].to_numpy()
    )


def test_whole_patients_of_five_modalities_use_the_four_others(simulation_of_five) -> None:
    sets = whole_patients(simulation_of_five.test_draws, simulation_of_five.cohort)
    first = simulation_of_five.test_draws["wsi/multi/cna+rnaseq+rppa+methylation"]()
    expected = first.xs(0, level="draw").loc[simulation_of_five.cohort.test]
    np.testing.assert_array_equal(sets["multi"][:, 12:16], expected)
    assert sets["multi"].shape == (80, 20)


def test_a_missing_partition_is_named(simulation) -> None:
    fewer = {k: v for k, v in simulation.test_draws.items() if k != "rppa/coherent/cna+rnaseq"}
    with pytest.raises(ValueError, match=r"no partition rppa/coherent/cna\+rnaseq"):
        whole_patients(fewer, simulation.cohort)


def test_agreement_is_one_for_separate_types_and_chance_for_shuffled_ones() -> None:
    rng = np.random.default_rng(0)
    types = np.repeat(["a", "b"], 200)
    points = rng.standard_normal((400, 3)) + 50 * (types == "b")[:, None]
    assert type_agreement(points, points, types, 10) == 1
    shuffled = rng.permutation(types)
    assert type_agreement(points, points, shuffled, 10) == pytest.approx(0.5, abs=0.05)


def test_agreement_equals_a_direct_search_that_leaves_the_patient_out() -> None:
    rng = np.random.default_rng(1)
    real, points = rng.standard_normal((2, 40, 3))
    types = rng.choice(["a", "b", "c"], size=40)
    shares = []
    for i in range(40):
        others = np.delete(np.arange(40), i)
        distances = np.linalg.norm(real[others] - points[i], axis=1)
        shares.append(np.mean(types[others[np.argsort(distances)[:4]]] == types[i]))
    assert type_agreement(real, points, types, 4) == pytest.approx(np.mean(shares))


def test_energy_distance_of_shifted_gaussians_equals_the_closed_form() -> None:
    # |X - Y| is folded normal with mean m and variance 2.
    shift = 2.0
    apart = 2 / np.sqrt(np.pi) * np.exp(-(shift**2) / 4)
    apart += shift * (1 - 2 * norm.cdf(-shift / np.sqrt(2)))
    expected = 2 * apart - 4 / np.sqrt(np.pi)
    rng = np.random.default_rng(2)
    shifts = np.array([0, shift])[:, None, None]
    distances = [energy_distance(*(rng.standard_normal((2, 200, 1)) + shifts)) for _ in range(200)]
    assert np.mean(distances) == pytest.approx(expected, abs=0.05)


def test_energy_distance_is_zero_on_average_for_alike_patients_of_one_distribution() -> None:
    rng = np.random.default_rng(3)
    distances = []
    for _ in range(300):
        shared = rng.standard_normal((30, 5))
        real, generated = shared + 0.3 * rng.standard_normal((2, 30, 5))
        distances.append(energy_distance(real, generated))
    assert np.mean(distances) == pytest.approx(0, abs=4 * np.std(distances) / np.sqrt(300))
    assert np.std(distances) < 0.05


@pytest.fixture(scope="module")
def projected(simulation):
    sets = whole_patients(simulation.test_draws, simulation.cohort)
    return sets, project(sets, simulation.cohort, PARAMETERS, seed=0)


def test_the_projection_keeps_patients_apart_that_differ_and_is_reproducible(
    simulation, projected
) -> None:
    sets, projections = projected
    assert {name: points.shape for name, points in projections.items()} == dict.fromkeys(
        ("real", "multi", "coherent"), (300, 2)
    )
    again = project(sets, simulation.cohort, PARAMETERS, seed=0)
    np.testing.assert_array_equal(again["coherent"], projections["coherent"])
    # Patients that are close in the map are close in the latents: far above a random map.
    close = np.argsort(
        np.linalg.norm(projections["real"][:, None] - projections["real"][None], axis=2), axis=1
    )[:, 1:6]
    distances = np.linalg.norm(sets["real"][:, None] - sets["real"][None], axis=2)
    assert np.take_along_axis(distances, close, axis=1).mean() < 0.7 * distances.mean()


def test_the_table_says_what_the_figure_shows(simulation, projected) -> None:
    sets, projections = projected
    types = simulation.cohort.cancer_type[simulation.cohort.test]
    table = manifold_table(sets, projections, types, PARAMETERS.voting_neighbors).set_index("set")
    share = (types == "LUAD").mean()
    assert table["type_agreement_by_chance"].iloc[0] == pytest.approx(
        (share * (300 * share - 1) + (1 - share) * (300 * (1 - share) - 1)) / 299
    )
    assert table.loc["real", "energy_distance"] == 0
    assert table.loc["real", "total_variance_ratio"] == 1
    # The multi model draws from the true conditionals, the ensemble has lost half the spread.
    assert abs(table.loc["multi", "energy_distance"]) < 0.05
    assert (
        table.loc["coherent", "total_variance_ratio"] < table.loc["multi", "total_variance_ratio"]
    )
    assert (table["type_agreement"] > table["type_agreement_by_chance"] + 0.1).all()


def test_too_few_training_patients_are_refused_with_the_parameter(simulation) -> None:
    sets = whole_patients(simulation.test_draws, simulation.cohort)
    parameters = ManifoldParameters(n_neighbors=5000, min_dist=0.1, voting_neighbors=5)
    with pytest.raises(ValueError, match=r"too few for evaluation\.manifold\.n_neighbors = 5000"):
        project(sets, simulation.cohort, parameters, seed=0)


def test_too_few_test_patients_are_refused_with_the_parameter() -> None:
    sets = {"real": np.zeros((4, 2))}
    with pytest.raises(ValueError, match=r"4 test patients .*\.voting_neighbors = 4"):
        manifold_table(sets, sets, pd.Series(list("aabb")), 4)
