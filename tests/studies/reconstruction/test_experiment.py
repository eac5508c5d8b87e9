import numpy as np
import pytest

from tcga_coherent.studies.reconstruction.experiment import reconstructions


def make(simulation, antithetic: bool = False, seed: int = 0, **changes):
    return {
        (made.method, made.source): made
        for made in reconstructions(simulation.held_out(antithetic, **changes), "cna", seed)
    }


@pytest.fixture(scope="module")
def made(simulation):
    return make(simulation)


def test_generators_use_the_sets_they_can_and_baselines_all_of_them(made) -> None:
    assert list(made) == [
        ("single", "rnaseq"),
        ("multi", "rnaseq"),
        ("coherent", "rnaseq"),
        ("single", "rppa"),
        ("multi", "rppa"),
        ("coherent", "rppa"),
        ("multi", "rnaseq+rppa"),
        ("coherent", "rnaseq+rppa"),
        *(
            (m, s)
            for s in ("rnaseq", "rppa", "rnaseq+rppa")
            for m in ("ridge_features", "ridge", "knn", "mean")
        ),
    ]


def test_generated_draws_are_those_of_their_partition_and_their_mean(simulation, made) -> None:
    frame = simulation.test_draws["cna/multi/rppa"]()
    patient = simulation.cohort.test[11]
    one = made["multi", "rppa"]
    (draws,) = one.sets
    np.testing.assert_array_equal(draws[:, 11], frame.loc[patient])
    np.testing.assert_allclose(one.mean[11], frame.loc[patient].mean())


def test_antithetic_draws_come_as_two_sets_and_baselines_as_one(simulation) -> None:
    even = {
        name: lambda load=load: load().query("draw < 18")
        for name, load in simulation.test_draws.items()
    }
    made = make(simulation, antithetic=True, test_draws=even)
    assert [own.shape[0] for own in made["multi", "rppa"].sets] == [9, 9]
    assert [own.shape[0] for own in made["ridge", "rppa"].sets] == [18]


def test_draws_of_a_baseline_scatter_by_its_validation_error_around_its_prediction(
    simulation, made
) -> None:
    frame = simulation.baseline_predictions["cna/ridge/rnaseq"]()
    one = made["ridge", "rnaseq"]
    (draws,) = one.sets
    assert len(draws) == 19
    np.testing.assert_array_equal(one.mean, frame.loc["prediction"].loc[simulation.cohort.test])
    scatter = (draws - one.mean).std(axis=(0, 1))
    np.testing.assert_allclose(scatter, frame.loc["noise_sd"].to_numpy()[0], rtol=0.05)
    # All baselines share their noise, of which the seed decides.
    knn = made["knn", "rnaseq"]
    np.testing.assert_allclose(
        (knn.sets[0] - knn.mean) / (draws - one.mean),
        np.broadcast_to(
            simulation.baseline_predictions["cna/knn/rnaseq"]().loc["noise_sd"].to_numpy()[0]
            / frame.loc["noise_sd"].to_numpy()[0],
            draws.shape,
        ),
    )
    other = make(simulation, seed=1)["ridge", "rnaseq"]
    assert not np.allclose(other.sets[0], draws)


def test_a_missing_baseline_is_named_with_the_way_to_make_it(simulation) -> None:
    with pytest.raises(
        ValueError, match=r"no partition cna/ridge_features/rnaseq: .* --tags baselines"
    ):
        list(reconstructions(simulation.held_out(baseline_predictions={}), "cna", 0))
