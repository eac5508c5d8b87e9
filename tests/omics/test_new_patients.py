import logging

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.modality import ModalityConfig
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.omics.new_patients import (
    add_notes,
    orient_matrix,
    screen_new_patients,
    tabulate_covariates,
    tabulate_new_patients,
)

FEATURES = pd.Index([f"g{i}" for i in range(30)])
BOUNDS = {
    "missing_share": 0.5,
    "level": 6.0,
    "distance": 5.0,
    "library_size": 6.0,
    "detected_features": 6.0,
}


def samples(*names: str, seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(len(names), 30)).astype(np.float32)
    return pd.DataFrame(values, index=list(names), columns=FEATURES)


def config(*steps: object) -> ModalityConfig:
    return ModalityConfig(label="x", color="#000000", steps=steps, imputer="median")  # type: ignore[arg-type]


def notes_of(notes: pd.DataFrame, patient: str) -> list[str]:
    return list(notes.loc[notes["patient_id"] == patient, "note"])


def test_the_axis_that_holds_more_known_features_is_taken_and_others_are_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    matrix = samples("a", "b").assign(other=1.0)
    for layout in (matrix, matrix.T):
        caplog.clear()
        pd.testing.assert_frame_equal(orient_matrix(layout, FEATURES, "x"), samples("a", "b"))
        assert "1 features that the models do not know are left out, such as other" in caplog.text


def test_versions_of_genes_do_not_matter_and_a_table_of_names_is_followed() -> None:
    genes = pd.Index(["ENSG00000141510.17", "ENSG00000012048.23"])
    bare = pd.DataFrame([[1.0], [2.0]], index=["ENSG00000141510", "ENSG00000012048"], columns=["P"])
    found = orient_matrix(bare, genes, "rnaseq.tsv")
    assert found.loc["P"].to_dict() == {genes[0]: 1.0, genes[1]: 2.0}
    entrez = bare.set_axis(["7157", "672"], axis=0)
    named = orient_matrix(entrez.T, genes, "rnaseq.tsv", {"7157": genes[0], "672": genes[1]})
    pd.testing.assert_frame_equal(named, found, check_names=False)
    for other, sentence in (
        (
            entrez,
            "It has Entrez numbers, such as 7157, in place of Ensembl identifiers: give a table",
        ),
        (
            entrez.set_axis(["TP53", "BRCA1"], axis=0),
            "in place of Ensembl identifiers: give a table",
        ),
    ):
        with pytest.raises(ValueError, match=sentence):
            orient_matrix(other, genes, "rnaseq.tsv")
    with pytest.raises(
        ValueError, match=r"It has Ensembl identifiers, such as ENSG.*in place of names"
    ):
        orient_matrix(bare, pd.Index(["TP53", "BRCA1"]), "rnaseq.tsv")


