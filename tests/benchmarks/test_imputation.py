import dataclasses

import numpy as np
import pandas as pd
import pytest

import imputation
from environment import Environment
from tests.benchmarks.conftest import in_memory
from tests.completion.small_cohort import make_cohort


@pytest.fixture(scope="module")
def fitted(environment: Environment) -> Environment:
    """A cohort in input units, of whom three test patients miss a protein."""
    cohort = make_cohort()
    test = cohort.split.index[cohort.split["split"] == "test"]
    table = cohort.tables["rppa"].copy()
    table.loc[test[:3], "rppa_1"] = np.nan
    contents = {
        "tables/rppa": table,
        "processed/rppa": cohort.processed["rppa"],
        "preprocessors/rppa": cohort.preprocessors["rppa"],
        "encoders/rppa": cohort.encoders["rppa"],
    }
    return dataclasses.replace(
        environment, split=cohort.split["split"], catalog=in_memory(contents)
    )


@pytest.mark.parametrize(
    ("scenario", "share"),
    [("5 % of entries", 0.05), ("20 % of entries", 0.2), ("10 % of features", 0.1)],
)
def test_as_much_is_hidden_as_is_said(scenario: str, share: float) -> None:
    hidden = imputation.hide(scenario, (300, 40), np.random.default_rng(0))
    assert hidden.mean() == pytest.approx(share, abs=0.01)
    assert set(hidden.all(axis=0)) == ({True, False} if "features" in scenario else {False})


def test_every_way_is_scored_and_the_mean_is_nearer_than_the_median(fitted: Environment) -> None:
    table, apart = imputation.compare(fitted, "rppa")
    assert apart["patients"] == 3
    assert 0 < apart["apart"] < apart["apart_most"] < 1
    assert len(table) == 9
    errors = pd.pivot_table(table, index="hidden", columns="method", values="rmse")
    hidden = errors.loc["20 % of entries"]
    assert hidden["mean"] < 0.9 * hidden["median"]
    assert (table["latent_rmse"] >= 0).all()
