import numpy as np
import pandas as pd
import pytest

from tcga_coherent.evaluation.bootstrap import BootstrapParameters
from tcga_coherent.evaluation.inputs import Cohort
from tcga_coherent.privacy.attacks_references import (
    attack_released_with_references,
    attack_with_references,
    extract_canaries,
    read_shadow_losses,
    weigh_privacy_and_utility,
)
from tcga_coherent.privacy.attacks_shadows import CANARY, LOSS, SELECTED, UTILITY
from tcga_coherent.privacy.canaries import expected_exposure
from tcga_coherent.privacy.membership import ALL, HALVES, MATCHED, NEITHER

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.95)
MODELS = [
    ("single", "cna", "rnaseq"),
    ("multi", "cna", "rnaseq"),
    ("coherent", "cna", "rnaseq"),
    ("standard_normal", "cna", ""),
]
KNOWN = pd.Index([f"k{i}" for i in range(80)], name="patient_id")
TEST = pd.Index([f"t{i}" for i in range(60)], name="patient_id")
TYPES = pd.Series("LUAD", index=KNOWN.append(TEST))
LEVELS = ["t100", "t500"]


def make_cohort() -> Cohort:
    frame = pd.DataFrame(np.zeros((140, 2)), index=TYPES.index)
    return Cohort({"cna": frame, "rnaseq": frame}, KNOWN, TEST[:0], TEST, TYPES)


def make_shadows(memory: float, shift: float = 0.0) -> tuple[pd.DataFrame, dict]:
    """Return recorded losses, and the released models' losses of the same patients.

    `memory` lowers the logarithm of members' losses under models, `shift` that of test patients under
    everything, as an encoder that fits training patients better would raise it.
    """
    random = np.random.default_rng(0)
    hard = random.normal(size=(140, 1))
    hard[80:] -= shift
    first = [random.permutation(80) < 40 for _ in range(3)]
    rows = []
    for number in range(6):
        inside = first[number // 2] ^ bool(number % 2)
        for method, target, source in MODELS:
            effect = 0 if method == "standard_normal" else -memory
            logs = hard + 0.05 * random.normal(size=(140, 2))
            logs[:80] += effect * inside[:, None]
            rows.append(
                pd.DataFrame(np.exp(logs), columns=LEVELS).assign(
                    kind_of_row=LOSS,
                    checkpoint=SELECTED,
                    repeat=number,
                    method=method,
                    target=target,
                    source=source,
                    patient_id=TYPES.index,
                    member=pd.array([*inside, *[pd.NA] * 60], dtype="boolean"),
                )
            )
    released = {}
    for model in MODELS:
        logs = hard + 0.05 * random.normal(size=(140, 2))
        logs[:80] -= memory * (model[0] != "standard_normal")
        released[model] = np.exp(logs)
    return pd.concat(rows, ignore_index=True), released


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


def make_canaries(exposures: dict[tuple[str, int], float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "kind_of_row": CANARY,
                "checkpoint": SELECTED,
                "repeat": repeat,
                "attack": "canary_draws",
                "method": "multi",
                "target": target,
                "source": "",
                "patient_id": f"{kind}{copies}{repeat}",
                "kind": kind,
                "copies": float(copies),
                "exposure": bits + 0.1 * repeat,
            }
            for (kind, copies), bits in exposures.items()
            for repeat in range(4)
            for target in ("cna", "rnaseq")
        ]
    )


def test_exposure_is_a_mean_over_canaries_beside_that_of_chance() -> None:
    rows = extract_canaries(
        make_canaries({("far", 1): 2.0, ("far", 0): 1.0}), 32, SELECTED, BOOTSTRAP, seed=0
    ).set_index("setting")
    assert rows.loc["1 copy", "value"] == pytest.approx(2.15)
    assert rows.loc["1 copy", "n_members"] == 4
    assert rows.loc["not implanted", "n_nonmembers"] == 4
    assert 2 <= rows.loc["1 copy", "low"] < 2.15 < rows.loc["1 copy", "high"] <= 2.3
    assert (rows["null"] == expected_exposure(32)).all()


def test_privacy_and_utility_stand_side_by_side_for_every_checkpoint() -> None:
    shadows, _ = make_shadows(0.2)
    utility = pd.DataFrame(
        [
            {"repeat": repeat, "method": method, "target": target, "r2_of_mean": r2, "crps": 0.5}
            for repeat, r2 in enumerate((0.1, 0.3))
            for method in ("multi", "coherent")
            for target in ("cna", "rnaseq")
        ]
    ).assign(kind_of_row=UTILITY, checkpoint=SELECTED)
    recorded = pd.concat([shadows, make_canaries({("within", 4): 3.0}), utility])
    both = pd.concat([recorded, recorded.assign(checkpoint="500")], ignore_index=True)
    table = weigh_privacy_and_utility(both, make_cohort(), 32, BOOTSTRAP, seed=0)
    assert set(table["checkpoint"]) == {SELECTED, "500"}
    assert set(table.loc[table["checkpoint"] == "500", "steps"]) == {500}
    rows = table[table["checkpoint"] == SELECTED].set_index(["measure", "method"])
    assert rows.loc[("r2_of_mean", "multi"), "value"] == pytest.approx(0.2)
    assert rows.loc[("r2_of_mean", "multi"), "std"] == pytest.approx(0.1 * 2**0.5)
    assert rows.loc[("lira_online_auroc", "coherent"), "value"] > 0.9
    assert rows.loc[("lira_online_tpr_at_1_fpr", "coherent"), "null"] == 0.01
    canary = rows.loc[("canary_draws_bits, within the distribution, 4 copies", "multi")]
    assert canary["value"] == pytest.approx(3.15)
