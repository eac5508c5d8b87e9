import numpy as np
import pandas as pd
import pytest
from sklearn.manifold import trustworthiness

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.measures.neighborhoods import energy_distance
from tcga_coherent.measures.precision_recall import on_manifold
from tcga_coherent.studies.fidelity.patient_sets import PatientSet, patient_sets
from tcga_coherent.studies.fidelity.table import (
    ManifoldParameters,
    manifold_lines,
    manifold_table,
    project,
)

PARAMETERS = ManifoldParameters(
    n_neighbors=10, min_dist=0.1, voting_neighbors=5, precision_recall_neighbors=3
)
BOOTSTRAP = BootstrapParameters(repeats=200, level=0.95)


def sets_of(simulation, test_draws=None) -> dict[str, list[PatientSet]]:
    draws = simulation.test_draws if test_draws is None else test_draws
    return patient_sets(simulation.held_out(test_draws=draws), seed=0)


def named(sets: list[PatientSet]) -> dict[tuple[str, str], PatientSet]:
    return {(one.name, one.reading): one for one in sets}


@pytest.fixture(scope="module")
def sets(simulation):
    return sets_of(simulation)


@pytest.fixture(scope="module")
def whole(sets):
    """One space is enough to test what is done to each."""
    return {"all": sets["all"]}


@pytest.fixture(scope="module")
def projections(simulation, whole):
    return project(whole, simulation.cohort, PARAMETERS, seed=0)


@pytest.fixture(scope="module")
def table(whole, projections):
    return manifold_table(whole, projections, PARAMETERS, BOOTSTRAP, seed=0)


def test_the_projection_keeps_patients_apart_that_differ_and_is_reproducible(
    simulation, whole, projections
) -> None:
    own = projections["all"]
    assert {name: points.shape for name, points in own.items()} == dict.fromkeys(
        ("real", "multi", "coherent"), (300, 2)
    )
    again = project(whole, simulation.cohort, PARAMETERS, seed=0)
    np.testing.assert_array_equal(again["all"]["coherent"], own["coherent"])
    # Patients that are close in the map are close in the latents: far above a random map.
    real = named(whole["all"])["real", "measured"].points
    close = np.argsort(np.linalg.norm(own["real"][:, None] - own["real"][None], axis=2), axis=1)
    distances = np.linalg.norm(real[:, None] - real[None], axis=2)
    assert np.take_along_axis(distances, close[:, 1:6], axis=1).mean() < 0.7 * distances.mean()


def test_each_modality_has_a_map_of_its_own(simulation, sets) -> None:
    found = project({"rppa": sets["rppa"]}, simulation.cohort, PARAMETERS, seed=0)
    shown = found["rppa"]["real"]
    values = named(sets["rppa"])["real", "measured"].points
    others = named(sets["cna"])["real", "measured"].points
    assert trustworthiness(values, shown, n_neighbors=5) > 0.8
    assert trustworthiness(others, shown, n_neighbors=5) < 0.75


def test_the_table_says_what_the_figure_shows(simulation, whole, projections, table) -> None:
    own = named(whole["all"])
    rows = table.set_index(["set", "reading"])
    real, multi = own["real", "measured"].points, own["multi", "draw"].points
    types = simulation.cohort.cancer_type[simulation.cohort.test]
    share = (types == "LUAD").mean()
    assert rows.loc[("real", "measured"), "type_agreement_by_chance"] == pytest.approx(
        (share * (300 * share - 1) + (1 - share) * (300 * (1 - share) - 1)) / 299
    )
    row = rows.loc[("multi", "draw")]
    assert row["precision"] == pytest.approx(on_manifold(multi, real, 3).mean())
    assert row["recall"] == pytest.approx(on_manifold(real, multi, 3).mean())
    assert row["f1"] == pytest.approx(
        2 * row["precision"] * row["recall"] / (row["precision"] + row["recall"])
    )
    assert row["energy_distance"] == pytest.approx(
        energy_distance(real, multi, np.ones((1, 300), dtype=np.int64))[0]
    )
    assert row["trustworthiness"] == pytest.approx(
        trustworthiness(multi, projections["all"]["multi"], n_neighbors=5)
    )
    assert rows.loc[("real", "measured"), "total_variance_ratio"] == 1
    assert rows.loc[("real", "measured"), ["precision", "energy_distance"]].isna().all()
    shown = rows["trustworthiness"].dropna().index
    assert list(shown) == [("real", "measured"), ("multi", "draw"), ("coherent", "draw")]


def test_true_draws_are_like_other_patients_and_means_are_not(table) -> None:
    rows = table.set_index(["set", "reading"])
    # The multi model draws from the true conditionals, the ensemble has lost half the spread.
    assert abs(rows.loc[("multi", "draw"), "energy_distance"]) < 0.05
    for measure in ("total_variance_ratio", "recall"):
        falling = rows.loc[
            [("multi", "draw"), ("coherent", "draw"), ("multi", "mean"), ("mean", "mean")], measure
        ]
        assert falling.is_monotonic_decreasing
    assert (
        rows.loc[("ridge_features", "mean"), "precision"] > rows.loc[("multi", "draw"), "precision"]
    )
    assert rows.loc[("mean", "mean"), "energy_distance"] > 0.5
    informed = rows.drop(index=("mean", "mean"))
    assert (informed["type_agreement"] > informed["type_agreement_by_chance"] + 0.1).all()


def test_intervals_hold_their_number_and_are_as_wide_as_resampling_says(table, whole) -> None:
    compared = table[table["set"] != "real"]
    for measure in ("type_agreement", "precision", "recall", "energy_distance"):
        assert (compared[f"{measure}_low"] <= compared[measure] + 1e-9).all()
        assert (compared[f"{measure}_high"] >= compared[measure] - 1e-9).all()
    row = table[table["set"] == "multi"].iloc[0]
    # Precision is a share: its standard error is known.
    error = np.sqrt(row["precision"] * (1 - row["precision"]) / 300)
    assert row["precision_high"] - row["precision_low"] == pytest.approx(3.92 * error, rel=0.25)


def test_the_lines_name_each_space_with_its_draws(table) -> None:
    train = table[table["set"] == "multi"].head(1).assign(set="train", reading="measured")
    (line,) = manifold_lines(pd.concat([table, train]))
    assert line.startswith("all: same-type neighbours / F1 of manifolds / energy distance: real ")
    assert line.count("multi") == line.count("coherent") == line.count("train") == 1


def test_too_few_training_patients_are_refused_with_the_parameter(simulation, whole) -> None:
    parameters = ManifoldParameters(5000, 0.1, 5, 3)
    with pytest.raises(CannotEvaluate, match=r"evaluation\.manifold\.n_neighbors = 5000"):
        project(whole, simulation.cohort, parameters, seed=0)


@pytest.mark.parametrize(
    ("voting", "bounding", "message"),
    [(2, 3, "voting_neighbors = 2"), (1, 4, "precision_recall_neighbors = 4")],
)
def test_too_few_test_patients_are_refused_with_the_parameter(voting, bounding, message) -> None:
    real = PatientSet("real", "measured", np.zeros((4, 2)), np.array(list("aabb")))
    parameters = ManifoldParameters(10, 0.1, voting, bounding)
    with pytest.raises(CannotEvaluate, match=rf"4 test patients .*\.{message}"):
        manifold_table({"all": [real]}, {}, parameters, BOOTSTRAP, seed=0)
