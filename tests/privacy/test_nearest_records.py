import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tcga_coherent.evaluation.bootstrap import BootstrapParameters
from tcga_coherent.privacy.nearest_records import compare_distances, linked_share, own_distances

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.9)


def patients(seed: int, n: int = 60, n_dimensions: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, n_dimensions))


def compare(generated, members, nonmembers, n_permutations=200, **settings) -> dict:
    found = compare_distances(
        generated, members, nonmembers, n_permutations, BOOTSTRAP, seed=0, **settings
    )
    return {comparison.statistic: comparison for comparison in found}


def test_statistics_are_those_of_nearest_neighbours_one_group_at_a_time() -> None:
    members, nonmembers, generated = patients(0), patients(1), patients(2, 40).reshape(2, 20, 4)
    found = compare(generated, members, nonmembers)
    rows = generated.reshape(-1, 4)
    (train, other) = (
        NearestNeighbors(n_neighbors=2).fit(side).kneighbors(rows)[0]
        for side in (members, nonmembers)
    )
    share = np.mean(train[:, 0] < other[:, 0])
    ratio = train[:, 0].mean() / other[:, 0].mean()
    difference = np.mean(train[:, 0] / train[:, 1]) - np.mean(other[:, 0] / other[:, 1])
    assert found["share_closer_to_train"].value == pytest.approx(share)
    assert found["dcr_ratio"].value == pytest.approx(ratio)
    assert found["nndr_difference"].value == pytest.approx(difference)


def test_copies_of_training_patients_are_found() -> None:
    members, nonmembers = patients(0), patients(1)
    found = compare(members[None, :30], members, nonmembers)
    assert found["share_closer_to_train"].value == 1
    assert found["share_closer_to_train"].null_high < 0.9
    assert found["dcr_ratio"].value == pytest.approx(0, abs=1e-6)
    assert found["nndr_difference"].high < found["nndr_difference"].null_low


def test_copies_of_held_out_patients_are_not_taken_for_memory() -> None:
    members, nonmembers = patients(0), patients(1)
    found = compare(nonmembers[None, :30], members, nonmembers)
    assert found["share_closer_to_train"].value == 0
    assert found["dcr_ratio"].value > found["dcr_ratio"].null_high


def test_a_generator_that_saw_neither_group_is_flagged_at_the_nominal_rate() -> None:
    outside = []
    for seed in range(150):
        sets = patients(3 * seed, 30), patients(3 * seed + 1, 30)
        found = compare(patients(3 * seed + 2, 30)[None], *sets, n_permutations=60)
        outside.append([not c.null_low <= c.value <= c.null_high for c in found.values()])
    # Of intervals at 90 %; a standard error is 2.4 %.
    assert (np.mean(outside, axis=0) < 0.18).all()
    assert (np.mean(outside, axis=0) > 0.03).all()


def test_the_null_is_wider_than_chance_where_all_draws_meet_the_same_records() -> None:
    members, nonmembers = patients(0, 8), patients(1, 8)
    found = compare(patients(2, 4000)[None], members, nonmembers)["share_closer_to_train"]
    assert found.null_high - found.null_low > 5 * (found.high - found.low)


def test_the_patient_a_draw_was_made_for_does_not_count() -> None:
    members, nonmembers = patients(0), patients(1)
    draws = members + 0.01
    counted = compare(draws[None], members, nonmembers)
    left_out = compare(draws[None], members, nonmembers, own_pair=np.arange(60))
    assert counted["share_closer_to_train"].value == 1
    share = left_out["share_closer_to_train"]
    assert share.null_low <= share.value <= share.null_high


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="at least four pairs"):
        compare(patients(0)[None], patients(1, 3), patients(2, 3))


def test_distances_and_links_are_to_the_own_patient() -> None:
    measured = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 10.0]])
    # The second draw of the first patient lies closer to the second patient.
    draws = measured + np.array([[[1.0, 0.0]], [[3.0, 0.0]]])
    assert own_distances(draws, measured) == pytest.approx([2, 2, 2])
    assert linked_share(draws, measured).tolist() == [0.5, 1, 1]
