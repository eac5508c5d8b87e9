import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.matrix import read_matrix

# Samples x features, one cell missing.
EXPECTED = pd.DataFrame(
    [[1.5, -2.0, 0.25], [np.nan, 3.0, 1e-3]],
    index=pd.Index(["s1", "s2"], name="sample"),
    columns=pd.Index(["g1", "g2", "g3"], name="feature"),
    dtype=np.float32,
)


LABELS: dict[str, bool] = {"check_names": False}


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("orientation", ["features_by_samples", "samples_by_features"])
@pytest.mark.parametrize("name", ["m.tsv", "m.tsv.gz", "m.csv", "m.csv.gz", "m.txt", "m.parquet"])
def test_every_format_and_orientation_gives_the_same_frame(
    tmp_path: Path, name: str, orientation: str
) -> None:
    path = tmp_path / name
    stored = EXPECTED if orientation == "samples_by_features" else EXPECTED.T
    if name.endswith("parquet"):
        stored.to_parquet(path)
    else:
        stored.to_csv(path, sep="," if ".csv" in name else "\t", na_rep="NA")
    frame = read_matrix(path, orientation)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(frame, EXPECTED)


def test_a_parquet_file_without_an_index_has_its_names_in_the_first_column(tmp_path: Path) -> None:
    EXPECTED.T.reset_index().to_parquet(tmp_path / "m.parquet", index=False)
    pd.testing.assert_frame_equal(read_matrix(tmp_path / "m.parquet"), EXPECTED)


def test_a_table_as_r_and_excel_write_it_is_read(tmp_path: Path) -> None:
    # R: quoted names and no name over the first column; Excel: byte-order mark and CRLF.
    text = '\ufeff"s1"\t"s2"\r\n"g1"\t1.5\tNA\r\n"g2"\t-2\t3\r\n"g3"\t0.25\t0.001\r\n'
    pd.testing.assert_frame_equal(read_matrix(write(tmp_path / "m.tsv", text)), EXPECTED)


def test_several_gzip_members_are_read_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv.gz"
    path.write_bytes(gzip.compress(b"g\ts1\na\t1\n") + gzip.compress(b"b\t2\n"))
    assert list(read_matrix(path).columns) == ["a", "b"]


def test_text_in_a_matrix_is_named_with_file_row_and_column(tmp_path: Path) -> None:
    rows = [f"g{number}\t1\t2" for number in range(1000)]
    rows[700] = "g700\t1\tn.d."
    path = write(tmp_path / "m.tsv.gz", "\n".join(["gene\ts1\ts2", *rows, ""]))
    with pytest.raises(
        DatasetError,
        match=rf"{path} holds text instead of a number at row 'g700', column 's2': 'n\.d\.'",
    ):
        read_matrix(path)


def test_text_in_a_parquet_matrix_is_named_with_file_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    frame = EXPECTED.T.astype(str)
    frame.to_parquet(path)
    pd.testing.assert_frame_equal(read_matrix(path), EXPECTED)
    frame.loc["g2", "s2"] = "high"
    frame.to_parquet(path)
    with pytest.raises(DatasetError, match=rf"{path} holds text .* row 'g2', column 's2': 'high'"):
        read_matrix(path)


def test_a_ragged_row_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "m.tsv", "g\ts1\ts2\ng1\t1\t2\ng2\t1\n")
    with pytest.raises(DatasetError, match=rf"{path} is not a matrix: .*Expected 3 columns, got 2"):
        read_matrix(path)


def test_an_infinite_value_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", "g,s1\ng1,1\ng2,-inf\n")
    with pytest.raises(DatasetError, match="infinite value at row 'g2', column 's1'"):
        read_matrix(path)


