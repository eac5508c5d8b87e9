import logging

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.cohort import read_cohort, read_draws

NAME = "cna/coherent/rnaseq+rppa"


def read_changed(simulation, change, name: str = NAME) -> np.ndarray:
    """Read a partition after `change` was applied to its frame."""
    frame = change(simulation.test_draws[name]().copy())
    cohort = simulation.cohort
    columns = list(cohort.latents["cna"].columns)
    return read_draws({name: lambda: frame}, name, cohort.test, columns)


def test_draws_come_in_the_order_of_patients_and_dimensions_whatever_the_order_of_rows(
    simulation,
) -> None:
    shuffled = read_changed(
        simulation, lambda frame: frame.sample(frac=1, random_state=0)[frame.columns[::-1]]
    )
    original = simulation.test_draws[NAME]()
    patient = simulation.cohort.test[7]
    np.testing.assert_array_equal(shuffled[3, 7], original.loc[(patient, 3)])
    assert shuffled.shape == (19, 300, 4)


def test_draws_of_further_patients_are_left_out(simulation) -> None:
    cohort = simulation.cohort
    some = cohort.test[10:20]
    columns = list(cohort.latents["cna"].columns)
    draws = read_draws(simulation.test_draws, NAME, some, columns)
    everybody = read_draws(simulation.test_draws, NAME, cohort.test, columns)
    np.testing.assert_array_equal(draws, everybody[:, 10:20])


def test_a_missing_partition_is_named_with_the_way_to_make_it(simulation) -> None:
    with pytest.raises(
        ValueError,
        match=r"test_draws has no partition cna/coherent/rnaseq\+wsi: make it with "
        "`kedro run --pipeline coherent_sampling`",
    ):
        read_draws(simulation.test_draws, "cna/coherent/rnaseq+wsi", pd.Index([]), [])


def test_draws_that_are_not_finite_are_named_by_partition_and_patient(simulation) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[("TCGA-0005", 2), "z01"] = np.nan
        frame.loc[("TCGA-0009", 0), "z00"] = np.inf
        return frame

    with pytest.raises(
        ValueError, match=r"cna/coherent/rnaseq\+rppa holds values .* TCGA-0005, TCGA-0009:"
    ):
        read_changed(simulation, spoil)


def test_patients_without_draws_are_named(simulation) -> None:
    with pytest.raises(ValueError, match=r"rnaseq\+rppa lacks 1 test patients \(TCGA-0005\)"):
        read_changed(simulation, lambda frame: frame.drop(index="TCGA-0005"))


def test_a_patient_with_fewer_draws_is_named(simulation) -> None:
    with pytest.raises(ValueError, match="each of the 19 draws once, but not so TCGA-0005"):
        read_changed(simulation, lambda frame: frame.drop(index=("TCGA-0005", 3)))


def test_a_repeated_draw_is_named(simulation) -> None:
    def repeat(frame: pd.DataFrame) -> pd.DataFrame:
        rows = [("TCGA-0005", 3 if draw == 4 else draw) for draw in range(19)]
        return pd.concat([frame.drop(index="TCGA-0005"), frame.loc[rows]])

    with pytest.raises(ValueError, match=r"but not so \('TCGA-0005', 3\)"):
        read_changed(simulation, repeat)


def test_draws_with_other_dimensions_than_the_latents_are_refused(simulation) -> None:
    with pytest.raises(ValueError, match="has the columns z00, z01, z02, but the latents"):
        read_changed(simulation, lambda frame: frame.drop(columns="z03"))


def test_draws_with_another_index_are_refused(simulation) -> None:
    with pytest.raises(ValueError, match=r"index must be \(patient_id, draw\), got \['patient'"):
        read_changed(simulation, lambda frame: frame.rename_axis(["patient", "draw"]))


def read(simulation, **changes):
    arguments = {
        "latents": simulation.latents,
        "split": simulation.split,
        "presence": simulation.presence,
    }
    return read_cohort(**(arguments | changes))


def test_latents_that_are_not_finite_are_named_by_modality_and_patient(simulation) -> None:
    spoilt = simulation.latents["rppa"]().copy()
    spoilt.loc["TCGA-0003", "z02"] = np.nan
    with pytest.raises(ValueError, match=r"latents of rppa hold values .* TCGA-0003:"):
        read(simulation, latents=simulation.latents | {"rppa": lambda: spoilt})


def test_latents_that_disagree_with_presence_are_refused_with_the_patients(simulation) -> None:
    fewer = simulation.latents["cna"]().drop(index="TCGA-0003")
    with pytest.raises(ValueError, match=r"cna and presence disagree on 1 patients \(TCGA-0003\)"):
        read(simulation, latents=simulation.latents | {"cna": lambda: fewer})


def test_a_modality_without_presence_is_refused(simulation) -> None:
    with pytest.raises(ValueError, match="presence has no column rppa"):
        read(simulation, presence=simulation.presence.drop(columns="rppa"))


def test_split_and_presence_of_other_patients_are_refused(simulation) -> None:
    with pytest.raises(ValueError, match="split and presence list different patients"):
        read(simulation, presence=simulation.presence.iloc[::-1])


def test_a_patient_in_two_splits_is_named(simulation) -> None:
    twice = simulation.split.rename(index={"TCGA-0001": "TCGA-0000"})
    with pytest.raises(ValueError, match="split lists patients twice: TCGA-0000"):
        read(simulation, split=twice)


def test_an_unknown_split_is_named(simulation) -> None:
    with pytest.raises(ValueError, match="split holds holdout; only train, val, test are known"):
        read(simulation, split=simulation.split.replace({"split": {"val": "holdout"}}))


def test_a_split_without_cancer_types_is_refused(simulation) -> None:
    with pytest.raises(ValueError, match="split has no column cancer_type; it has split"):
        read(simulation, split=simulation.split[["split"]])


def test_an_empty_validation_split_is_refused(simulation) -> None:
    with pytest.raises(ValueError, match="No patient of the split val is there"):
        read(simulation, split=simulation.split.replace({"split": {"val": "train"}}))


def test_test_patients_who_miss_a_modality_are_left_out_and_counted(simulation, caplog) -> None:
    presence = simulation.presence.copy()
    presence.loc["TCGA-0003", "rppa"] = False
    fewer = simulation.latents["rppa"]().drop(index="TCGA-0003")
    with caplog.at_level(logging.INFO):
        cohort = read(
            simulation, presence=presence, latents=simulation.latents | {"rppa": lambda: fewer}
        )
    assert "TCGA-0003" not in cohort.test
    assert len(cohort.test) == 299
    assert "1 of 300 test patients miss a modality" in caplog.text
    assert list(cohort.incomplete) == ["TCGA-0003"]
    # Who has the two of a comparison is tested in it.
    assert "TCGA-0003" in cohort.tested("cna", "rnaseq")
    assert "TCGA-0003" not in cohort.tested("cna", "rppa")
    assert len(cohort.tested("rnaseq")) == 300
    assert cohort.truth("cna", cohort.tested("cna", "rnaseq")).shape[0] == 300
