import numpy as np
import pytest


def test_what_is_read_is_of_the_test_patients_in_their_order(simulation) -> None:
    held_out = simulation.held_out()
    sources = held_out.others("cna")
    assert sources == ("rnaseq", "rppa")
    patients = held_out.cohort.test
    draws = held_out.draws("cna", "coherent", sources, patients)
    stored = simulation.test_draws["cna/coherent/rnaseq+rppa"]()
    third = stored.xs(sorted(stored.index.unique("draw"))[2], level="draw").loc[patients]
    np.testing.assert_array_equal(draws[2], third)
    frame = simulation.baseline_predictions["cna/knn/rnaseq+rppa"]()
    expected = frame.loc["prediction"].loc[patients]
    np.testing.assert_array_equal(
        held_out.prediction("cna", "knn", sources, patients).mean, expected
    )
    assert held_out.noise("cna", 5, 0, patients).shape == (5, len(patients), draws.shape[2])


def test_pairs_of_antithetic_draws_are_taken_apart(simulation) -> None:
    draws = np.arange(8.0)[:, None, None]
    assert [list(part.ravel()) for part in simulation.held_out(True).independent(draws)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]
    (whole,) = simulation.held_out(False).independent(draws)
    assert whole is draws


def test_what_is_missing_is_said_when_it_is_asked_for(simulation) -> None:
    held_out = simulation.held_out(test_draws={})
    with pytest.raises(ValueError, match="test_draws has no partition cna/multi/rppa"):
        held_out.draws("cna", "multi", ("rppa",), held_out.cohort.test)