def test_duplicate_samples_and_features_are_named(tmp_path: Path) -> None:
    samples = write(tmp_path / "samples.tsv", "g\ts1\ts2\ts1\ng1\t1\t2\t3\n")
    with pytest.raises(
        DatasetError, match=rf"{samples} holds duplicate samples in its columns: 's1'"
    ):
        read_matrix(samples)
    features = write(tmp_path / "features.tsv", "g\ts1\ng1\t1\ng2\t2\ng1\t3\n")
    with pytest.raises(
        DatasetError, match=rf"{features} holds duplicate features in its rows: 'g1'"
    ):
        read_matrix(features)
    with pytest.raises(DatasetError, match="duplicate samples in its rows: 'g1'"):
        read_matrix(features, "samples_by_features")


def test_a_nameless_row_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "m.tsv", "g\ts1\ng1\t1\n\t2\n")
    with pytest.raises(DatasetError, match=rf"{path}: row number 2 has no feature name"):
        read_matrix(path)


def test_a_truncated_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv.gz"
    lines = "".join(f"g{number}\t{number * 7919 % 1000}\n" for number in range(20000))
    path.write_bytes(gzip.compress(f"g\ts1\n{lines}".encode())[:-2000])
    with pytest.raises(DatasetError, match=rf"{path} is truncated or damaged"):
        read_matrix(path)


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    EXPECTED.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match=rf"{path} is truncated or not parquet"):
        read_matrix(path)


@pytest.mark.parametrize("name", ["m.tsv", "m.tsv.gz"])
def test_a_web_page_instead_of_a_table_is_recognised(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "\n<!DOCTYPE html>\n<html><body>Not found</body></html>\n")
    with pytest.raises(DatasetError, match=rf"{path} is an HTML page instead of a table"):
        read_matrix(path)


def test_a_web_page_saved_under_a_gzip_name_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv.gz"
    path.write_text("<html></html>")
    with pytest.raises(DatasetError, match=rf"{path} is an HTML page, though its name ends in .gz"):
        read_matrix(path)
    path.write_text("g\ts1\ng1\t1\n")
    with pytest.raises(DatasetError, match=rf"{path} is not compressed with gzip, though"):
        read_matrix(path)


def test_empty_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is empty"):
        read_matrix(write(tmp_path / "m.tsv", ""))
    with pytest.raises(DatasetError, match="no row below its header"):
        read_matrix(write(tmp_path / "m.tsv.gz", ""))
    with pytest.raises(DatasetError, match="no row below its header"):
        read_matrix(write(tmp_path / "m.tsv", "g\ts1\n"))
    EXPECTED.iloc[:0].to_parquet(tmp_path / "m.parquet")
    with pytest.raises(DatasetError, match="holds a table of 0 x 3 cells"):
        read_matrix(tmp_path / "m.parquet")


def test_a_wrong_separator_and_an_unknown_suffix_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has one column only"):
        read_matrix(write(tmp_path / "m.csv", "g\ts1\ng1\t1\n"))
    with pytest.raises(DatasetError, match="unknown suffix"):
        read_matrix(write(tmp_path / "m.xlsx", "g\ts1\ng1\t1\n"))


