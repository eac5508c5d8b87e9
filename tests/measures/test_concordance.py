import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw
from sksurv.util import Surv

from tcga_coherent.measures.concordance import (
    c_index,
    censoring_weights,
    comparable_pairs,
    concordant_pairs,
)

RNG = np.random.default_rng(0)


def outcomes(n_patients: int) -> pd.DataFrame:
    # Whole days, so that some times are equal.
    days = np.ceil(RNG.exponential(30, n_patients))
    return pd.DataFrame({"event": RNG.random(n_patients) < 0.4, "days": days})


TRAIN, TEST = outcomes(300), outcomes(120)
RISK = np.round(RNG.standard_normal(120) - 0.02 * TEST["days"].to_numpy(), 1)


def structured(frame: pd.DataFrame) -> np.ndarray:
    return Surv.from_arrays(frame["event"].to_numpy(), frame["days"].to_numpy())


def test_harrells_c_index_is_that_of_scikit_survival_with_ties() -> None:
    found = c_index(concordant_pairs(RISK), comparable_pairs(TEST))
    expected = concordance_index_censored(TEST["event"], TEST["days"], RISK)[0]
    assert found == pytest.approx([expected])
    assert expected > 0.6


def test_unos_c_index_is_that_of_scikit_survival() -> None:
    comparable = comparable_pairs(TEST) * censoring_weights(TRAIN, TEST)[:, None]
    expected = concordance_index_ipcw(
        structured(TRAIN), structured(TEST), RISK, tau=TRAIN["days"].max()
    )[0]
    assert c_index(concordant_pairs(RISK), comparable) == pytest.approx([expected])


def test_counts_score_a_bootstrap_sample_as_its_rows_would() -> None:
    counts = RNG.multinomial(120, np.full(120, 1 / 120), size=3)
    found = c_index(concordant_pairs(RISK), comparable_pairs(TEST), counts)
    for sample, row in enumerate(counts):
        drawn = np.repeat(np.arange(120), row)
        rows = TEST.iloc[drawn]
        # A patient drawn twice is no pair: both times are equal, and both died.
        expected = concordance_index_censored(rows["event"], rows["days"], RISK[drawn])[0]
        assert found[sample] == pytest.approx(expected)


def test_a_higher_risk_dies_earlier() -> None:
    frame = pd.DataFrame({"event": True, "days": [1.0, 2.0, 3.0]})
    risk = np.array([3.0, 2.0, 1.0])
    assert c_index(concordant_pairs(risk), comparable_pairs(frame)) == [1]
    assert c_index(concordant_pairs(-risk), comparable_pairs(frame)) == [0]


def test_a_pair_of_two_predictions_takes_the_row_from_the_first() -> None:
    frame = pd.DataFrame({"event": [True, True], "days": [1.0, 2.0]})
    mixed = concordant_pairs(np.array([5.0, 0.0]), np.array([0.0, 1.0]))
    assert mixed[0, 1] == 1  # 5 of the first prediction against 1 of the second
    assert mixed[1, 0] == 0.5  # 0 against 0
    assert c_index(mixed, comparable_pairs(frame)) == [1]


def test_there_is_no_c_index_where_nobody_is_comparable() -> None:
    censored = pd.DataFrame({"event": False, "days": [1.0, 2.0]})
    assert np.isnan(c_index(concordant_pairs(np.array([1.0, 2.0])), comparable_pairs(censored)))


def test_deaths_that_training_does_not_cover_weigh_nothing() -> None:
    late = pd.DataFrame({"event": True, "days": TRAIN["days"].max() + np.array([1.0, 2.0])})
    assert list(censoring_weights(TRAIN, late)) == [0, 0]
