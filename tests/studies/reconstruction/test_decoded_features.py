import pytest

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.studies.reconstruction.decoded_features import (
    DecodedParameters,
    best_and_worst_features,
    correlations_by_method,
)
from tests.studies.reconstruction.linear_decoder import N_FEATURES, decode

BOOTSTRAP = BootstrapParameters(repeats=120, level=0.95)


@pytest.fixture(scope="module")
def decoded(simulation):
    return decode(simulation)


def test_the_best_and_the_worst_features_are_named_in_order(decoded) -> None:
    one = decoded["cna"]
    correlations = correlations_by_method(one)
    assert list(correlations) == ["ceiling", "multi", "coherent", "ridge_features", "ridge", "knn"]
    found = best_and_worst_features(one, correlations, DecodedParameters(4), BOOTSTRAP, seed=0)
    ordered = correlations["coherent"].sort_values()
    assert list(found[found["end"] == "best"]["feature"]) == list(ordered.index[:-5:-1])
    assert list(found[found["end"] == "worst"]["feature"]) == list(ordered.index[:4])
    assert list(found["rank"]) == [1, 2, 3, 4, 1, 2, 3, 4]
    assert set(found["ranked_by"]) == {"coherent"}
    top = found.iloc[0]
    assert top["correlation"] == ordered.iloc[-1]
    assert top["correlation_low"] < top["correlation"] < top["correlation_high"]
    assert top["correlation_ridge"] == correlations.loc[top["feature"], "ridge"]


def test_few_features_are_listed_at_most_once_an_end(decoded) -> None:
    correlations = correlations_by_method(decoded["cna"])
    found = best_and_worst_features(
        decoded["cna"], correlations, DecodedParameters(100), BOOTSTRAP, seed=0
    )
    assert len(found) == 2 * N_FEATURES
