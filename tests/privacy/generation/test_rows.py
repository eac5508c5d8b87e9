from dataclasses import replace

import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.ensemble import Ensemble
from tcga_coherent.privacy.generation.experiment import Audited
from tcga_coherent.privacy.generation.rows import (
    GENERATORS,
    PAPERS_TEMPERATURE,
    generate_unconditionally,
)
from tests.pipelines.latent_cohort import SIZES
from tests.privacy.audited import make_audited


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def audited() -> Audited:
    return make_audited()


def generate(audited: Audited, method: str, n_rows: int = 30, seed: int = 0):
    return generate_unconditionally(
        audited.models, audited.cohort, GENERATORS[method], n_rows, audited.sampling, seed
    )


@pytest.fixture
def asked(monkeypatch) -> dict[str, dict[str, torch.Tensor]]:
    """Target to the conditions that its ensemble was asked with."""
    seen = {}
    draw = Ensemble.draw

    def recording(self, conditions, keys):
        seen[self.target] = conditions
        return draw(self, conditions, keys)

    monkeypatch.setattr(Ensemble, "draw", recording)
    return seen


@pytest.mark.parametrize("method", GENERATORS)
def test_every_modality_is_drawn_and_the_seed_decides_how(audited, method) -> None:
    drawn = generate(audited, method)
    assert {name: values.shape for name, values in drawn.items()} == {
        name: (30, size) for name, size in SIZES.items()
    }
    again, other = generate(audited, method), generate(audited, method, seed=1)
    for name in SIZES:
        np.testing.assert_array_equal(drawn[name], again[name])
        assert (drawn[name] != other[name]).all()
        assert len(np.unique(drawn[name], axis=0)) == 30


def test_a_multi_condition_model_is_asked_with_all_sources_masked(audited, asked) -> None:
    drawn = generate(audited, "multi")
    assert asked == {name: {} for name in SIZES}
    config = replace(
        audited.sampling,
        n_draws=30,
        antithetic=False,
        recalibrate=False,
        allow_unconditional=True,
    )
    ensemble = Ensemble([audited.models.multi["cna"]], config)
    keys = named_keys(0, "cna without conditions", ["nobody"])
    np.testing.assert_array_equal(drawn["cna"], ensemble.draw({}, keys).latents[0])


@pytest.mark.parametrize("method", ["coherent", "coherent_inverse_mse", "coherent_narrow"])
def test_an_ensemble_is_asked_with_zeros_for_every_source(audited, asked, method) -> None:
    generate(audited, method)
    for target, conditions in asked.items():
        assert set(conditions) == set(SIZES) - {target}
        for source, values in conditions.items():
            # Latents, and twice as many columns of the code.
            assert values.shape == (1, 3 * SIZES[source])
            assert (values == 0).all()


@pytest.mark.parametrize("method", ["multi_chained", "coherent_chained"])
def test_a_chained_generator_is_told_what_it_drew_before(audited, asked, method) -> None:
    drawn = generate(audited, method)
    order = list(asked)
    first = asked[order[0]]
    assert all((values == 0).all() for values in first.values())
    assert len(first) == (0 if method == "multi_chained" else 2)
    for number, target in enumerate(order[1:], start=1):
        assert set(asked[target]) == set(order[:number])
        for source, values in asked[target].items():
            size = SIZES[source]
            np.testing.assert_array_equal(values[0, :, :size], drawn[source])
            # The first columns of the code are twice the latents.
            code = values[0, :, size : 2 * size]
            np.testing.assert_allclose(code, 2 * drawn[source], atol=1e-4)


def test_narrow_rows_keep_their_mean_and_a_fifth_of_their_spread(audited) -> None:
    wide, narrow = (
        generate(audited, f"coherent_{kind}")["cna"] for kind in ("inverse_mse", "narrow")
    )
    mean = wide.mean(axis=0)
    np.testing.assert_allclose(narrow, mean + PAPERS_TEMPERATURE * (wide - mean), atol=1e-5)


def test_the_sampling_parameters_stay_without_permission(audited) -> None:
    generate(audited, "multi")
    assert not audited.sampling.allow_unconditional
    ensemble = audited.models.ensemble(
        "cna", "multi", (), replace(audited.sampling, recalibrate=False)
    )
    with pytest.raises(ValueError, match="generation without a condition is refused"):
        ensemble.draw({}, named_keys(0, "cna", ["nobody"]))
