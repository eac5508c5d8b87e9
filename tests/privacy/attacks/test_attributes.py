import numpy as np
import pandas as pd
import pytest

from tcga_coherent.cohort import Cohort
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.attacks.attributes import (
    ACCURACY,
    ALONE,
    BESIDE,
    CONDITIONS,
    DIFFERENCE,
    GAIN,
    infer_attributes,
)
from tcga_coherent.privacy.attacks.groups import match_by_cancer_type

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.95)
TYPES = np.array(["BRCA", "LUAD", "SKCM"])


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Conditions say a little of the cancer type, and nothing else says anything."""
    random = np.random.default_rng(0)
    n_train, n_val, n_test = 600, 10, 150
    patients = pd.Index([f"p{i}" for i in range(n_train + n_val + n_test)], name="patient_id")
    number = random.integers(3, size=len(patients))
    latents = {
        name: pd.DataFrame(random.normal(size=(len(patients), 3)), index=patients)
        for name in ("cna", "rnaseq")
    }
    latents["rnaseq"][0] += number
    train, val, test = np.split(patients, [n_train, n_train + n_val])
    return Cohort(latents, train, val, test, pd.Series(TYPES[number], index=patients))


def infer(cohort: Cohort, generated: pd.DataFrame) -> pd.DataFrame:
    clinical = pd.DataFrame({"stage": None}, index=cohort.cancer_type.index)
    rows = infer_attributes(
        cohort,
        clinical,
        match_by_cancer_type(cohort, seed=0),
        {("cna", "multi"): generated},
        BOOTSTRAP,
        seed=0,
    )
    return rows


def one_hot(labels: pd.Series) -> pd.DataFrame:
    noise = np.random.default_rng(1).normal(size=(len(labels), 3))
    return pd.get_dummies(labels) + 0.05 * noise


def row(rows: pd.DataFrame, **wanted: str) -> pd.Series:
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    (found,) = rows.to_dict("records")
    return pd.Series(found)


def test_generated_data_that_hold_the_label_are_a_gain_for_the_attacker(cohort) -> None:
    rows = infer(cohort, one_hot(cohort.cancer_type))
    key = {"target": "cna", "method": "multi"}
    for group in ("members", "nonmembers"):
        alone = row(rows, **key, group=group, setting=ALONE, statistic=ACCURACY)
        assert alone["value"] == 1
        assert alone["null"] == pytest.approx(1 / 3)
        gain = row(rows, **key, group=group, setting=BESIDE, statistic=GAIN)
        conditions = row(
            rows, target="cna", method=CONDITIONS, group=group, setting=ALONE, statistic=ACCURACY
        )
        assert 0.4 < conditions["value"] < 0.8
        assert gain["value"] == pytest.approx(1 - conditions["value"])
        assert gain["low"] > 0.2


def test_generated_data_that_only_repeat_their_conditions_are_none(cohort) -> None:
    generated = 2 * cohort.latents["rnaseq"] + 1
    rows = infer(cohort, generated)
    key = {"target": "cna", "method": "multi", "setting": BESIDE, "statistic": GAIN}
    for group in ("members", "nonmembers", DIFFERENCE):
        gain = row(rows, **key, group=group)
        assert gain["low"] <= 0 <= gain["high"]


def test_what_is_remembered_shows_as_the_difference_of_members(cohort) -> None:
    shown = one_hot(cohort.cancer_type)
    # Held-out patients get labels of others.
    shown.loc[cohort.test] = np.roll(shown.loc[cohort.test].to_numpy(), 1, axis=1)
    rows = infer(cohort, shown)
    key = {"target": "cna", "method": "multi", "setting": BESIDE, "statistic": GAIN}
    assert row(rows, **key, group=DIFFERENCE)["low"] > 0.5


def test_an_attribute_that_nobody_has_is_noted_and_the_rest_is_produced(cohort) -> None:
    rows = infer(cohort, one_hot(cohort.cancer_type))
    stage = row(rows, attack="stage")
    assert stage["note"] == "no training patient has a stage"
    assert np.isnan(stage["value"])
    assert (rows["attack"] == "cancer_type").sum() > 10
