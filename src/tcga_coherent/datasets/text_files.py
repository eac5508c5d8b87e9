"""Checks that a text file is what its name promises, before anything parses it."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import BufferedReader
from pathlib import Path

from kedro.io.core import DatasetError
from kedro.utils import find_kedro_project

GZIP_MAGIC = b"\x1f\x8b"
SEPARATORS = {".tsv": "\t", ".tab": "\t", ".txt": "\t", ".csv": ","}
# Enough to see past a byte-order mark, comments and white space.
HEAD_BYTES = 1024


def resolve_in_project(path: str) -> Path:
    """Return `path`, where relative taken from the root of the Kedro project.

    Kedro does this for catalog keys named ``filepath`` and ``path`` only; without it a notebook,
    whose working directory is not the root, would look in the wrong place.
    """
    return (find_kedro_project(Path.cwd()) or Path.cwd()) / path


def looks_like_html(head: bytes) -> bool:
    """Say whether the first bytes of a file open a web page instead of a table."""
    return bool(
        re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|!--|\?xml|html|head|body)", head, re.I)
    )


def separator(path: Path) -> str:
    """Return the separator of cells that the suffix of `path` stands for.

    Raises
    ------
    DatasetError
        When the suffix is none of ``.tsv``, ``.tab``, ``.txt`` and ``.csv``, with or without ``.gz``.
    """
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if name.suffix not in SEPARATORS:
        raise DatasetError(
            f"{path} has an unknown suffix: name the file .parquet, .tsv, .txt or .csv, the text "
            f"formats optionally followed by .gz."
        )
    return SEPARATORS[name.suffix]


def require_file(path: Path, hint: str = "") -> None:
    """Stop where `path` is absent or empty.

    Parameters
    ----------
    path
        File to look for.
    hint
        Sentence that says how to get the file or how to point at another one.

    Raises
    ------
    DatasetError
        Naming `path`, with `hint`.
    """
    if not path.is_file():
        raise DatasetError(f"{path} does not exist. {hint}".rstrip())
    if path.stat().st_size == 0:
        raise DatasetError(f"{path} is empty (0 bytes): copy or download it again.")


@contextmanager
def open_table(path: Path) -> Iterator[BufferedReader | gzip.GzipFile]:
    """Open a text table, unpacked where the name ends in ``.gz``.

    Raises
    ------
    DatasetError
        When the file is not gzip though named so, ends before its end-of-stream marker, or is a
        web page.
    """
    is_gzip = path.suffix == ".gz"
    try:
        with path.open("rb") as raw, gzip.open(raw) if is_gzip else nullcontext(raw) as table:
            head = raw.read(HEAD_BYTES)
            raw.seek(0)
            if is_gzip and not head.startswith(GZIP_MAGIC):
                what = "an HTML page" if looks_like_html(head) else "not compressed with gzip"
                raise DatasetError(
                    f"{path} is {what}, though its name ends in .gz: delete it and download it again."
                )
            if looks_like_html(table.read(HEAD_BYTES)):
                raise DatasetError(
                    f"{path} is an HTML page instead of a table: open it in a browser to see what the "
                    f"server said, delete it and download it again."
                )
            table.seek(0)
            yield table
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(
            f"{path} is truncated or damaged ({error}): delete it and copy or download it again."
        ) from error


def read_header(path: Path, delimiter: str) -> list[str]:
    """Return the names over the columns, the one over the row names included.

    A header with one name fewer than the rows have cells, as R's ``write.table`` leaves it, gets
    an empty first name.

    Raises
    ------
    DatasetError
        When there is no row below the header, only one column, or the text is not UTF-8.
    """
    with open_table(path) as file:
        first, second = file.readline(), file.readline()
    try:
        header = _split(first.decode("utf-8-sig"), delimiter)
        row = _split(second.decode("utf-8"), delimiter)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text ({error}): convert it.") from error
    if not row:
        raise DatasetError(f"{path} holds no row below its header: nothing to read.")
    if len(row) == len(header) + 1:
        header = ["", *header]
    if len(header) < 2:
        raise DatasetError(
            f"{path} has one column only: are its cells separated by {delimiter!r}, as its suffix says?"
        )
    return header


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
