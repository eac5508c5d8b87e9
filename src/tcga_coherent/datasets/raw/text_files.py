"""Checks that a text file is what its name promises, before anything parses it."""

import csv
import gzip
import io
import logging
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path

from kedro.io.core import DatasetError
from kedro.utils import find_kedro_project

logger = logging.getLogger(__name__)

GZIP_MAGIC = b"\x1f\x8b"
SEPARATORS = {".tsv": "\t", ".tab": "\t", ".txt": "\t", ".csv": ","}
# Enough to see past a byte-order mark, comments and white space.
HEAD_BYTES = 1024
# Enough to tell names from numbers by more than one cell.
HEAD_ROWS = 20


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
    if path.is_dir():
        raise DatasetError(
            f"{path} is a folder, not a file: join the parts in it into one file, or name one of them."
        )
    if not path.is_file():
        raise DatasetError(f"{path} does not exist{_name_similar(path)}. {hint}".rstrip())
    if path.stat().st_size == 0:
        raise DatasetError(f"{path} is empty (0 bytes): copy or download it again.")


def _name_similar(path: Path) -> str:
    """Name a file that is probably meant: of another case, or of another suffix."""
    if not path.parent.is_dir():
        return ""
    stem = path.name.lower().split(".")[0]
    others = sorted(
        other.name
        for other in path.parent.iterdir()
        if other.is_file() and other.name.lower().split(".")[0] == stem
    )
    return f", but {others[0]} lies there: rename it, or name it in the catalog" if others else ""


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
            first = table.read(HEAD_BYTES)
            if is_gzip and first.startswith(GZIP_MAGIC):
                raise DatasetError(f"{path} is compressed twice: unpack it once.")
            if looks_like_html(first):
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


@dataclass(frozen=True)
class Head:
    """The first lines of a text table.

    Attributes
    ----------
    names
        Names over the columns, the one over the row names included.
    rows
        Cells of the first rows below.
    lines
        Lines that header and comments above it take.
    """

    names: list[str]
    rows: list[list[str]]
    lines: int


def read_head(path: Path, delimiter: str) -> Head:
    """Read the names over the columns and the first rows.

    Lines above the header that begin with ``#`` are comments. A header with one name fewer than the
    rows have cells, as R's ``write.table`` leaves it, gets an empty first name.

    Raises
    ------
    DatasetError
        When there is no row below the header, only one column, the text is not UTF-8, lines end as on
        old Macs, or every row ends in a separator that the header lacks.
    """
    with open_table(path) as file:
        _refuse_old_line_ends(path, file)
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        try:
            head = _read_head(path, delimiter, text)
        except UnicodeDecodeError as error:
            raise DatasetError(f"{path} is not UTF-8 text ({error}): convert it.") from error
        except csv.Error as error:
            raise DatasetError(f"{path} is not a table ({error}): copy it again.") from error
        finally:
            text.detach()
    if len(head.names) < 2:
        raise DatasetError(
            f"{path} has one column only: are its cells separated by {delimiter!r}, as its suffix says?"
        )
    return head


def _read_head(path: Path, delimiter: str, text: io.TextIOWrapper) -> Head:
    reader = csv.reader(text, delimiter=delimiter)
    comments: list[list[str]] = []
    lines_above, names = 0, next(reader, [])
    while names and names[0].startswith("#"):
        comments.append(names)
        lines_above, names = reader.line_num, next(reader, [])
    # "#id<tab>sample<tab>..." is a header, unless more such lines surround it.
    if len(comments) == 1 and len(comments[0]) > 1 and len(comments[0]) == len(names):
        rows, names, lines_above, comments = [names], comments[0], 0, []
        lines = 1
    else:
        rows, lines = [], reader.line_num
    if comments:
        logger.info("%s: %d comment line(s) above the header skipped", path, lines_above)
    rows += [row for row in islice(reader, HEAD_ROWS) if row]
    if not rows:
        raise DatasetError(f"{path} holds no row below its header: nothing to read.")
    if len(rows[0]) == len(names) + 1:
        if all(row[-1] == "" for row in chain(rows, reader) if row):
            raise DatasetError(
                f"{path}: every row ends in an empty cell, so that rows have one cell more than the "
                f"header has names: delete the separators at the ends of the rows."
            )
        names = ["", *names]
    return Head(names, rows, lines)


def _refuse_old_line_ends(path: Path, file: BufferedReader | gzip.GzipFile) -> None:
    line = file.readline()
    file.seek(0)
    if b"\r" in line.rstrip(b"\r\n") and b'"' not in line:
        raise DatasetError(
            f"{path} has the line ends of old Macs (carriage return alone): save it with Unix or Windows "
            f"line ends."
        )
