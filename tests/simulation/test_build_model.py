import numpy as np
import pytest

from tcga_coherent.simulation.build_model import build_factor_model
from tcga_coherent.simulation.settings import parse_simulation


@pytest.fixture
def model(small):
    return build_factor_model(parse_simulation(small))


def test_each_factor_has_variance_one_over_the_cohort(model):
    mean = model.prior @ model.factor_means
    between = model.prior @ (model.factor_means - mean) ** 2
    np.testing.assert_allclose(mean, 0.0, atol=1e-12)
    np.testing.assert_allclose(between + model.factor_variances, 1.0)
    np.testing.assert_allclose(between[:5], [0.5, 0.5, 0.5, 0.3, 0.3])


def test_features_divide_their_variance_as_the_settings_say(model):
    view = model.views["rnaseq"]
    total = (view.loadings**2).sum(axis=1) + view.noise_variance
    assert (total >= 0.25).all()
    assert (total <= 1.0).all()
    # rnaseq sees the group "all" with variance 0.5 and fidelity 0.9: its factors are the first three.
    np.testing.assert_allclose((view.loadings[:, :3] ** 2).sum(axis=1) / total, 0.5 * 0.9)
    np.testing.assert_allclose((view.loadings[:, 3:5] ** 2).sum(axis=1) / total, 0.3 * 0.8)
    np.testing.assert_allclose(view.noise_variance / total, 0.2)


def test_own_factors_of_a_modality_are_seen_by_no_other(model):
    seen = np.stack([(view.loadings != 0).any(axis=0) for view in model.views.values()])
    assert seen.shape[1] == 5 + 5 + 5 + 3
    np.testing.assert_array_equal(seen[:, 5:].sum(axis=0), 1)
    assert not seen[2, 3:5].any()


def test_a_further_modality_leaves_the_others_as_they_are(small, model, methylation):
    small["modalities"]["methylation"] = methylation
    larger = build_factor_model(parse_simulation(small))
    for name, view in model.views.items():
        n_factors = view.loadings.shape[1]
        np.testing.assert_array_equal(larger.views[name].loadings[:, :n_factors], view.loadings)
        np.testing.assert_array_equal(larger.views[name].offset, view.offset)
    np.testing.assert_array_equal(larger.factor_means[:, :n_factors], model.factor_means)
