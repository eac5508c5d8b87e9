import logging

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from tcga_coherent.embedding.covariates import Covariates, fit_covariates

N = 600


@pytest.fixture(scope="module")
def code() -> pd.DataFrame:
    scores = np.random.default_rng(0).standard_normal((N, 4)) * [3.0, 2.0, 1.0, 0.5]
    patients = pd.Index([f"P{number:03d}" for number in range(N)])
    return pd.DataFrame(scores.astype(np.float32), index=patients)


@pytest.fixture(scope="module")
def clinical(code) -> pd.DataFrame:
    random = np.random.default_rng(1)
    types = np.array(["BRCA", "LUAD", "OV"])[np.clip(code[0].round() % 3, 0, 2).astype(int)]
    age = 60 + 2 * code[1] + random.standard_normal(N)
    table = pd.DataFrame({"cancer_type": types, "age": age, "sex": "female"}, index=code.index)
    table.loc[code.index[:50], "age"] = np.nan
    return table


@pytest.fixture(scope="module")
def fitted(code, clinical) -> Covariates:
    found = fit_covariates("rppa", ["cancer_type", "age"], clinical, code)
    assert found is not None
    return found


def test_categories_are_columns_and_numbers_one_each(fitted, code, clinical) -> None:
    assert fitted.columns == ["cancer_type=BRCA", "cancer_type=LUAD", "cancer_type=OV", "age"]
    values = fitted.encode(clinical, code.index, code.to_numpy())
    assert values.dtype == np.float32
    assert values.shape == (N, 4)
    # Mean zero and the spread of the leading axis over those of whom they are known.
    np.testing.assert_allclose(values[:, :3].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(values[50:, 3].mean(), 0, atol=1e-4)
    spread = code[0].std(ddof=0)
    np.testing.assert_allclose(values[:, :3].std(axis=0), spread, rtol=1e-4)
    np.testing.assert_allclose(values[50:, 3].std(), spread, rtol=1e-4)
    ova = clinical["cancer_type"].eq("OV").to_numpy()
    assert len(np.unique(values[ova, 2])) == 1
    assert values[ova, 2].min() > values[~ova, 2].max()


def test_what_is_not_known_is_what_the_code_suggests(fitted, code, clinical) -> None:
    values = fitted.encode(clinical, code.index, code.to_numpy())
    known = clinical["age"].notna().to_numpy()
    oracle = LinearRegression().fit(code[known], values[known, 3])
    np.testing.assert_allclose(values[~known, 3], oracle.predict(code[~known]), atol=0.05)


@pytest.mark.parametrize(
    "known",
    [
        None,
        pd.DataFrame(),
        pd.DataFrame({"cancer_type": ["UVM"], "age": [np.nan]}, index=["new"]),
        pd.DataFrame({"cancer_type": ["BRCA"], "age": [40.0]}, index=["another"]),
    ],
)
def test_nothing_known_of_a_patient_is_all_suggested(fitted, known) -> None:
    code = np.array([[1.0, -2.0, 0.5, 0.0]], np.float32)
    found = fitted.encode(known, pd.Index(["new"]), code)
    expected = code @ fitted.coefficients + fitted.intercept
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_one_known_covariate_stands_beside_another_that_is_not(fitted) -> None:
    code = np.zeros((1, 4), np.float32)
    known = pd.DataFrame({"age": [60.0]}, index=["new"])
    found = fitted.encode(known, pd.Index(["new"]), code)
    assert found[0, 3] == pytest.approx((60.0 - fitted.centre[3]) / fitted.scale[3], rel=1e-5)
    np.testing.assert_allclose(found[0, :3], fitted.intercept[:3], rtol=1e-6)


def test_what_does_not_differ_is_no_covariate_and_the_log_says_so(
    code, clinical, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = fit_covariates("rppa", ["sex", "age"], clinical, code)
        assert fit_covariates("rppa", ["sex"], clinical, code) is None
    assert found is not None
    assert found.columns == ["age"]
    assert "rppa: sex is no covariate" in caplog.text
