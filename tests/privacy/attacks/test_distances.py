import numpy as np
import pandas as pd
import pytest

from tcga_coherent.cohort import Cohort
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.attacks.controls import GAUSSIAN, VALIDATION
from tcga_coherent.privacy.attacks.distances import (
    OF_MEMBERS,
    OF_NONMEMBERS,
    UNCONDITIONAL,
    attack_conditional_draws,
    attack_unconditional_draws,
)
from tcga_coherent.privacy.attacks.groups import match_by_cancer_type
from tcga_coherent.privacy.attacks.membership import ALL, MATCHED
from tcga_coherent.privacy.attacks.parameters import NearestRecordParameters
from tcga_coherent.privacy.attacks.table import join_attacks

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.95)
PARAMETERS = NearestRecordParameters(n_draws=4, n_permutations=200)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    random = np.random.default_rng(0)
    patients = pd.Index([f"p{i}" for i in range(120)], name="patient_id")
    latents = {
        name: pd.DataFrame(random.normal(size=(120, 4)), index=patients)
        for name in ("cna", "rnaseq")
    }
    types = pd.Series("LUAD", index=patients)
    return Cohort(latents, patients[:60], patients[60:70], patients[70:], types)


def remembered(cohort: Cohort, groups) -> dict[tuple[str, str], np.ndarray]:
    """Return draws: members come out as they are, others as noise that knows nothing of them."""
    random = np.random.default_rng(1)
    n_pairs = groups.n_pairs
    draws = {}
    for target, frame in cohort.latents.items():
        exact = frame.loc[groups.members].to_numpy() + 0.1 * random.normal(size=(2, n_pairs, 4))
        strange = random.normal(size=(2, n_pairs, 4))
        draws[target, "multi"] = np.concatenate([exact, strange], axis=1)
        draws[target, "coherent"] = random.normal(size=(2, 2 * n_pairs, 4))
    return draws


@pytest.fixture(scope="module")
def rows(cohort) -> pd.DataFrame:
    groups = match_by_cancer_type(cohort, seed=0)
    table = attack_conditional_draws(
        cohort, groups, remembered(cohort, groups), PARAMETERS, BOOTSTRAP, seed=0
    )
    return table.set_index(["attack", "method", "target", "group", "statistic"]).sort_index()


def test_members_that_come_out_again_are_recognised_and_linked(rows) -> None:
    for target in ("cna", "rnaseq", ALL):
        assert rows.loc[("regeneration", "multi", target), "auroc"].item() > 0.95
        link = rows.loc[("linkage", "multi", target)].iloc[0]
        assert link["low"] > 0.8
    assert "linked: 1.000 of members" in link["note"]


def test_draws_that_know_nobody_are_neither_recognised_nor_linked(rows) -> None:
    for target in ("cna", "rnaseq", ALL):
        found = rows.loc[("regeneration", "coherent", target)].iloc[0]
        assert found["low"] <= 0.5 <= found["high"]
        link = rows.loc[("linkage", "coherent", target)].iloc[0]
        assert link["low"] <= 0 <= link["high"]


def test_the_null_is_the_control_given_the_same_sources(rows) -> None:
    for key in (
        ("nearest_record", OF_MEMBERS, "share_closer_to_train"),
        ("nearest_record", OF_NONMEMBERS, "dcr_ratio"),
        ("regeneration", MATCHED, "auroc"),
        ("linkage", MATCHED, "linked_share_difference"),
    ):
        attack, *rest = key
        control = rows.loc[(attack, GAUSSIAN, ALL, *rest)]
        assert np.isnan(control["null"])
        assert rows.loc[(attack, "multi", ALL, *rest), "null"] == pytest.approx(control["value"])
        found = rows.loc[(attack, "coherent", ALL, *rest)]
        assert found["difference_low"] <= found["value"] - found["null"] <= found["difference_high"]


def test_memory_beyond_the_control_is_what_counts(rows) -> None:
    table = join_attacks([rows.reset_index()], level=0.95).set_index(["attack", "method", "target"])
    for attack in ("regeneration", "linkage"):
        for target in ("cna", "rnaseq", ALL):
            beyond = table.loc[attack, "beyond_null"]
            assert beyond.loc["multi", target]
            assert not beyond.loc["coherent", target]
            assert beyond.loc[GAUSSIAN, target] is pd.NA


def test_the_patient_itself_is_no_record_to_be_close_to(rows) -> None:
    # Remembered members lie on themselves, and at random among all others.
    for group in (OF_MEMBERS, OF_NONMEMBERS):
        share = rows.loc[("nearest_record", "multi", ALL, group, "share_closer_to_train")]
        assert share["null_low"] <= share["value"] <= share["null_high"]


def test_copies_from_nothing_are_found_and_strangers_are_not(cohort) -> None:
    groups = match_by_cancer_type(cohort, seed=0)
    random = np.random.default_rng(2)
    draws = {
        "multi": {
            n: f.loc[groups.members[:30].repeat(2)].to_numpy() for n, f in cohort.latents.items()
        },
        "coherent": {name: random.normal(size=(60, 4)) for name in cohort.latents},
    }
    table = attack_unconditional_draws(cohort, groups, draws, PARAMETERS, BOOTSTRAP, seed=0)
    assert (table["group"] == UNCONDITIONAL).all()
    assert set(table["method"]) == {"multi", "coherent", GAUSSIAN, VALIDATION}
    found = table[table["statistic"] == "share_closer_to_train"].set_index(["method", "target"])
    assert (found.loc["multi", "value"] == 1).all()
    judged = (
        join_attacks([table], level=0.95)
        .set_index(["method", "target"])
        .sort_index()["beyond_null"]
    )
    assert judged.loc["multi"].all()
    assert not judged.loc[("coherent", ALL)].any()
    assert set(found.loc["multi"].index) == {"cna", "rnaseq", ALL}
