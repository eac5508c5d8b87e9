import numpy as np
import pytest

from tcga_coherent.studies.coherence.probe import generations, matched
from tests.studies.coherence.made_up_probe import N_DRAWS, N_PATIENTS, made_up_probe


def test_draws_are_arranged_by_what_was_swapped() -> None:
    probe = made_up_probe()
    by_swap = generations(probe, "cna")
    assert list(by_swap) == ["", "rnaseq", "rppa"]
    usual = by_swap["rppa"]
    assert usual.squared_error.shape == (N_PATIENTS, N_DRAWS)
    keys = {"target": "cna", "swapped": "rppa", "patient_id": "P017", "draw": 4}
    (row,) = probe[np.logical_and.reduce([probe[k] == v for k, v in keys.items()])].itertuples()
    position = usual.patients.get_loc("P017")
    assert usual.squared_error[position, 4] == row.squared_error
    assert usual.statistics["cosine_distance"][position, 4] == row.cosine_distance
    assert usual.error_of_mean[position] == row.error_of_mean


def test_only_patients_with_the_statistic_on_both_sides_are_compared() -> None:
    probe = made_up_probe(n_patients=5)
    gone = (probe["swapped"] == "rppa") & (probe["patient_id"] == "P001")
    probe = probe[~gone]
    unknown = (probe["swapped"] == "") & (probe["patient_id"] == "P003") & (probe["draw"] == 0)
    probe.loc[unknown, "disagreement"] = np.nan
    by_swap = generations(probe, "cna")
    without, with_swap = matched(by_swap[""], by_swap["rppa"], "disagreement")
    values = probe[(probe["target"] == "cna") & (probe["draw"] == 0)]
    for swapped, found in (("", without), ("rppa", with_swap)):
        own = values[values["swapped"] == swapped].set_index("patient_id")["disagreement"]
        assert found == pytest.approx(own[["P000", "P002", "P004"]].to_numpy())


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="coherence_probe has no column disagreement, rejected"):
        generations(made_up_probe().drop(columns=["rejected", "disagreement"]), "cna")


def test_swapped_sources_alone_have_nothing_to_be_compared_with() -> None:
    probe = made_up_probe()
    with pytest.raises(ValueError, match="no row of cna with nothing swapped"):
        generations(probe[probe["swapped"] != ""], "cna")


@pytest.mark.parametrize(
    "change", [lambda rows: rows.iloc[1:], lambda rows: rows.iloc[[0, *range(len(rows))]]]
)
def test_a_draw_that_is_missing_or_double_is_refused(change) -> None:
    probe = made_up_probe(("cna",), n_patients=4)
    with pytest.raises(
        ValueError, match="each of the 4 patients of cna must have each of the 6 draws once"
    ):
        generations(change(probe), "cna")


def test_errors_that_are_not_finite_are_refused() -> None:
    probe = made_up_probe()
    probe.loc[probe.index[probe["target"] == "rnaseq"][3], "squared_error"] = np.inf
    with pytest.raises(
        ValueError, match="coherence_probe holds errors of rnaseq that are not finite"
    ):
        generations(probe, "rnaseq")
