import numpy as np
import pandas as pd
import pytest

from tcga_coherent.privacy.attacks.membership import ALL, HALVES, MATCHED, NEITHER
from tcga_coherent.privacy.known_members.references import (
    attack_released_with_references,
    attack_with_references,
    read_shadow_losses,
)
from tcga_coherent.privacy.known_members.shadows import SELECTED
from tests.privacy.made_up_shadows import BOOTSTRAP, LEVELS, MODELS, make_cohort, make_shadows


def attack(memory: float, shift: float = 0.0) -> pd.DataFrame:
    shadows, _ = make_shadows(memory, shift)
    rows = attack_with_references(shadows, make_cohort(), BOOTSTRAP, seed=0)
    return rows.set_index(["group", "attack", "method", "target"]).sort_index()


def test_losses_are_arranged_by_training_and_patient() -> None:
    shadows, _ = make_shadows(0.3)
    found = read_shadow_losses(shadows.sample(frac=1, random_state=0), make_cohort(), SELECTED)
    assert set(found.losses) == set(MODELS)
    where = (shadows["method"] == "multi") & (shadows["repeat"] == 4)
    expected = shadows[where].set_index("patient_id")
    position = found.known.get_loc("k7")
    assert found.losses["multi", "cna", "rnaseq"][4, position] == pytest.approx(
        np.log(expected.loc["k7", LEVELS].to_numpy(float))
    )
    assert found.is_member[4, position] == expected.loc["k7", "member"]
    assert (found.is_member[::2] != found.is_member[1::2]).all()


def test_memory_is_found_best_with_references() -> None:
    found = attack(memory=0.2)
    for method in ("single", "multi", "coherent"):
        assert 0.5 < found.loc[(HALVES, "loss", method, ALL), "auroc"] < 0.65
        assert found.loc[(HALVES, "lira_online", method, ALL), "auroc"] > 0.9
        assert found.loc[(HALVES, "lira_offline", method, ALL), "auroc"] > 0.9


def test_nothing_is_found_without_memory_though_the_groups_differ() -> None:
    found = attack(memory=0.0, shift=1.0)
    assert found.loc[HALVES, "auroc"].to_numpy() == pytest.approx(0.5, abs=0.1)
    # Test patients' losses are lower for everybody; over the control's they are not.
    assert (found.loc[(NEITHER, "loss"), "auroc"] < 0.4).all()
    control = found.loc[(NEITHER, "calibrated_loss"), "auroc"].to_numpy()
    assert control == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(("memory", "least", "most"), [(0.2, 0.9, 1.0), (0.0, 0.38, 0.62)])
def test_references_tell_members_of_the_released_models(memory, least, most) -> None:
    # A shift of all losses of test patients is in the references too.
    shadows, released = make_shadows(memory, shift=1.0)
    rows = attack_released_with_references(shadows, released, make_cohort(), BOOTSTRAP, seed=0)
    assert set(rows["group"]) == {MATCHED}
    assert (rows["n_members"] == 60).all()
    assert rows["auroc"].between(least, most).all()
