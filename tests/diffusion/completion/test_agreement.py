import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from tcga_coherent.diffusion.completion.agreement import Agreement, PairAgreement, fit_agreement

CORRELATION = 0.8
AB = frozenset("ab")


@pytest.fixture
def cohort():
    """Return two dependent modalities and one that is independent of both."""
    rng = np.random.default_rng(0)
    ids = pd.Index([f"P{i:04d}" for i in range(3000)])
    a = rng.standard_normal((3000, 2))
    b = CORRELATION * a + np.sqrt(1 - CORRELATION**2) * rng.standard_normal((3000, 2))
    c = rng.standard_normal((3000, 2))
    frames = {name: pd.DataFrame(v, index=ids) for name, v in {"a": a, "b": b, "c": c}.items()}
    split = pd.Series(np.repeat(["train", "val", "test"], 1000), index=ids)
    return frames, split


def test_the_disagreement_is_the_density_ratio_of_the_joint_normal(cohort):
    frames, split = cohort
    agreement = fit_agreement(frames, split)
    test = split.index[split == "test"]
    values = {name: frame.loc[test].to_numpy() for name, frame in frames.items()}
    found = agreement.disagreement({"a": values["a"], "b": values["b"]})
    covariance = np.block(
        [[np.eye(2), CORRELATION * np.eye(2)], [CORRELATION * np.eye(2), np.eye(2)]]
    )
    joint = multivariate_normal(np.zeros(4), covariance)
    apart = multivariate_normal(np.zeros(4), np.eye(4))
    both = np.concatenate([values["a"], values["b"]], axis=1)
    exact = 2 * (apart.logpdf(both) - joint.logpdf(both))
    assert np.corrcoef(found, exact)[0, 1] > 0.99
    assert np.ptp(found - exact - (found - exact).mean()) < 0.3 * np.ptp(exact)


def test_exchanged_samples_disagree_more_and_test_patients_as_much_as_validation(cohort):
    frames, split = cohort
    agreement = fit_agreement(frames, split)
    test = split.index[split == "test"]
    values = {name: frame.loc[test].to_numpy() for name, frame in frames.items()}
    own = agreement.percentile(["a", "b", "c"], agreement.disagreement(values))
    assert own.mean() == pytest.approx(50, abs=4)
    exchanged = {**values, "b": np.roll(values["b"], 1, axis=0)}
    others = agreement.percentile(["a", "b", "c"], agreement.disagreement(exchanged))
    assert others.mean() > 75
    useless = {**values, "c": np.roll(values["c"], 1, axis=0)}
    same = agreement.percentile(["a", "b", "c"], agreement.disagreement(useless))
    assert same.mean() == pytest.approx(50, abs=4)


def test_only_training_patients_are_fitted_and_only_validation_patients_compared(cohort):
    frames, split = cohort
    changed = {name: frame.copy() for name, frame in frames.items()}
    for frame in changed.values():
        frame.loc[split.index[split == "test"]] = np.nan
    before, after = fit_agreement(frames, split), fit_agreement(changed, split)
    for pair, fitted in before.pairs.items():
        np.testing.assert_allclose(fitted.matrix, after.pairs[pair].matrix, rtol=1e-9)
        found = after.reference[frozenset(pair)]
        np.testing.assert_allclose(before.reference[frozenset(pair)], found, rtol=1e-9)


def test_one_modality_has_nothing_to_agree_with():
    agreement = Agreement({("a", "b"): PairAgreement(np.zeros(2), np.eye(2))}, {AB: np.arange(4.0)})
    alone = agreement.disagreement({"a": np.ones((3, 1))})
    assert np.isnan(alone).all()
    assert np.isnan(agreement.percentile(["a"], alone)).all()
    both = agreement.disagreement({"a": np.ones((1, 1)), "b": np.ones((1, 1))})
    assert both == [2.0]
    # 0 and 1 of 0, 1, 2, 3 are below 2; the patient is one of five.
    assert agreement.percentile(["a", "b"], both) == [40.0]


@pytest.mark.parametrize("n_validation", [5, 19, 60])
def test_patients_like_those_of_validation_are_unusual_as_seldom_as_promised(n_validation):
    """At most 10 % reach the 90th percentile, of however few validation patients."""
    rng = np.random.default_rng(0)
    pair = ("a", "b")
    fitted = PairAgreement(np.zeros(2), np.eye(2))
    reached = []
    for _ in range(2000):
        agreement = Agreement({pair: fitted}, {AB: np.sort(rng.standard_normal(n_validation))})
        reached.append(agreement.percentile(pair, rng.standard_normal(1))[0] >= 90)
    expected = np.floor(0.1 * (n_validation + 1)) / (n_validation + 1)  # uniform ranks
    assert np.mean(reached) == pytest.approx(expected, abs=0.02)


def test_few_validation_patients_cannot_tell_a_high_percentile():
    fitted = PairAgreement(np.zeros(2), np.eye(2))
    few = Agreement({("a", "b"): fitted}, {AB: np.arange(98.0)})
    assert few.percentile(["a", "b"], np.array([1e9]))[0] < 99
    assert few.highest_percentile() < 99
    enough = Agreement({("a", "b"): fitted}, {AB: np.arange(99.0)})
    assert enough.percentile(["a", "b"], np.array([1e9])) == [99.0]
    assert enough.highest_percentile() == 99.0


def test_patients_of_validation_who_lack_a_modality_tell_of_the_sets_they_have(cohort):
    latents, split = cohort
    val = split.index[split == "val"]
    lacking = {**latents, "a": latents["a"].drop(val[:3])}
    found = fit_agreement(lacking, split)
    assert set(found.reference) == {AB, frozenset("ac"), frozenset("bc"), frozenset("abc")}
    assert {key: len(found.reference[key]) for key in (AB, frozenset("bc"), frozenset("abc"))} == {
        AB: 997,
        frozenset("bc"): 1000,
        frozenset("abc"): 997,
    }
    values = {name: frame.loc[val[3:]].to_numpy() for name, frame in latents.items()}
    expected = np.sort(found.disagreement(values))
    np.testing.assert_allclose(found.reference[frozenset("abc")], expected)
    nobody = fit_agreement({**latents, "a": latents["a"].drop(val)}, split)
    assert np.isnan(nobody.percentile(["a", "b", "c"], np.zeros(2))).all()
    assert nobody.highest_percentile() == 0


def test_no_row_of_a_validation_patient_is_kept(cohort):
    """What is known of a set of modalities is in the order of its values, whoever they are of."""
    latents, split = cohort
    found = fit_agreement(latents, split)
    assert all((np.diff(values) >= 0).all() for values in found.reference.values())
    shuffled = split.copy()
    shuffled[:] = split.to_numpy()
    val = split.index[split == "val"]
    moved = {
        name: frame.rename(dict(zip(val, val[::-1], strict=True)))
        for name, frame in latents.items()
    }
    again = fit_agreement(moved, shuffled)
    for key, values in found.reference.items():
        np.testing.assert_allclose(values, again.reference[key], rtol=1e-9)