def test_names_written_differently_in_two_files_are_one_patient(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tables, _ = tabulate_new_patients(
        {
            "cna": samples("TCGA-AA-0001-01A", "P-7", "007", "Anna K"),
            "rppa": samples("tcga.aa.0001.01B", "p.7 ", "X7", "anna_k"),
        },
        "tcga",
    )
    for table in tables.values():
        assert list(table.index) == ["007", "Anna K", "P-7", "TCGA-AA-0001"]
    np.testing.assert_array_equal(tables["rppa"].loc["007"], samples(*"abcd").loc["c"])
    assert "X7 for 007" in caplog.text


def test_names_that_one_file_tells_apart_are_two_patients() -> None:
    tables, _ = tabulate_new_patients({"cna": samples("p1", "P1"), "rppa": samples("P1")}, "tcga")
    assert list(tables["cna"].index) == ["P1", "p1"]
    assert list(tables["rppa"].index) == ["P1"]


def test_one_foreign_name_leaves_the_others_barcodes(caplog: pytest.LogCaptureFixture) -> None:
    names = ("TCGA-AA-0001-01A", "TCGA-AA-0002-01A", "control")
    tables, _ = tabulate_new_patients({"cna": samples(*names)}, "tcga")
    assert list(tables["cna"].index) == ["TCGA-AA-0001", "TCGA-AA-0002", "control"]
    assert "1 of 3 names are no TCGA barcodes and taken for patients as they are: control" in (
        caplog.text
    )


def test_the_scheme_plain_reduces_no_barcode() -> None:
    names = ["TCGA-AA-0001-01A", "TCGA-AA-0001-06A"]
    tables, notes = tabulate_new_patients({"cna": samples(*names)}, "plain")
    assert list(tables["cna"].index) == names
    assert notes.empty


def test_the_only_tumour_of_a_patient_is_taken_whatever_its_type_and_normal_tissue_never() -> None:
    tables, notes = tabulate_new_patients(
        {"cna": samples(*(f"TCGA-AA-000{i}-{t}A" for i, t in enumerate(("01", "02", "03", "11"))))},
        "tcga",
    )
    assert list(tables["cna"].index) == ["TCGA-AA-0000", "TCGA-AA-0001", "TCGA-AA-0002"]
    assert notes_of(notes, "TCGA-AA-0001") == ["TCGA-AA-0001-02A stands for the patient"]
    assert notes_of(notes, "TCGA-AA-0003") == [
        "TCGA-AA-0003-11A left out: normal or control sample"
    ]


def test_one_tumour_stands_for_a_patient_in_all_modalities() -> None:
    """The metastasis is in two of three modalities, the primary tumour in two as well, or in one."""
    p = "TCGA-AA-0001"
    tables, notes = tabulate_new_patients(
        {
            "cna": samples(f"{p}-01A", f"{p}-06A", seed=1),
            "rppa": samples(f"{p}-06A", seed=2),
            "wsi": samples(f"{p}-06Z-00-DX1", f"{p}-06Z-00-DX2", seed=3),
        },
        "tcga",
    )
    np.testing.assert_array_equal(tables["cna"].loc[p], samples("x", "y", seed=1).loc["y"])
    np.testing.assert_allclose(
        tables["wsi"].loc[p], samples("x", "y", seed=3).mean(), rtol=1e-5, atol=1e-6
    )
    assert f"{p}-01A left out: sample type 06 stands for the patient in all modalities" in (
        notes_of(notes, p)
    )
    tables, _ = tabulate_new_patients(
        {"cna": samples(f"{p}-01A", seed=1), "rppa": samples(f"{p}-06A", seed=2)}, "tcga"
    )
    assert list(tables) == ["cna"]


def test_a_second_vial_and_a_patient_without_any_value_are_noted() -> None:
    cna = samples("TCGA-AA-0001-01A", "TCGA-AA-0001-01B", "TCGA-AA-0002")
    cna.loc["TCGA-AA-0002"] = np.nan
    empty = samples("TCGA-AA-0001") * np.nan
    tables, notes = tabulate_new_patients({"cna": cna, "rppa": empty}, "tcga")
    assert {name: list(table.index) for name, table in tables.items()} == {"cna": ["TCGA-AA-0001"]}
    assert sorted(notes["note"]) == [
        "TCGA-AA-0001-01B left out: later vial or aliquot of the patient",
        "the file holds no value of the patient",
        "the file holds no value of the patient",
    ]


def test_covariates_are_cleaned_and_found_whatever_the_patients_are_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clinical = pd.DataFrame(
        {
            "age": ["61", None, "old", "50", "44"],
            "sex": ["Male", "Female", None, None, None],
            "os": [1, 0, 1, 0, 1],
        },
        index=["TCGA-AA-0001-01A", "tcga.aa.0002", "TCGA-AA-0003", "TCGA-AA-0001", "Mine"],
    )
    patients = pd.Index(["TCGA-AA-0001", "TCGA-AA-0002", "TCGA-AA-0003", "mine"])
    found = tabulate_covariates(clinical, ["cancer_type", "age", "sex"], patients, "tcga")
    assert list(found.columns) == ["age", "sex"]
    assert list(found.index) == list(patients)
    assert found["age"].fillna(-1).tolist() == [61, -1, -1, 44]
    assert found["sex"].fillna("").tolist() == ["male", "female", "", ""]
    assert "cancer_type is not known of 4 of 4" in caplog.text
    assert "age is not known of 2 of 4" in caplog.text
    assert "clinical age: 1 values" in caplog.text


@pytest.mark.parametrize(
    ("clinical", "message"),
    [
        ({"Age": [50]}, r"none of the columns that the models know, age, sex; it has Age"),
        ({"age": [None]}, r"tells age of none of the new patients; it names a"),
    ],
)
def test_a_clinical_table_that_tells_nothing_is_refused(clinical, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tabulate_covariates(
            pd.DataFrame(clinical, index=["a"]), ["age", "sex"], pd.Index(["a", "b"]), "plain"
        )


def test_nothing_at_all_is_an_error_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"No new patient can be completed: TCGA-AA-0001-11A left"):
        tabulate_new_patients({"cna": samples("TCGA-AA-0001-11A")}, "tcga")


def test_a_value_that_stands_for_missing_ones_is_named() -> None:
    cna = samples(*"abcdef")
    cna.iloc[:4, 2:6] = -999
    with pytest.raises(ValueError, match=r"cna: the value -999 .* feature g2.*Leave these cells"):
        tabulate_new_patients({"cna": cna}, "tcga")


def test_files_that_share_few_patients_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    tabulate_new_patients({"cna": samples("a", "b", "c"), "rppa": samples("a", "x", "y")}, "tcga")
    assert "cna: only 1 of its 3 patients are in any other file; of those that are not: b, c" in (
        caplog.text
    )
    caplog.clear()
    tabulate_new_patients({"cna": samples("a", "b"), "rppa": samples("a", "x")}, "tcga")
    assert "in any other file" not in caplog.text


@pytest.fixture(scope="module")
def proteins() -> Preprocessor:
    rng = np.random.default_rng(5)
    values = rng.normal(rng.normal(size=30), 1, size=(200, 30)).astype(np.float32)
    table = pd.DataFrame(values, [f"T{i}" for i in range(200)], FEATURES)
    return Preprocessor.fit(table, config(), table.index, modality="rppa", bounds=BOUNDS)


def new_proteins(n: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    centers = rng.normal(size=30)
    rng = np.random.default_rng(6)
    values = rng.normal(centers, 1, size=(n, 30)).astype(np.float32)
    return pd.DataFrame(values, [f"N{i}" for i in range(n)], FEATURES)


def test_patients_like_those_of_training_pass_without_a_note(proteins: Preprocessor) -> None:
    kept, notes = screen_new_patients(new_proteins(), proteins)
    pd.testing.assert_frame_equal(kept, new_proteins())
    assert notes.empty


def test_outliers_of_the_cohorts_rules_leave_with_the_rule(proteins: Preprocessor) -> None:
    table = new_proteins()
    table.iloc[0, :20] = np.nan  # two thirds
    table.iloc[1] = 1e6
    table.iloc[2] *= 1e30
    kept, notes = screen_new_patients(table, proteins)
    assert list(kept.index) == [f"N{i}" for i in range(3, 8)]
    assert notes_of(notes, "N0") == ["67% of the usual features are missing"]
    assert any(note.startswith("level is +") for note in notes_of(notes, "N1"))
    assert any(note.startswith("distance is +") for note in notes_of(notes, "N2"))


@pytest.mark.parametrize(
    ("change", "trait"),
    [
        (lambda x: 100 * x, "spread"),
        (lambda x: x + 1000, "level"),
        (lambda x: 2 * 2**x, "asymmetry"),
        (lambda x: -x, "profile"),
        (lambda x: x / 20, "spread"),
    ],
)
def test_values_in_other_units_are_noted_for_all_patients(
    change, trait: str, proteins: Preprocessor, caplog: pytest.LogCaptureFixture
) -> None:
    _, notes = screen_new_patients(change(new_proteins()), proteins)
    of_units = notes[notes["note"].str.contains("other units")]
    assert set(of_units["patient_id"]) == {f"N{i}" for i in range(8)}
    assert of_units["note"].str.contains(trait).all()
    assert "rppa: the values look as if they were in other units" in caplog.text


def counts(n: int, seed: int) -> pd.DataFrame:
    """Log counts of 300 genes, and of 13 that hold 10 to 40 % of the reads."""
    profile = np.random.default_rng(0).normal(5, 1.5, 300)
    rng = np.random.default_rng(seed)
    genes = rng.poisson(np.exp(profile + rng.normal(0, 0.6, (n, 300))))
    share = rng.uniform(0.1, 0.4, n)
    total = genes.sum(axis=1) * share / (1 - share)
    abundant = rng.poisson(np.tile(total[:, np.newaxis] / 13, (1, 13)))
    columns = [*(f"G{i}" for i in range(300)), *(f"MT{i}" for i in range(13))]
    values = np.log2(np.hstack([genes, abundant]) + 1).astype(np.float32)
    index = pd.Index([f"P{seed}-{i}" for i in range(n)], name="patient_id")
    return pd.DataFrame(values, index, columns)


STEPS = ("log2_counts_to_cpm", "log2_plus_one")


def test_other_genes_stay_where_abundant_ones_are_absent(caplog: pytest.LogCaptureFixture) -> None:
    """A quarter of the reads: without correction all genes rise by log2(1 / .75) on average."""
    train, new = counts(150, 1), counts(50, 2)
    fitted = Preprocessor.fit(train, config(*STEPS), train.index, modality="rnaseq", bounds=BOUNDS)
    less = new.loc[:, new.columns.str.startswith("G")]
    kept, notes = screen_new_patients(less, fitted)
    assert list(kept.index) == list(new.index)
    shift = (fitted.transform(kept) - fitted.transform(new))[less.columns]
    assert abs(shift.to_numpy().mean()) < 0.05
    held = np.exp2(train.filter(like="MT")) - 1
    share = (held.sum(axis=1) / (np.exp2(train) - 1).sum(axis=1)).mean()
    assert f"genes are absent that hold {share:.1%} of the counts" in notes["note"].iloc[0]
    assert len(notes) == 50
    assert "rnaseq: genes are absent" in caplog.text


def test_a_library_of_which_most_is_absent_is_refused_with_the_share() -> None:
    train = counts(150, 1)
    steps = (*STEPS, {"top_variance": {"n": 20}})
    fitted = Preprocessor.fit(train, config(*steps), train.index, modality="rnaseq", bounds=BOUNDS)
    with pytest.raises(ValueError, match=r"rnaseq: the table lacks genes that hold [5-9]\d% of"):
        screen_new_patients(counts(5, 2)[fitted.features], fitted)


def test_with_all_genes_nothing_is_made_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    train, new = counts(150, 1), counts(50, 2)
    fitted = Preprocessor.fit(train, config(*STEPS), train.index, modality="rnaseq", bounds=BOUNDS)
    kept, notes = screen_new_patients(new, fitted)
    assert len(kept) == 50
    assert notes.empty
    assert not caplog.text
    reads = np.exp2(new.to_numpy(np.float64)) - 1
    cpm = 1e6 * reads / reads.sum(axis=1, keepdims=True)
    truth = pd.DataFrame(np.log2(cpm + 1), new.index, new.columns)
    scaled = fitted.transform(new)
    train_reads = np.exp2(train.to_numpy(np.float64)) - 1
    of_train = np.log2(1e6 * train_reads / train_reads.sum(axis=1, keepdims=True) + 1)
    expected = (truth - of_train.mean(axis=0)) / of_train.std(axis=0)
    np.testing.assert_allclose(scaled, expected, atol=2e-3)


def test_deeper_sequencing_is_no_other_unit() -> None:
    """Three times the reads of each library are the same counts per million."""
    train, new = counts(150, 1), counts(20, 2)
    bounds = {**BOUNDS, "library_size": None}
    fitted = Preprocessor.fit(train, config(*STEPS), train.index, modality="rnaseq", bounds=bounds)
    deeper = np.log2(3 * (np.exp2(new) - 1) + 1).astype(np.float32)
    kept, notes = screen_new_patients(deeper, fitted)
    assert len(kept) == 20
    assert notes.empty
    # The logarithm to another base is one.
    _, notes = screen_new_patients(new * np.float32(np.log10(2)), fitted)
    assert notes["note"].str.contains("other units").any()


def test_notes_join_the_reasons_and_the_lost_get_rows() -> None:
    flags = pd.DataFrame(
        {
            "patient_id": ["a", "a"],
            "modality": ["rppa", "cna"],
            "status": ["observed", "generated"],
            "n_draws": [0, 4],
            "accepted": [True, True],
            "reason": ["", "sources disagree"],
        }
    )
    notes = pd.DataFrame(
        [("a", "cna", "x"), ("b", "rppa", "y"), ("b", "rppa", "z")],
        columns=["patient_id", "modality", "note"],
    )
    found = add_notes(flags, notes, ["rppa", "cna"])
    assert found[["patient_id", "modality", "status"]].to_numpy().tolist() == [
        ["a", "rppa", "observed"],
        ["b", "rppa", "impossible"],
        ["a", "cna", "generated"],
        ["b", "cna", "impossible"],
    ]
    none = "no modality of the patient can be used: no source is left"
    assert list(found["reason"]) == ["", f"{none}; y; z", "sources disagree; x", none]
    assert found["n_draws"].dtype == int
