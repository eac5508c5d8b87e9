import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from tcga_coherent.measures.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.studies.coherence.table import (
    auroc,
    coherence_error_table,
    coherence_lines,
    kept_share,
)
from tests.studies.coherence.made_up_probe import N_DRAWS, N_PATIENTS, made_up_probe

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.95)


def make(probe: pd.DataFrame) -> pd.DataFrame:
    return coherence_error_table(probe, BOOTSTRAP, seed=0)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return make(made_up_probe())


def find(table: pd.DataFrame, measure: str, statistic: str | None = None) -> pd.DataFrame:
    own = table[(table["target"] == "cna") & (table["measure"] == measure)]
    return own if statistic is None else own[own["statistic"] == statistic]


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_auroc_of_exchangeable_patients_is_one_half_and_of_separated_ones_one() -> None:
    same = rng().standard_normal((2, 4000))
    assert auroc(*same).item() == pytest.approx(0.5, abs=0.02)
    assert auroc(same[0], same[1] + 100).item() == 1
    assert auroc(same[0], same[1] - 100).item() == 0
    assert auroc(np.ones(9), np.ones(9)).item() == 0.5


def test_auroc_of_two_normal_distributions_is_the_closed_form() -> None:
    usual, swapped = rng().standard_normal((2, 4000))
    assert auroc(usual, swapped + 1.5).item() == pytest.approx(norm.cdf(1.5 / np.sqrt(2)), abs=0.01)


def test_auroc_of_bootstrap_samples_is_that_of_the_drawn_patients_ties_included() -> None:
    usual = rng().integers(0, 6, 50).astype(float)
    swapped = usual + rng().integers(-1, 4, 50)
    counts = resample_patients(50, 4, seed=3)
    expected = [
        roc_auc_score(
            np.repeat([0, 1], 50), np.concatenate([np.repeat(usual, row), np.repeat(swapped, row)])
        )
        for row in counts
    ]
    assert auroc(usual, swapped, counts) == pytest.approx(expected)


def test_the_least_coherent_draws_are_rejected_and_ties_in_part() -> None:
    statistic = np.array([[3.0, 1.0], [2.0, 4.0]])
    assert kept_share(statistic, 25).tolist() == [[1, 1], [1, 0]]
    assert kept_share(statistic, 50).tolist() == [[0, 1], [1, 0]]
    tied = np.array([[0.0, 0.0], [0.0, 5.0]])
    assert kept_share(tied, 50) == pytest.approx(np.array([[2, 2], [2, 0]]) / 3)


def test_swapped_sources_are_found_as_well_as_the_closed_form_says(table) -> None:
    areas = find(table, "auroc")
    for swapped in ("rnaseq", "rppa"):
        rows = areas[areas["swapped"] == swapped].set_index("statistic")
        found = rows.loc["disagreement"]
        assert found["value"] == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.04)
        assert found["low"] < norm.cdf(1 / np.sqrt(2)) < found["high"]
        assert found["n_patients"] == N_PATIENTS
        # Neither statistic of the denoisers knows of the swap.
        assert rows.loc["incoherent_share", "value"] == 0.5
        assert rows.loc["cosine_distance", "value"] == 0.5


def test_over_patients_and_over_the_draws_of_one_coherence_may_say_opposite_things(table) -> None:
    over_patients = find(table, "spearman", "cosine_distance").iloc[0]
    assert over_patients["value"] > 0.99
    assert over_patients["n_draws"] == N_PATIENTS * N_DRAWS
    within = find(table, "spearman_within_patient", "cosine_distance").iloc[0]
    assert (within["low"], within["value"], within["high"]) == pytest.approx((-1, -1, -1))
    independent = find(table, "spearman", "disagreement").iloc[0]
    assert independent["low"] < 0 < independent["high"]


def test_a_statistic_without_differences_has_no_correlation(table) -> None:
    row = find(table, "spearman", "incoherent_share").iloc[0]
    assert np.isnan(row[["value", "low", "high"]].to_numpy(float)).all()
    for statistic in ("incoherent_share", "disagreement"):
        row = find(table, "spearman_within_patient", statistic).iloc[0]
        assert np.isnan(row["value"])
        assert (row["n_patients"], row["n_draws"]) == (0, 0)


def test_rejecting_by_error_itself_halves_an_exponential_error_as_the_closed_form_says() -> None:
    probe = made_up_probe(n_patients=1000)
    probe["squared_error"] = rng().exponential(size=len(probe))
    probe["disagreement"] = probe["squared_error"]
    rows = find(make(probe), "relative_error_of_kept", "disagreement").set_index("point")
    # The mean of the exponential distribution below its median.
    assert rows.loc[50, "value"] == pytest.approx(1 - np.log(2), abs=0.01)
    assert rows.loc[50, "low"] < 1 - np.log(2) < rows.loc[50, "high"]
    assert rows.loc[10, "value"] == pytest.approx(1 + 0.1 / 0.9 * np.log(0.1), abs=0.01)


def test_a_statistic_that_knows_nothing_leaves_the_error_of_the_kept_as_it_is(table) -> None:
    rows = find(table, "relative_error_of_kept", "incoherent_share")
    assert rows["value"].to_numpy() == pytest.approx([1, 1, 1])


def test_kept_and_rejected_draws_are_counted_and_averaged() -> None:
    probe = made_up_probe(rejected=0.2)
    table = make(probe)
    own = probe[(probe["target"] == "cna") & (probe["swapped"] == "")]
    for measure, chosen in (
        ("error_of_kept", own[~own["rejected"]]),
        ("error_of_rejected", own[own["rejected"]]),
    ):
        row = find(table, measure).iloc[0]
        assert row["value"] == pytest.approx(chosen["squared_error"].mean())
        assert row["low"] < row["value"] < row["high"]
        assert row["n_draws"] == len(chosen)
        assert row["n_patients"] == chosen["patient_id"].nunique()


def test_where_no_draw_is_rejected_there_is_no_error_of_rejected_ones(table) -> None:
    row = find(table, "error_of_rejected").iloc[0]
    assert np.isnan(row["value"])
    assert row["n_draws"] == 0
    assert find(table, "error_of_kept").iloc[0]["n_draws"] == N_PATIENTS * N_DRAWS
    assert "0 draws rejected" in coherence_lines(table)[0]


def test_a_statistic_that_no_patient_has_is_left_without_a_value() -> None:
    table = make(made_up_probe().assign(disagreement=np.nan))
    rows = table[table["statistic"] == "disagreement"]
    assert set(rows["measure"]) == {"spearman", "spearman_within_patient", "auroc"}
    assert rows["value"].isna().all()
    assert (rows["n_patients"] == 0).all()


def test_without_swapped_sources_nothing_is_searched_for() -> None:
    probe = made_up_probe()
    table = make(probe[probe["swapped"] == ""])
    assert "auroc" not in set(table["measure"])
    assert coherence_lines(table)[1].endswith("mean AUROC of swapped sources: none swapped")


def test_one_line_a_target_states_what_coherence_is_worth(table) -> None:
    lines = coherence_lines(table)
    assert [line.split(":")[0] for line in lines] == list(table["target"].unique())
    mean = find(table, "auroc", "disagreement")["value"].mean()
    line = next(line for line in lines if line.startswith("cna"))
    assert "rho 1.00 over patients, -1.00 over draws of one" in line
    assert f"disagreement {mean:.2f}" in line
