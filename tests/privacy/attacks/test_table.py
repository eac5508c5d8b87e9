import numpy as np
import pandas as pd
import pytest

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.privacy.attacks.membership import ALL, HALVES, MATCHED, NEITHER, UNMATCHED
from tcga_coherent.privacy.attacks.table import (
    COLUMNS,
    _holm,
    attack_lines,
    join_attacks,
    not_attacked,
)


def row(attack: str, method: str = "multi", **changes) -> dict:
    return {
        "attack": attack,
        "method": method,
        "target": ALL,
        "group": MATCHED,
        "statistic": "auroc",
        "value": 0.7,
        "low": 0.6,
        "high": 0.8,
        "null": 0.5,
        "n_members": 10,
    } | changes


def join(*rows: dict) -> pd.DataFrame:
    return join_attacks([pd.DataFrame([some]) for some in rows], level=0.95)


def test_rows_of_all_attacks_have_the_same_columns() -> None:
    table = join(row("loss"), {"attack": "stage", "note": "no test patient has a stage"})
    assert list(table.columns) == list(COLUMNS)
    assert table["note"].tolist() == ["", "no test patient has a stage"]
    assert table["n_members"].tolist() == [10, pd.NA]


def test_beyond_the_null_is_the_leaking_side_only() -> None:
    inside = {"low": 0.4, "value": 0.5, "high": 0.6}
    below = {"low": 0.1, "value": 0.2, "high": 0.3}
    table = join(
        row("loss"),
        row("loss", **inside),
        row("loss", **below),
        # A small ratio is a small distance to training patients.
        row("nearest_record", statistic="dcr_ratio", **below, null_low=0.4, null_high=0.6),
        row("nearest_record", statistic="dcr_ratio", null_low=0.4, null_high=0.6),
        # Beyond 0.5, but no farther than exchanged groups are.
        row("nearest_record", statistic="share_closer_to_train", null_low=0.2, null_high=0.75),
    )
    assert table["beyond_null"].tolist() == [True, False, False, True, False, False]


def test_where_the_null_is_a_control_the_paired_difference_decides() -> None:
    # The statistic by itself is as uncertain as the null is far; paired, it is not.
    wide = {"value": 0.5, "low": 0.3, "high": 0.7, "null": 0.4}
    table = join(
        row("linkage", **wide, difference_low=0.05, difference_high=0.15),
        row("linkage", **wide, difference_low=-0.05, difference_high=0.25),
        row("nearest_record", **wide, difference_low=0.05, difference_high=0.15, null_high=0.45)
        | {"statistic": "share_closer_to_train", "null_low": 0.35},
        row("nearest_record", **wide, difference_low=0.05, difference_high=0.15, null_high=0.55)
        | {"statistic": "share_closer_to_train", "null_low": 0.25},
        row("nearest_record", **wide, difference_low=0.05, difference_high=0.15)
        | {"statistic": "dcr_ratio"},
    )
    assert table["beyond_null"].tolist() == [True, False, True, False, False]


def test_an_attack_that_cannot_be_made_leaves_its_reason() -> None:
    notes = not_attacked(["linkage"], CannotEvaluate("2 pairs are too few"))
    table = join_attacks([notes, notes], level=0.95)
    assert table["note"].tolist() == ["2 pairs are too few"] * 2
    assert table["beyond_null"].isna().all()
    assert attack_lines(table)[0] == "Leaks: none that these attacks find"


def test_what_says_nothing_of_a_model_is_neither() -> None:
    table = join(
        row("loss", method="standard_normal"),
        row("cancer_type", statistic="balanced_accuracy"),
        row("stage", value=np.nan),
    )
    assert table["beyond_null"].isna().all()


def test_the_lines_name_what_leaks_and_what_does_not() -> None:
    quiet = {"low": 0.4, "value": 0.5, "high": 0.6}
    table = join(
        row("loss", tpr_at_1_fpr=0.25),
        row("loss", method="coherent", value=0.65),
        row("loss", target="cna", value=0.9, low=0.85, high=0.95),
        row("loss", group=HALVES, value=0.99, low=0.98, high=1.0),
        row("loss", group=NEITHER, **quiet),
        row("regeneration", **quiet),
    )
    leaks, silent = attack_lines(table)
    # All models together, of the released ones: not the worst target, not the halves.
    assert leaks == (
        "Leaks: loss (multi, all): auroc 0.700 [0.600, 0.800], 0.5 without memory, 25% found at 1 % "
        "false positives"
    )
    assert silent == "Nothing is found by: regeneration (auroc)"


