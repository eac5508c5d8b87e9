import numpy as np
import pandas as pd
import pytest

from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.measures.fidelity import r2
from tcga_coherent.studies.reconstruction.decoded import decode_target, decoded_lines, decoded_rows
from tests.studies.reconstruction.linear_decoder import (
    AXES,
    N_FEATURES,
    NOISE,
    decode,
    inputs,
)

BOOTSTRAP = BootstrapParameters(repeats=120, level=0.95)


@pytest.fixture(scope="module")
def decoded(simulation):
    return decode(simulation)


@pytest.fixture(scope="module")
def table(decoded):
    rows = [row for one in decoded.values() for row in decoded_rows(one, BOOTSTRAP, seed=0)]
    return pd.DataFrame(rows)


def test_every_method_is_decoded_from_all_other_modalities(simulation, decoded) -> None:
    assert [one.target for one in decoded.values()] == ["cna", "rnaseq", "rppa"]
    one = decoded["cna"]
    assert one.source == "rnaseq+rppa"
    methods = ["ceiling", "multi", "coherent", "ridge_features", "ridge", "knn", "mean"]
    assert list(one.predictions["standardised"]) == methods
    draws = simulation.test_draws["cna/coherent/rnaseq+rppa"]()
    patient = simulation.cohort.test[7]
    expected = draws.loc[patient].mean().to_numpy() @ AXES
    found = one.predictions["standardised"]["coherent"].loc[patient]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(one.predictions["input"]["coherent"].loc[patient], np.exp(found))


def test_draws_of_the_true_distribution_cover_what_they_say(simulation, decoded, table) -> None:
    """Draws of the simulation are exact, and the decoder says how far features are from what it decodes."""
    one = decoded["cna"]
    patient = simulation.cohort.test[7]
    rows = simulation.test_draws["cna/coherent/rnaseq+rppa"]().loc[patient].to_numpy() @ AXES
    mean, sd = one.draws["coherent"]
    np.testing.assert_allclose(mean[7], rows.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(sd[7] ** 2, rows.var(axis=0, ddof=1) + NOISE**2, rtol=1e-4)
    found = table[table["unit"] == "standardised"].set_index(["target", "method"])
    truth = one.truth["standardised"].to_numpy()
    inside = np.abs(truth - mean) < 1.6448536 * sd
    assert found.loc[("cna", "coherent"), "coverage_90"] == pytest.approx(inside.mean())
    exact = found.xs("multi", level="method")
    assert exact["coverage_90"].between(0.87, 0.93).all()
    assert exact["coverage_50"].between(0.45, 0.55).all()
    # Those of the other method are too narrow.
    narrow = found.xs("coherent", level="method")
    assert (narrow["coverage_90"] < exact["coverage_90"] - 0.03).all()
    assert found.drop(["multi", "coherent"], level="method")["coverage_90"].isna().all()


def test_truth_is_that_of_the_test_patients_in_their_order(simulation, decoded) -> None:
    truth = decoded["rppa"].truth
    assert list(truth["standardised"].index) == list(simulation.cohort.test)
    patient = simulation.cohort.test[3]
    measured = inputs(simulation, "rppa")["processed"].loc[patient]
    np.testing.assert_array_equal(truth["standardised"].loc[patient], measured)
    np.testing.assert_array_equal(truth["input"].loc[patient], np.exp(measured))


def test_scores_are_those_of_single_features(decoded, table) -> None:
    one = decoded["cna"]
    truth = one.truth["standardised"].to_numpy()
    prediction = one.predictions["standardised"]["multi"].to_numpy()
    correlations = [np.corrcoef(truth[:, j], prediction[:, j])[0, 1] for j in range(N_FEATURES)]
    row = table.set_index(["target", "method", "unit"]).loc[("cna", "multi", "standardised")]
    assert row["r2"] == pytest.approx(r2(truth, prediction))
    assert row["correlation_median"] == pytest.approx(np.median(correlations))
    assert row["correlation_q25"] == pytest.approx(np.quantile(correlations, 0.25))
    assert row["correlation_q75"] == pytest.approx(np.quantile(correlations, 0.75))
    assert row["share_above_half"] == pytest.approx(np.mean(np.array(correlations) > 0.5))
    own = [r2(truth[:, [j]], prediction[:, [j]]) for j in range(N_FEATURES)]
    assert row["feature_r2_median"] == pytest.approx(np.median(own))
    assert row["n_features"] == N_FEATURES
    assert row["n_patients"] == 300
    for name in ("r2", "correlation_median", "share_above_half"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    assert row["r2_high"] - row["r2_low"] > 0.01


def test_the_ceiling_is_what_the_noise_leaves_and_no_method_exceeds_it(decoded, table) -> None:
    rows = table[table["unit"] == "standardised"].set_index(["target", "method"])
    for target, one in decoded.items():
        variance = one.truth["standardised"].to_numpy().var()
        ceiling = rows.loc[(target, "ceiling")]
        assert ceiling["r2"] == pytest.approx(1 - NOISE**2 / variance, abs=0.02)
        assert (rows.loc[target].drop("ceiling")["r2"] < ceiling["r2"]).all()
        assert rows.loc[(target, "multi"), "r2"] > rows.loc[(target, "mean"), "r2"] + 0.1


def test_the_mean_has_an_r2_and_no_correlation(table) -> None:
    rows = table[(table["method"] == "mean") & (table["unit"] == "standardised")]
    assert rows["r2"].abs().max() < 0.05
    assert (
        rows[["correlation_median", "share_above_half", "correlation_median_low"]].isna().all(None)
    )


def test_input_units_have_scores_of_single_features_only(table) -> None:
    rows = table[(table["unit"] == "input") & (table["method"] != "mean")]
    assert rows[["feature_r2_median", "correlation_median"]].notna().all(axis=None)
    assert rows[["r2", "r2_low", "correlation_median_low"]].isna().all(axis=None)
    # Exponentials are no linear function of the decoded values: the numbers must differ.
    standardised = table[(table["unit"] == "standardised") & (table["method"] != "mean")]
    assert (rows["correlation_median"].to_numpy() < standardised["correlation_median"]).all()


def test_features_of_another_run_are_refused(simulation) -> None:
    given = inputs(simulation, "cna")
    other = given["processed"].rename(columns={"GENE0": "GENE99"})
    with pytest.raises(ValueError, match="processed table of cna has other patients or features"):
        decode_target(**given | {"processed": other})


def test_a_line_a_target_says_r2_and_median_correlation(table) -> None:
    lines = decoded_lines(table)
    assert [line.split(":")[0] for line in lines] == ["cna", "rnaseq", "rppa"]
    ceiling = table.iloc[0]
    told = f"ceiling {ceiling['r2']:.3f} / {ceiling['correlation_median']:.2f}"
    assert told in lines[0]
