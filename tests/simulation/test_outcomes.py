import numpy as np
import pandas as pd
import pytest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from tcga_coherent.simulation.outcomes import risk_scores, simulate_outcomes
from tcga_coherent.simulation.settings import parse_simulation


@pytest.fixture
def simulated(small):
    settings = parse_simulation(small)
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((4000, 20))
    cancer_types = pd.Series(rng.choice(["BRCA", "OV", "SKCM"], 4000))
    return risk_scores(settings, factors), simulate_outcomes(settings, cancer_types, factors)


def test_the_score_is_the_standardised_sum_of_each_groups_first_factors(small):
    factors = np.random.default_rng(0).standard_normal((50, 20))
    total = factors[:, 0] + factors[:, 3]
    expected = (total - total.mean()) / total.std()
    np.testing.assert_allclose(risk_scores(parse_simulation(small), factors), expected)


def test_survival_has_the_configured_hazard_ratio(simulated):
    score, clinical = simulated
    outcome = Surv.from_arrays(clinical["os_event"] == 1, clinical["os_days"])
    cox = CoxPHSurvivalAnalysis().fit(score[:, np.newaxis], outcome)
    assert np.exp(cox.coef_[0]) == pytest.approx(3.0, rel=0.08)
    assert clinical["os_days"].between(1, 3000).all()


def test_stage_rises_with_the_score(simulated):
    score, clinical = simulated
    numeral = clinical["stage"].dropna().str.extract(r"^Stage (I{1,3}|IV)[ABC]?$")[0]
    assert numeral.notna().all()
    ordinal = numeral.map({"I": 1, "II": 2, "III": 3, "IV": 4})
    means = pd.Series(score)[ordinal.index].groupby(ordinal).mean()
    assert means.is_monotonic_increasing
    # Stage shares 60 % of the variance of the latent variable; cutting into four loses a little.
    assert pd.Series(score)[ordinal.index].corr(ordinal) == pytest.approx(0.6**0.5, abs=0.1)


def test_some_cancer_types_have_no_stage_and_one_sex(simulated):
    _, clinical = simulated
    by_type = clinical.groupby("cancer_type")
    assert by_type["stage"].count()["OV"] == 0
    assert (by_type["stage"].count()[["BRCA", "SKCM"]] == by_type.size()[["BRCA", "SKCM"]]).all()
    assert set(clinical.loc[clinical["cancer_type"] == "OV", "sex"]) == {"female"}
    assert set(clinical.loc[clinical["cancer_type"] == "SKCM", "sex"]) == {"female", "male"}


def test_a_share_of_the_stages_is_missing(small):
    small["outcomes"]["stage_missing"] = 0.25
    factors = np.random.default_rng(1).standard_normal((4000, 20))
    clinical = simulate_outcomes(parse_simulation(small), pd.Series(["BRCA"] * 4000), factors)
    assert clinical["stage"].isna().mean() == pytest.approx(0.25, abs=0.03)
