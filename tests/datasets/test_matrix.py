import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.matrix import read_matrix

# Samples x features, one cell missing.
EXPECTED = pd.DataFrame(
    [[1.5, -2.0, 0.25], [np.nan, 3.0, 1e-3]],
    index=pd.Index(["s1", "s2"], name="sample"),
    columns=pd.Index(["g1", "g2", "g3"], name="feature"),
    dtype=np.float32,
)


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
