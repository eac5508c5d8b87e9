import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tcga_coherent.privacy.screening.experiment import ALL, TEST, Generated, Screened, Threshold
from tcga_coherent.privacy.screening.table import clopper_pearson, summarise_screening


def make_screened(n_patients: int, n_draws: int, n_flagged: int) -> Screened:
    index = pd.MultiIndex.from_product(
        [[f"P{i}" for i in range(n_patients)], range(n_draws)], names=["patient_id", "draw"]
    )
    values = np.full(len(index), 3.0)
    values[:n_flagged] = 1.0
    records = pd.DataFrame({"z00": values}, index)
    generated = Generated("cna", "coherent", TEST, "draw", records)
    return Screened(generated, ALL, values, pd.Index(["T"] * len(index)), Threshold(2.0, 1, 99), 50)


@pytest.mark.parametrize("found", [0, 3, 20])
def test_the_interval_is_that_of_clopper_and_pearson(found: int) -> None:
    expected = binomtest(found, 20).proportion_ci(0.9)
    assert clopper_pearson(found / 20, 20, 0.9) == pytest.approx((expected.low, expected.high))


def test_draws_of_a_patient_do_not_narrow_the_interval() -> None:
    once, often = (
        summarise_screening([make_screened(50, n, 5 * n)], {}, 0.95).iloc[0] for n in (1, 40)
    )
    assert once["flagged"] == often["flagged"] == 0.1
    assert once["flagged_high"] == pytest.approx(often["flagged_high"])
    assert (once["n_flagged"], often["n_flagged"]) == (5, 200)


def test_a_rate_is_beyond_the_nominal_one_only_where_chance_does_not_explain_it() -> None:
    # Threshold of rank 1 among 99: P(at least x of 100 flagged) = prod (100 - i) / (199 - i), i < x.
    tails = np.cumprod([(100 - i) / (199 - i) for i in range(8)])
    first = int(np.argmax(tails < 0.025)) + 1
    below, above = (
        summarise_screening([make_screened(100, 1, n)], {}, 0.95).iloc[0]
        for n in (first - 1, first)
    )
    assert below["beyond_nominal"] == "no"
    assert above["beyond_nominal"] == "yes"
    assert above["nominal"] == 0.01


def test_the_table_names_no_patient_and_says_why_a_modality_was_skipped() -> None:
    table = summarise_screening([make_screened(10, 2, 1)], {"wsi": "too few"}, 0.95)
    assert list(table["note"]) == ["", "too few"]
    assert not table.map(lambda value: str(value).startswith("P")).to_numpy().any()
    assert table["closest_is_own"][0] == 0
