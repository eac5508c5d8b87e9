import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.attacks.nearest_records import (
    compare_distances,
    linked_share,
    own_distances,
)

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.9)


def patients(seed: int, n: int = 60, n_dimensions: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, n_dimensions))


def compare(generated, control, members, nonmembers, n_permutations=200, **settings) -> dict:
    found = compare_distances(
        generated, control, members, nonmembers, n_permutations, BOOTSTRAP, seed=0, **settings
    )
    return {comparison.statistic: comparison for comparison in found}


def strangers(n: int, n_dimensions: int = 4) -> np.ndarray:
    return patients(99, n, n_dimensions)[None]


def test_statistics_are_those_of_nearest_neighbours_one_group_at_a_time() -> None:
    members, nonmembers, generated = patients(0), patients(1), patients(2, 40).reshape(2, 20, 4)
    found = compare(generated, None, members, nonmembers)
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
    found = compare(members[None, :30], strangers(30), members, nonmembers)
    assert found["share_closer_to_train"].value == 1
    assert found["share_closer_to_train"].null_high < 0.9
    assert found["dcr_ratio"].value == pytest.approx(0, abs=1e-6)
    assert found["nndr_difference"].high < found["nndr_difference"].null_low


def test_copies_of_held_out_patients_are_not_taken_for_memory() -> None:
    members, nonmembers = patients(0), patients(1)
    found = compare(nonmembers[None, :30], strangers(30), members, nonmembers)
    assert found["share_closer_to_train"].value == 0
    assert found["dcr_ratio"].value > found["dcr_ratio"].null_high


@pytest.mark.parametrize("spread", [1.0, 0.8])
def test_a_generator_that_saw_neither_group_is_flagged_at_the_nominal_rate(spread) -> None:
    flagged, shares = [], []
    for seed in range(0, 600, 4):
        # Encoders give held-out patients shorter latents.
        members, other, *records = (patients(seed + number, 30, 12) for number in range(4))
        generated, control = (rows[None] for rows in records)
        found = compare(generated, control, members, spread * other, n_permutations=60)
        share, ratio, nndr = found.values()
        flagged.append(
            [
                share.difference_low > 0 and share.value > share.null_high,
                ratio.difference_high < 0 and ratio.value < ratio.null_low,
                nndr.difference_high < 0 and nndr.value < nndr.null_low,
            ]
        )
        shares.append(share.value)
    # Of 5 % on the leaking side of intervals at 90 %; a standard error is 1.8 %.
    assert (np.mean(flagged, axis=0) < 0.11).all()
    assert (np.mean(flagged, axis=0) > 0).all()
    # Of shorter latents a half would be the wrong null.
    assert np.mean(shares) == pytest.approx(0.5 if spread == 1 else 0.35, abs=0.03)


def test_memory_is_found_among_held_out_patients_who_lie_nearer_to_the_centre() -> None:
    members, nonmembers = patients(0, 200, 12), 0.8 * patients(1, 200, 12)
    known = np.concatenate([members[:30], patients(2, 170, 12)])[None]
    control = patients(3, 200, 12)[None]
    shares = compare(known, control, members, nonmembers)["share_closer_to_train"]
    assert shares.value < 0.5
    assert shares.value > shares.null_high
    assert shares.difference_low > 0


@pytest.mark.parametrize("n_pairs", [50, 200])
def test_total_copying_is_seen_where_all_close_records_are_of_one_group(n_pairs) -> None:
    members, nonmembers = patients(0, n_pairs), patients(1, n_pairs) + 100
    found = compare(members[None], None, members, nonmembers, n_permutations=10)
    assert found["share_closer_to_train"].value == 1
    assert found["dcr_ratio"].value == pytest.approx(0, abs=1e-6)


def test_the_null_is_that_of_the_control_and_its_difference_is_paired() -> None:
    members, nonmembers, generated = patients(0), patients(1), patients(2, 20)[None]
    control = strangers(20)
    alone = compare(control, None, members, nonmembers)
    found = compare(generated, control, members, nonmembers)
    same = compare(generated, generated, members, nonmembers)
    for name, comparison in found.items():
        assert comparison.null == alone[name].value
        assert np.isnan([alone[name].null, alone[name].null_low, alone[name].difference_low]).all()
        assert same[name].difference_low == same[name].difference_high == 0
        assert same[name].null_low == same[name].null_high == same[name].value


def test_the_null_is_wider_than_chance_where_all_draws_meet_the_same_records() -> None:
    members, nonmembers = patients(0, 8), patients(1, 8)
    # The control lies elsewhere, so that it meets other records.
    generated, control = patients(2, 4000)[None], strangers(4000) + 1
    found = compare(generated, control, members, nonmembers)["share_closer_to_train"]
    assert found.null_high - found.null_low > 5 * (found.difference_high - found.difference_low)


def test_a_control_for_other_patients_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"The control is \(1, 20, 4\), what is generated \(1, 30, 4\)"
    ):
        compare(patients(2, 30)[None], strangers(20), patients(0), patients(1))


def test_the_patient_a_draw_was_made_for_does_not_count() -> None:
    members, nonmembers = patients(0), patients(1)
    draws = members + 0.01
    counted = compare(draws[None], strangers(60), members, nonmembers)
    left_out = compare(draws[None], strangers(60), members, nonmembers, own_pair=np.arange(60))
    assert counted["share_closer_to_train"].value == 1
    share = left_out["share_closer_to_train"]
    assert share.null_low <= share.value <= share.null_high


def test_the_pair_of_a_draw_is_left_out_on_both_sides() -> None:
    members, nonmembers = patients(0), patients(1)
    for own in (members, nonmembers):
        draws = own + 0.01
        found = compare(draws[None], None, members, nonmembers, own_pair=np.arange(60))
        closest = np.array(
            [
                [
                    np.linalg.norm(np.delete(side, number, axis=0) - draw, axis=1).min()
                    for side in (members, nonmembers)
                ]
                for number, draw in enumerate(draws)
            ]
        )
        ratio = closest[:, 0].mean() / closest[:, 1].mean()
        assert found["dcr_ratio"].value == pytest.approx(ratio)
        share = np.mean(closest[:, 0] < closest[:, 1])
        assert found["share_closer_to_train"].value == pytest.approx(share)


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 pairs"):
        compare(patients(0)[None], None, patients(1, 3), patients(2, 3))


def test_distances_and_links_are_to_the_own_patient() -> None:
    measured = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 10.0]])
    # The second draw of the first patient lies closer to the second patient.
    draws = measured + np.array([[[1.0, 0.0]], [[3.0, 0.0]]])
    assert own_distances(draws, measured) == pytest.approx([2, 2, 2])
    assert linked_share(draws, measured).tolist() == [0.5, 1, 1]
