import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.patients.suspects import (
    describe_other_features,
    find_sentinel,
    summary_rows,
)

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(50, 20)).astype(np.float32)


@pytest.mark.parametrize("value", [-999, -99, 9999, -9])
def test_a_value_that_marks_missing_ones_is_found(value: float) -> None:
    values = np.where(RNG.random(NORMAL.shape) < 0.08, np.float32(value), NORMAL)
    assert np.ptp(NORMAL) < 7
    assert find_sentinel(values) == (value if abs(value) > 9 else None)


def test_values_of_every_kind_are_no_such_marks() -> None:
    copies = RNG.poisson(2, NORMAL.shape).astype(np.float32)
    copies[0, :10] = 300  # an amplified region of one patient
    heavy = RNG.standard_t(1.2, NORMAL.shape).astype(np.float32)
    saturated = np.minimum(RNG.exponential(40_000, NORMAL.shape), 65_535).astype(np.float32)
    binary = (NORMAL > 0).astype(np.float32)
    empty = np.full((3, 3), np.nan, dtype=np.float32)
    for values in (NORMAL, copies, heavy, saturated, binary, 100 * binary, empty):
        assert find_sentinel(values) is None


def test_rows_that_count_reads_of_no_gene_are_found() -> None:
    names = pd.Index(["N_unmapped", "ENSG1", "N_noFeature", "__no_feature", "N_other", "NRAS"])
    assert list(summary_rows(names)) == ["N_unmapped", "N_noFeature", "__no_feature"]


def test_patients_whose_features_have_other_names_are_described() -> None:
    table = pd.DataFrame(np.nan, index=[f"P{i}" for i in range(7)], columns=list("abcxyz"))
    table.iloc[:4, :3] = 1.0
    table.iloc[4:, 3:] = 1.0
    types = pd.Series(["BRCA"] * 4 + ["LUAD", "STAD", "LUAD"], index=table.index)
    message = describe_other_features(table, types, "rppa")
    assert message is not None
    assert message.startswith(
        "rppa: 3 of 7 patients, of LUAD, STAD, have other features (x, y, z, ...) than the rest "
        "(a, b, c, ...)"
    )


def test_features_of_some_patients_only_are_no_other_names() -> None:
    table = pd.DataFrame(1.0, index=[f"P{i}" for i in range(7)], columns=list("abcx"))
    table.loc[table.index[:4], "x"] = np.nan
    assert describe_other_features(table, pd.Series("BRCA", index=table.index), "rppa") is None