@pytest.mark.parametrize("n_quiet", [1, 2])
def test_a_single_method_that_leaks_is_reported_however_few_rows_there_are(n_quiet) -> None:
    quiet = {"low": 0.46, "value": 0.5, "high": 0.54, "n_members": 366, "n_nonmembers": 366}
    loud = quiet | {"low": 0.96, "value": 0.97, "high": 0.98}
    others = [row("loss", method=name, **quiet) for name in ("single", "multi")[:n_quiet]]
    leaks, silent = attack_lines(join(row("loss", method="coherent", **loud), *others))
    assert leaks == "Leaks: loss (coherent, all): auroc 0.970 [0.960, 0.980], 0.5 without memory"
    assert silent == "Nothing is found by: none of the attacks"


def test_a_model_that_leaks_is_reported_where_all_models_together_do_not() -> None:
    quiet = {"low": 0.46, "value": 0.5, "high": 0.54}
    leaks, _ = attack_lines(
        join(
            row("loss", **quiet),
            row("loss", target="cna", value=0.97, low=0.96, high=0.98, n_nonmembers=300),
            row("loss", target="rppa", value=0.99, low=0.98, high=1.0, group=UNMATCHED),
        )
    )
    assert leaks.startswith("Leaks: loss (multi, cna): auroc 0.970")


def test_p_is_the_tail_beyond_the_null_and_never_below_what_so_few_patients_allow() -> None:
    half = 1.959964 * 0.05
    table = join(
        row("loss", value=0.6, low=0.6 - half, high=0.6 + half, n_members=90, n_nonmembers=90),
        # The wider of two spreads counts: that of the difference, and that of exchanges.
        row("nearest_record", statistic="dcr_ratio", value=0.4, low=0.4 - half, high=0.4 + half)
        | {"null_low": 0.5 - 2 * half, "null_high": 0.5 + 2 * half},
        # Four against four fall apart by chance once in 70 splits.
        row("loss", value=1.0, low=1.0, high=1.0, n_members=4, n_nonmembers=4),
        row("loss", value=0.5, low=0.4, high=0.6),
    )
    assert table["p"].tolist() == pytest.approx([0.02275, 0.158655, 1 / 70, 0.5], rel=1e-3)


def test_holm_never_gives_a_larger_p_the_smaller_result() -> None:
    # 3 x .01, then 2 x .012 raised to the one before it, then 1 x .9.
    adjusted = _holm(pd.Series([0.012, 0.9, 0.01]))
    assert adjusted.tolist() == pytest.approx([0.03, 0.9, 0.03])


def test_attacks_that_find_nothing_are_seldom_said_to_find_something() -> None:
    rng = np.random.default_rng(0)
    said = 0
    for _ in range(150):
        # Rows of one attack share their patients: nine tenths of the spread is common to all.
        values = 0.5 + 0.05 * (0.9**0.5 * rng.normal() + 0.1**0.5 * rng.normal(size=12))
        rows = [
            row("loss", target=f"m{i}", value=v, low=v - 0.098, high=v + 0.098)
            for i, v in enumerate(values)
        ]
        table = join_attacks([pd.DataFrame(rows)], level=0.95)
        said += attack_lines(table)[0] != "Leaks: none that these attacks find"
    assert said / 150 <= 0.02


def test_lines_say_what_trainings_shorter_than_the_released_ones_understate() -> None:
    note = "Memory is understated: trainings on halves have 500 steps where 2000 are released"
    lines = attack_lines(join(row("loss"), row("lira_online", group=HALVES, note=note)))
    assert lines[2:] == [note]
    assert len(attack_lines(join(row("loss")))) == 2


def test_one_row_of_many_beyond_its_null_is_chance() -> None:
    quiet = [row("linkage", target=f"m{i}", low=0.4, value=0.5, high=0.6) for i in range(9)]
    leaks, _ = attack_lines(
        join(row("linkage", target="m9", low=0.51, value=0.6, high=0.69), *quiet)
    )
    assert leaks == "Leaks: none that these attacks find"
