"""New patients as people have them: completed under their own names, or named with a reason."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.practice.conftest import Outcome, Practice, environment

pytestmark = pytest.mark.practice

FIRST = ["TCGA-49-AARO", "TCGA-A2-A0CT", "TCGA-AO-A0JD"]


def of_each(outcome: Outcome, modality: str) -> list[str]:
    """Return what became of a modality of the first three patients, who must be all there are."""
    status = outcome.status(modality)
    assert sorted(status) == FIRST, outcome.said
    return [status[patient] for patient in FIRST]


def test_names_with_dots_and_names_with_dashes_are_one_patient(practice: Practice) -> None:
    practice.build("01")
    outcome = practice.complete("01_dots")
    assert not outcome.stopped, outcome.said
    assert of_each(outcome, "rnaseq") == of_each(outcome, "rppa") == ["observed"] * 3
    assert of_each(outcome, "cna") == of_each(outcome, "wsi") == ["generated"] * 3
    generated = outcome.flags[outcome.flags["status"] == "generated"]
    assert set(generated["sources"]) == {"rnaseq+rppa"}


def test_a_column_of_entrez_ids_is_no_patient(practice: Practice) -> None:
    practice.build("02")
    outcome = practice.complete("02_cbio")
    if outcome.stopped:
        assert "Entrez_Gene_Id" in outcome.said
    else:
        assert of_each(outcome, "rnaseq") == of_each(outcome, "rppa") == ["observed"] * 3


def test_other_formats_beside_parquet_are_read_or_named(practice: Practice) -> None:
    practice.build("04")
    # The slides are of another encoder than those of the cohort.
    outcome = practice.complete("04_mixed_formats")
    assert outcome.stopped
    assert "wsi holds none of the 80 features" in outcome.said
    shutil.rmtree(practice.input("04_mixed_formats") / "wsi")
    outcome = practice.complete("04_mixed_formats")
    assert not outcome.stopped, outcome.said
    assert list(outcome.status("rnaseq").values()) == ["observed"] * 2
    assert list(outcome.status("rppa").values()) == ["observed"] * 2


def test_row_names_that_polars_moved_are_found(practice: Practice) -> None:
    practice.build("06")
    outcome = practice.complete("06_polars")
    assert not outcome.stopped, outcome.said
    assert of_each(outcome, "rnaseq") == ["observed"] * 3


def test_a_patient_without_any_value_is_named(practice: Practice) -> None:
    practice.build("07a")
    outcome = practice.complete("07a_nan")
    assert not outcome.stopped, outcome.said
    flags = outcome.flags[outcome.flags["patient_id"] == "TCGA-AO-A0JD"]
    assert "TCGA-AO-A0JD" in outcome.said or (
        set(flags["status"]) == {"impossible"} and (flags["reason"] != "").all()
    )


def test_a_file_without_any_value_is_as_good_as_none(practice: Practice) -> None:
    practice.build("07b")
    outcome = practice.complete("07b_one")
    assert not outcome.stopped, outcome.said
    (generated,) = outcome.flags[outcome.flags["status"] == "generated"].to_dict("records")
    assert (generated["modality"], generated["sources"]) == ("rppa", "cna+rnaseq+wsi")


def test_samples_that_are_no_primary_tumour_are_named(practice: Practice) -> None:
    practice.build("08")
    outcome = practice.complete("08_types")
    for patient, sample in (("TCGA-A2-A0CT", "02A"), ("TCGA-AO-A0JD", "03A")):
        in_flags = not outcome.stopped and patient in set(outcome.flags["patient_id"])
        assert in_flags or f"{patient}-{sample}" in outcome.said


def test_three_percent_of_the_proteins_are_not_a_measurement(practice: Practice) -> None:
    practice.build("09")
    outcome = practice.complete("09_sparse")
    assert not outcome.stopped, outcome.said
    rows = outcome.flags[outcome.flags["modality"] == "rppa"].set_index("patient_id")
    status = rows["status"].tolist()
    assert status.count("observed") == 1, rows
    assert (rows.loc[rows["status"] != "observed", "reason"] != "").all()


@pytest.mark.parametrize("how", [(), ("two",)])
def test_values_in_other_units_are_noticed(practice: Practice, how: tuple[str, ...]) -> None:
    practice.build("10", *how)
    outcome = practice.complete("10_units")
    rows = outcome.flags[outcome.flags["modality"] == "rnaseq"]
    assert (
        outcome.stopped
        or "rnaseq" in outcome.said
        or (~rows["accepted"] | (rows["reason"] != "")).all()
    )


def test_the_message_on_a_smaller_panel_offers_only_what_helps(practice: Practice) -> None:
    practice.build("11")
    outcome = practice.complete("11_absent")
    assert outcome.stopped
    again = practice.complete("11_absent", preprocessing={"max_absent_features": 0.5})
    assert not again.stopped or "raise" not in outcome.said
    assert "trained" in outcome.said or not again.stopped


def test_genes_that_hold_many_reads_may_be_absent(practice: Practice) -> None:
    (folder,) = practice.cases.glob("12_*")
    script = folder / "make_input.py"
    # Where the class lies is internal; its name is public.
    script.write_text(
        script.read_text().replace("tcga_coherent.omics.preprocessor", "tcga_coherent")
    )
    printed = subprocess.run(
        [sys.executable, "make_input.py"],
        cwd=folder, env=environment(practice.cases), check=False, capture_output=True, text=True,
    )  # fmt: skip
    if printed.returncode == 0 and "library" not in printed.stderr:
        (line,) = (row for row in printed.stdout.splitlines() if row.startswith("shift"))
        assert abs(float(line.split("patients and genes ")[1].split(" |")[0])) < 0.05, line
    else:
        assert "%" in printed.stderr


def test_a_folder_may_be_called_by_a_date(practice: Practice) -> None:
    practice.build("14")
    shutil.copytree(practice.input("20240115"), practice.project.root / "20240115")
    folders = {"input_dir": 20240115, "output_dir": str(practice.tmp_path / "out")}
    outcome = practice.complete("20240115", completion=folders)
    assert not outcome.stopped or "./20240115" in outcome.said


def test_numbers_in_the_first_column_are_patients(practice: Practice) -> None:
    practice.build("24")
    outcome = practice.complete("24_numeric")
    if outcome.stopped:
        assert "patient_id" in outcome.said
        return
    assert outcome.status("rnaseq") == dict.fromkeys(["101", "102", "103", "104"], "observed")
    assert outcome.status("rppa") == {
        "101": "observed", "102": "generated", "103": "observed", "104": "observed",
    }  # fmt: skip
    for modality in ("rnaseq", "rppa"):
        given = pd.read_parquet(practice.input("24_numeric") / f"{modality}.parquet")
        given = given.set_index(given["patient_id"].astype(str)).drop(columns="patient_id")
        found = pd.read_parquet(practice.tmp_path / f"out/decoded_mean/{modality}.parquet")
        common = [name for name in found.columns if name in given.columns]
        np.testing.assert_allclose(
            found.loc[given.index, common], given[common], rtol=1e-5, equal_nan=True
        )
