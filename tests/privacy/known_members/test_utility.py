import pandas as pd
import pytest

from tcga_coherent.privacy.known_members.canaries import expected_exposure
from tcga_coherent.privacy.known_members.shadows import CANARY, SELECTED, UTILITY
from tcga_coherent.privacy.known_members.utility import extract_canaries, weigh_privacy_and_utility
from tests.privacy.made_up_shadows import BOOTSTRAP, make_cohort, make_shadows


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