def test_text_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_bytes("g\tMüller\ng1\t1\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=rf"{path} is not UTF-8 text"):
        read_matrix(path)


def test_an_absent_file_is_named_with_the_hint(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"m.tsv does not exist\. Set cohort_dir\."):
        read_matrix(tmp_path / "m.tsv", hint="Set cohort_dir.")


def unnamed(table: pa.Table) -> pa.Table:
    """Forget what pandas stores beside the columns, as polars and DuckDB do."""
    return table.replace_schema_metadata(None)


def test_row_names_that_polars_moved_to_the_last_column_are_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = unnamed(pa.Table.from_pandas(EXPECTED.T.rename_axis(None)))
    assert table.column_names[-1] == "__index_level_0__"
    pq.write_table(table, tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(read_matrix(tmp_path / "m.parquet"), EXPECTED)
    assert "the names of the rows are in column '__index_level_0__'" in caplog.text


@pytest.mark.parametrize("leftover", ["rownames", "Unnamed: 0", "...1", "X", "__index_level_0__"])
def test_row_numbers_left_over_by_an_export_are_no_sample(leftover: str, tmp_path: Path) -> None:
    frame = EXPECTED.T.reset_index()
    frame.insert(0, leftover, range(1, 4))
    frame.to_parquet(tmp_path / "m.parquet", index=False)
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index=False)
    for name in ("m.parquet", "m.tsv"):
        pd.testing.assert_frame_equal(read_matrix(tmp_path / name), EXPECTED)


def test_a_feature_called_as_leftovers_are_stays(tmp_path: Path) -> None:
    frame = EXPECTED.rename(columns={"g2": "X"})
    frame.reset_index().to_parquet(tmp_path / "m.parquet", index=False)
    found = read_matrix(tmp_path / "m.parquet", "samples_by_features")
    assert list(found.columns) == ["g1", "X", "g3"]


@pytest.mark.parametrize("form", ["index", "first", "float index"])
def test_integer_names_are_texts_of_whole_numbers(form: str, tmp_path: Path) -> None:
    frame = EXPECTED.T.set_axis(pd.Index([1, 2, 9], name="entrez"), axis=0)
    if form == "first":
        frame = frame.reset_index()
    elif form == "float index":
        frame.index = frame.index.astype(float)
    frame.to_parquet(tmp_path / "m.parquet")
    found = read_matrix(tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(found, EXPECTED.set_axis(["1", "2", "9"], axis=1), **LABELS)


def test_rows_of_two_levels_are_named_by_the_one_that_tells_them_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = EXPECTED.T
    frame.index = pd.MultiIndex.from_product([["prot"], ["g1", "g2", "g3"]])
    frame.to_parquet(tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(read_matrix(tmp_path / "m.parquet"), EXPECTED)
    assert "rows are named on 2 levels: level_1 is taken, such as g1" in caplog.text
    frame.index = pd.MultiIndex.from_tuples([("g1", "a"), ("g1", "a"), ("g2", "a")])
    frame.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(DatasetError, match=r"m.parquet names its rows on 2 levels, none of which"):
        read_matrix(tmp_path / "m.parquet")


def test_columns_of_two_levels_are_refused(tmp_path: Path) -> None:
    frame = EXPECTED.T
    frame.columns = pd.MultiIndex.from_product([["a"], ["s1", "s2"]])
    frame.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(DatasetError, match=r"m.parquet names its columns on 2 levels"):
        read_matrix(tmp_path / "m.parquet")


@pytest.mark.parametrize("start", [0, 100])
def test_numbered_rows_never_lose_the_first_patient(start: int, tmp_path: Path) -> None:
    frame = EXPECTED.T.set_axis(pd.RangeIndex(start, start + 3), axis=0).fillna(7)
    frame.to_parquet(tmp_path / "m.parquet")
    if start == 0:
        with pytest.raises(DatasetError, match=r"m.parquet has no names for its rows: .*'s1'"):
            read_matrix(tmp_path / "m.parquet")
    else:
        found = read_matrix(tmp_path / "m.parquet")
        assert list(found.columns) == ["100", "101", "102"]
        assert list(found.index) == ["s1", "s2"]


@pytest.mark.parametrize("orientation", ["features_by_samples", "samples_by_features"])
def test_values_in_place_of_names_are_refused(orientation: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m.tsv", "s1\ts2\n-0.05\t1.5\n0.25\t-2.5\n")
    with pytest.raises(DatasetError, match=rf"{path} has no .* names in its rows, but numbers"):
        read_matrix(path, orientation)  # type: ignore[arg-type]


def test_a_date_in_a_matrix_is_no_number(tmp_path: Path) -> None:
    frame = EXPECTED.T.assign(s3=pd.to_datetime(["2020-01-01"] * 3))
    frame.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(DatasetError, match=r"text instead of a number.*column 's3': '2020-01-01"):
        read_matrix(tmp_path / "m.parquet")


@pytest.mark.parametrize("orientation", ["features_by_samples", "samples_by_features"])
def test_rows_that_end_in_a_separator_are_refused(orientation: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m.tsv", "x\ts1\ts2\ng1\t1\t2\t\ng2\t3\t4\t\n")
    with pytest.raises(DatasetError, match=rf"{path}: every row ends in an empty cell"):
        read_matrix(path, orientation)  # type: ignore[arg-type]


def test_a_header_of_r_stays_one_where_some_last_cells_are_empty(tmp_path: Path) -> None:
    path = write(tmp_path / "m.tsv", "s1\ts2\ng1\t1.5\t\ng2\t-2\t3\ng3\t0.25\t0.001\n")
    pd.testing.assert_frame_equal(read_matrix(path), EXPECTED)


def test_comment_lines_above_the_header_are_skipped(tmp_path: Path) -> None:
    path = write(tmp_path / "m.tsv", "# made by me\n#1.2\ngene\ts1\na\t1\n")
    assert read_matrix(path).loc["s1"].to_dict() == {"a": 1}
    path = write(tmp_path / "m.tsv", "#gene\ts1\ts2\na\t1\t2\n")
    assert read_matrix(path).to_numpy().tolist() == [[1], [2]]


def test_annotation_columns_are_no_samples(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = EXPECTED.T.reset_index(names="Hugo_Symbol")
    frame.insert(1, "Entrez_Gene_Id", [1, 2, 9])
    frame.insert(2, "gene_type", "protein_coding")
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index=False)
    frame.to_parquet(tmp_path / "m.parquet", index=False)
    for name in ("m.tsv", "m.parquet"):
        caplog.clear()
        pd.testing.assert_frame_equal(read_matrix(tmp_path / name), EXPECTED)
        assert "Entrez_Gene_Id, gene_type describe features and are no samples" in caplog.text


def test_a_file_of_one_sample_of_gdc_is_refused(tmp_path: Path) -> None:
    names = "gene_id gene_name gene_type unstranded stranded_first stranded_second tpm_unstranded"
    text = "# gene-model: GENCODE v36\n" + "\t".join(names.split()) + "\n"
    text += "N_unmapped\t\t\t10\t1\t2\t\nENSG1\tA\tprotein_coding\t1\t2\t3\t4.5\n"
    with pytest.raises(DatasetError, match=r"file of one sample.*column unstranded of all samples"):
        read_matrix(write(tmp_path / "m.tsv", text))


def test_line_ends_of_old_macs_and_doubly_compressed_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"m.tsv has the line ends of old Macs"):
        read_matrix(write(tmp_path / "m.tsv", "g\ts1\rg1\t1\r"))
    twice = tmp_path / "m.tsv.gz"
    twice.write_bytes(gzip.compress(gzip.compress(b"g\ts1\ng1\t1\n")))
    with pytest.raises(DatasetError, match=r"m.tsv.gz is compressed twice"):
        read_matrix(twice)


def test_a_header_name_of_two_lines_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "m.tsv", 'g\t"s\n1"\ts2\na\t1\t2\n')
    assert read_matrix(path).to_numpy().tolist() == [[1], [2]]


def test_a_file_that_is_probably_meant_is_named(tmp_path: Path) -> None:
    (tmp_path / "RNASEQ.parquet").write_bytes(b"x")
    with pytest.raises(DatasetError, match=r"does not exist, but RNASEQ.parquet lies there"):
        read_matrix(tmp_path / "rnaseq.parquet", hint="Set it.")


@pytest.mark.parametrize(
    "kind", ["category", "float16", "Float32", "text", "category of text", "decimal"]
)
def test_numbers_of_every_type_of_parquet_are_read(kind: str, tmp_path: Path) -> None:
    frame = EXPECTED.T.round(2)
    expected = EXPECTED.round(2)
    if kind == "text":
        stored = frame.astype(str)
    elif kind == "category of text":
        stored = frame.astype(str).astype("category")
    elif kind == "decimal":
        stored = frame.apply(
            lambda cells: cells.map(lambda v: None if np.isnan(v) else Decimal(f"{v:.2f}"))
        )
    elif kind == "float16":
        expected, stored = expected.astype(np.float16).astype(np.float32), frame.astype(kind)
    else:
        stored = frame.astype(kind)  # type: ignore[call-overload]
    stored.to_parquet(tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(read_matrix(tmp_path / "m.parquet"), expected)
