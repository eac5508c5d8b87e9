"""Memory of reading parquet files of ever more columns: the project's reader beside pandas'.

    python benchmarks/wide_parquet.py [--max-columns 40000]

Every file holds 24 rows of float32. One thread reads, as on a machine of many users: with several,
pandas' reader needs less by chance. Each reading is measured in a process of its own; ``working_mb`` is
its peak beyond what the process held before. The exponent is that of memory against columns in the
upper half of the widths: 1 where memory grows in proportion to the values.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tcga_coherent.datasets.raw.parquet_table import read_parquet_table

ROWS = 24
WIDTHS = (2_500, 5_000, 10_000, 20_000, 40_000, 80_000)
READERS = {"project": read_parquet_table, "pandas": pd.read_parquet}
MEGABYTE = 2**20


def write_file(path: Path, columns: int) -> None:
    """Write a table of 24 patients x `columns` features."""
    values = np.random.default_rng(0).standard_normal((ROWS, columns), dtype=np.float32)
    pd.DataFrame(values, index=[f"P{row}" for row in range(ROWS)]).add_prefix(
        "feature_"
    ).to_parquet(path)


def measure(path: Path, reader: str) -> float:
    """Return the megabytes that reading takes; to be called in a process that does nothing else."""
    before = peak_resident()
    READERS[reader](path)
    return (peak_resident() - before) / MEGABYTE


def peak_resident() -> int:
    """Return the largest resident memory of this process so far, in bytes.

    The peak that ``getrusage`` gives begins with that of the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024


def run(widths: list[int]) -> pd.DataFrame:
    """Measure all widths with both readers: columns, reader and working_mb."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for columns in widths:
            path = Path(folder) / f"{columns}.parquet"
            write_file(path, columns)
            for reader in READERS:
                command = [sys.executable, __file__, "--measure", str(path), "--reader", reader]
                printed = subprocess.run(
                    command,
                    check=True,
                    capture_output=True,
                    text=True,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                ).stdout
                rows.append((columns, reader, json.loads(printed)))
            path.unlink()
    return pd.DataFrame(rows, columns=["columns", "reader", "working_mb"])


def exponents(table: pd.DataFrame) -> pd.Series:
    """Return, by reader, the slope of log memory against log columns in the upper half of widths."""
    wide = table[table["columns"] >= table["columns"].median()]
    return pd.Series(
        {
            reader: np.polyfit(np.log(rows["columns"]), np.log(rows["working_mb"]), 1)[0]
            for reader, rows in wide.groupby("reader")
        }
    )


def ratio(table: pd.DataFrame) -> float:
    """Return how many times the memory of the project's reader pandas takes, for the widest file."""
    widest = table[table["columns"] == table["columns"].max()].set_index("reader")["working_mb"]
    return float(widest["pandas"] / widest["project"])


def main() -> None:
    """Run the benchmark, or measure one reading."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-columns", type=int, default=40_000, help="columns at most")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--reader", choices=list(READERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.reader)))
        return
    # Not above: a process that measures has no use for torch.
    import results

    table = run([width for width in WIDTHS if width <= arguments.max_columns])
    results.write_table("wide_parquet", table)
    print(table.pivot_table(index="columns", columns="reader", values="working_mb").round(1))
    for reader, exponent in exponents(table).items():
        print(f"exponent_{reader}={exponent:.2f}")
    print(f"ratio={ratio(table):.1f}")


if __name__ == "__main__":
    main()
