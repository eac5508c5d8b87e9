import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.features.units import TRAITS, learn_units

FEATURES = pd.Index([f"g{i}" for i in range(50)])


def patients(n: int, seed: int) -> pd.DataFrame:
    """Skewed values around centres of their own."""
    centers = np.random.default_rng(0).normal(3, 1, size=50)
    values = np.random.default_rng(seed).gamma(1, size=(n, 50)) + centers
    return pd.DataFrame(values, columns=FEATURES)


def test_traits_of_the_training_patients_are_those_of_their_definition() -> None:
    table = patients(100, 1)
    units = learn_units(table, FEATURES)
    np.testing.assert_allclose(units.profile, table.median())
    q = table.quantile([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98], axis=1)
    width = q.loc[0.75] - q.loc[0.25]
    expected = {
        "level": q.loc[0.5],
        "spread": np.log(width),
        "asymmetry": (q.loc[0.9] + q.loc[0.1] - 2 * q.loc[0.5]) / (q.loc[0.9] - q.loc[0.1]),
        "tails": np.log((q.loc[0.98] - q.loc[0.02]) / width),
        "profile": table.T.corrwith(table.median(), method="spearman"),
    }
    for number, trait in enumerate(TRAITS):
        np.testing.assert_allclose(
            units.limits[:, number], expected[trait].quantile([0.002, 0.02, 0.98, 0.998]), rtol=1e-6
        )


@pytest.mark.parametrize("n", [1, 4, 30])
def test_patients_of_the_same_kind_hardly_ever_look_different(n: int) -> None:
    units = learn_units(patients(300, 1), FEATURES)
    odd = [units.describe_difference(patients(n, seed)) is not None for seed in range(2, 52)]
    assert sum(odd) <= 2


def test_a_flipped_sign_is_seen_in_centre_and_profile() -> None:
    units = learn_units(patients(300, 1), FEATURES)
    found = units.describe_difference(-patients(10, 2))
    assert found is not None
    assert [part.split()[0] for part in found.split(", ")] == ["level", "profile"]


def test_only_features_that_both_have_are_compared() -> None:
    units = learn_units(patients(300, 1), FEATURES)
    assert units.describe_difference(patients(10, 2).iloc[:, 5:].assign(other=1e9)) is None


def test_too_few_training_patients_or_values_say_nothing() -> None:
    units = learn_units(patients(10, 1), FEATURES)
    assert units.describe_difference(1e6 * patients(10, 2)) is None
    units = learn_units(patients(300, 1), FEATURES)
    assert units.describe_difference(1e6 * patients(10, 2).iloc[:, :5]) is None
