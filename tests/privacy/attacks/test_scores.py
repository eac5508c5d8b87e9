import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.attacks.scores import (
    attack_result,
    auroc,
    crossed_attack_result,
    true_positive_rate,
)

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.9)


@pytest.fixture
def scores() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    # Rounded, so that members and non-members have scores in common.
    return random.normal(0.7, 1, 150).round(1), random.normal(0, 1, 230).round(1)


def as_sklearn(members: np.ndarray, nonmembers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.repeat([1, 0], [len(members), len(nonmembers)]),
        np.concatenate([members, nonmembers]),
    )


def test_auroc_is_that_of_scikit_learn_with_ties(scores) -> None:
    assert auroc(*scores)[0] == pytest.approx(roc_auc_score(*as_sklearn(*scores)))


def test_members_are_found_above_the_highest_non_members() -> None:
    nonmembers = np.arange(99.0)
    members = np.array([97.5, 98.0, 98.5, 3.0])
    # One further non-member in a hundred would lie above the highest, 98; an equal score counts half.
    assert true_positive_rate(members, nonmembers)[0] == pytest.approx((1 + 0.5) / 4)
    # Two in a hundred above 97.
    found = true_positive_rate(members, nonmembers, false_positive_rate=0.02)[0]
    assert found == pytest.approx(3 / 4)
    assert true_positive_rate(members, nonmembers, false_positive_rate=1.0)[0] == 1


def test_large_groups_have_the_true_positive_rate_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    groups = random.normal(1, 1, 5000), random.normal(0, 1, 5000)
    false, true, _ = roc_curve(*as_sklearn(*groups), drop_intermediate=False)
    for rate in (0.01, 0.2):
        found = true_positive_rate(*groups, false_positive_rate=rate)[0]
        assert found == pytest.approx(np.interp(rate, false, true), abs=0.003)


def test_counts_stand_for_patients_who_are_there_several_times(scores) -> None:
    random = np.random.default_rng(1)
    counts = tuple(random.integers(0, 3, size=(1, len(side))) for side in scores)
    repeated = [np.repeat(side, count[0]) for side, count in zip(scores, counts, strict=True)]
    assert auroc(*scores, counts)[0] == pytest.approx(auroc(*repeated)[0])
    assert true_positive_rate(*scores, counts)[0] == pytest.approx(true_positive_rate(*repeated)[0])


def test_exchanged_groups_turn_the_result_around(scores) -> None:
    right = attack_result(*scores, BOOTSTRAP, 0)
    wrong = attack_result(*scores[::-1], BOOTSTRAP, 0)
    assert right.auroc.low > 0.5 > wrong.auroc.high
    assert right.auroc.value == pytest.approx(1 - wrong.auroc.value)
    assert (right.n_members, right.n_nonmembers) == (150, 230)


def test_an_attack_that_knows_nothing_finds_the_nominal_share() -> None:
    random = np.random.default_rng(2)
    results = [
        attack_result(random.normal(size=100), random.normal(size=100), BOOTSTRAP, seed)
        for seed in range(200)
    ]
    assert np.mean([result.auroc.value for result in results]) == pytest.approx(0.5, abs=0.01)
    assert np.mean([result.tpr.value for result in results]) == pytest.approx(0.01, abs=0.003)
    missed = [not result.auroc.low <= 0.5 <= result.auroc.high for result in results]
    assert 0.05 < np.mean(missed) < 0.16


def test_models_with_members_of_their_own_are_judged_one_by_one() -> None:
    random = np.random.default_rng(3)
    is_member = np.arange(60) % 2 == np.array([[0], [1]])
    # The second model gives everybody a higher score: together they would find nothing.
    scores = random.normal(size=(2, 60)) + 2 * is_member + [[0], [100]]
    found = crossed_attack_result(scores, is_member, BOOTSTRAP, 0)
    alone = [
        auroc(row[member], row[~member])[0] for row, member in zip(scores, is_member, strict=True)
    ]
    assert found.auroc.value == pytest.approx(np.mean(alone))
    assert found.auroc.low > 0.8
    assert (found.n_members, found.n_nonmembers) == (30, 30)
