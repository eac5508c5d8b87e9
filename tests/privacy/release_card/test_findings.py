import pandas as pd

from tcga_coherent.privacy.release_card.findings import FINDINGS, findings
from tcga_coherent.privacy.screening.experiment import (
    COMPLETED,
    HELD_OUT,
    TEST,
    ScreeningParameters,
    screen,
)
from tcga_coherent.privacy.screening.table import summarise_screening
from tests.privacy.screening.test_experiment import copies, make_cohort

LABELS = {"cna": "CNA"}


def attack(name: str, method: str, group: str, statistic: str, value: float, **more) -> dict:
    return {
        **{"attack": name, "method": method, "target": "all", "group": group, "setting": "1 copy"},
        **{"statistic": statistic, "value": value, "low": value - 0.1, "high": value + 0.1},
        **{"null": 0.5, "null_low": 0.4, "null_high": 0.6, "tpr_at_1_fpr": 0.25},
        **{"tpr_at_1_fpr_low": 0.125, "tpr_at_1_fpr_high": 0.375, "note": "", **more},
    }


def test_tables_that_do_not_exist_are_named_as_not_measured() -> None:
    said = findings({}, LABELS)
    assert len(said) == len(FINDINGS)
    for sentence, name in zip(said, FINDINGS, strict=True):
        assert sentence.startswith("**Not measured")
        assert f"{name}.csv is absent" in sentence


def test_a_table_whose_parts_were_all_skipped_counts_as_not_measured() -> None:
    table = summarise_screening([], {"cna": "too few"}, 0.95)
    assert "screening.csv has no result" in findings({"screening": table}, LABELS)[-1]


def test_membership_is_told_for_both_methods_with_intervals_and_of_all_targets_alone() -> None:
    table = pd.DataFrame(
        [
            attack("lira_offline", "multi", "matched", "auroc", 0.8),
            attack("lira_offline", "coherent", "matched", "auroc", 0.7),
            attack("lira_offline", "coherent", "halves", "auroc", 0.123),
            attack("lira_offline", "coherent", "matched", "auroc", 0.321, target="cna"),
            attack("canary_draws", "multi", "far from it", "exposure_bits", 6.0, null=1.4),
            attack("canary_draws", "multi", "far", "exposure_bits", 5.5, setting="4 copies"),
        ]
    )
    said = " ".join(findings({"privacy_attacks": table}, LABELS))
    assert (
        "Multi-condition AUROC 0.800 [0.700, 0.900], 25 % of training patients [12 %, 38 %]" in said
    )
    assert "Coherent Denoising AUROC 0.700 [0.600, 0.800]" in said
    assert "chance 1.400): Multi-condition 6.000 [5.900, 6.100] bits" in said
    for absent in ("0.123", "0.321", "5.500"):
        assert absent not in said


def test_generation_from_nothing_is_told_beside_held_out_patients() -> None:
    columns = ["f1_mean", "f1_std", "energy_distance_mean", "energy_distance_std"]
    rows = [
        ("all", "multi", 0.1, 0.01, 0.5, 0.02),
        ("all", "held_out", 0.6, float("nan"), 0.03, float("nan")),
        ("cna", "multi", 0.9, 0.01, 0.9, 0.02),
        ("all", "coherent", *[float("nan")] * 4),
    ]
    table = pd.DataFrame(rows, columns=["space", "method", *columns]).assign(
        energy_distance_low=0.4, energy_distance_high=0.6
    )
    (sentence, *_) = findings({"table3_privacy": table}, LABELS)
    assert "F1 of 0.100 ± 0.010, at an energy distance of 0.500 ± 0.020 [0.400, 0.600]" in sentence
    assert "(held-out patients: 0.600 and 0.030)" in sentence
    assert "Coherent" not in sentence


def test_copies_among_generated_records_are_told_and_held_out_patients_are_not_accused() -> None:
    cohort = make_cohort()
    generated = [
        copies(cohort, cohort.train[:50], TEST),
        copies(cohort, cohort.test[:50], COMPLETED),
        copies(cohort, cohort.train[:50], TEST, kind="mean"),
    ]
    found, skipped = screen(cohort, generated, ScreeningParameters(0.05))
    table = summarise_screening(found, skipped, 0.95)
    said = findings({"screening": table}, LABELS)
    (real,) = [s for s in said if s.startswith("Held-out patients")]
    (drawn,) = [s for s in said if s.startswith("Draws for test patients")]
    (means,) = [s for s in said if s.startswith("Means of draws")]
    assert "that 5.00 % of patients never seen stay below" in real
    assert real.endswith("nowhere more than chance explains.")
    assert "CNA 100 % [93 %, 100 %]" in drawn
    assert drawn.endswith("more than chance explains for CNA.")
    assert "50 of 50 are flagged" in means
    assert table.loc[table["records"] == HELD_OUT, "beyond_nominal"].eq("no").all()
