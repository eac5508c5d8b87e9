"""Time and memory of completing ever more new patients with a bundle.

    python benchmarks/completion.py --bundle BUNDLE --given IN [--patients 1000 10000] [--draws 40]
        [--scratch SCRATCH]

Patients are those of a folder of matrices, features x samples, again and again under new names, so that they lack
what those lack. What is measured is what the ``complete`` pipeline does: read the matrices, complete everybody and
write the folder of results. Each number of patients runs in a process of its own. ``peak_mb`` is its largest resident memory, ``tables_mb`` what it holds once the tables are
read and screened, ``completing_mb`` what completing and writing takes beyond that: that the last does not grow with
the number of patients is what blocks are for. Folders are deleted as soon as they are measured.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tcga_coherent.completion.bundle import SAMPLING
from tcga_coherent.datasets.bundle import read_bundle
from tcga_coherent.datasets.completion_folder import CompletionFolderDataset
from tcga_coherent.datasets.raw.new_patients import NewPatientsDataset
from tcga_coherent.pipelines.complete.nodes import complete_new_patients

PATIENTS = (1_000, 10_000)
MEGABYTE = 2**20


def write_patients(matrices: Mapping[str, pd.DataFrame], n_patients: int, folder: Path) -> None:
    """Write matrices of as many patients, repeated under new names, samples x features."""
    known = sorted(set().union(*(matrix.columns for matrix in matrices.values())))
    place = pd.Series(np.arange(len(known)), known)
    for name, matrix in matrices.items():
        here = place[matrix.columns].to_numpy()
        rounds = [here + number for number in range(0, n_patients + len(known), len(known))]
        rows = np.concatenate(rounds)
        values = np.tile(matrix.to_numpy(np.float32).T, (len(rounds), 1))[rows < n_patients]
        index = [f"P{row:07d}" for row in rows[rows < n_patients]]
        pd.DataFrame(values, index, matrix.index.astype(str)).to_parquet(folder / f"{name}.parquet")


def measure(bundle: Path, given: Path, out: Path, n_draws: int) -> dict[str, float]:
    """Complete the patients of a folder; to be called in a process that does nothing else."""
    started = time.monotonic()
    loaders = NewPatientsDataset(folder=str(given)).load()
    former = pd.DataFrame({"patient_id": []})
    models = read_bundle(bundle)
    sampling = {**models.parameters[SAMPLING], "n_draws": n_draws}
    models = replace(models, parameters={**models.parameters, SAMPLING: sampling})
    blocks = complete_new_patients(loaders, former, models, "cpu")
    screened, tables = time.monotonic(), resident("VmRSS")
    screening_peak = resident("VmHWM")
    reset_peak()
    CompletionFolderDataset(folder=str(out)).save(blocks)
    return {
        "seconds": time.monotonic() - started,
        "seconds_screening": screened - started,
        "peak_mb": max(screening_peak, resident("VmHWM")) / MEGABYTE,
        "tables_mb": tables / MEGABYTE,
        "completing_mb": (resident("VmHWM") - tables) / MEGABYTE,
        "results_mb": sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / MEGABYTE,
    }


def resident(kind: str) -> int:
    """Return the resident memory of this process, or its peak (VmHWM), in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(rf"^{kind}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024


def reset_peak() -> None:
    """Let the peak begin anew at what is resident."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def run(
    bundle: Path, source: Path, numbers: Sequence[int], n_draws: int, scratch: Path
) -> pd.DataFrame:
    """Measure each number of patients."""
    matrices = {file.stem: pd.read_parquet(file) for file in sorted(source.glob("*.parquet"))}
    rows = []
    for n_patients in numbers:
        given, out = scratch / "given", scratch / "out"
        given.mkdir(parents=True)
        write_patients(matrices, n_patients, given)
        printed = subprocess.run(
            [
                *(sys.executable, __file__, "--bundle", str(bundle), "--given", str(given)),
                *("--draws", str(n_draws), "--measure", str(out)),
            ],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        ).stdout
        rows.append(
            {"patients": n_patients, "draws": n_draws, **json.loads(printed.splitlines()[-1])}
        )
        for folder in (given, out):
            shutil.rmtree(folder)
    return pd.DataFrame(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark, or measure one number of patients."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, required=True, help="folder of a bundle")
    parser.add_argument("--given", type=Path, required=True, help="folder of <modality>.parquet")
    parser.add_argument("--draws", type=int, default=40, help="draws of each patient")
    parser.add_argument("--patients", type=int, nargs="+", default=list(PATIENTS))
    parser.add_argument(
        "--scratch", type=Path, help="folder for the patients; else a temporary one"
    )
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(options.bundle, options.given, options.measure, options.draws)))
        return
    import results

    with tempfile.TemporaryDirectory() as temporary:
        scratch = options.scratch or Path(temporary)
        table = run(options.bundle, options.given, options.patients, options.draws, scratch)
    name = f"completion_{options.draws}_draws"
    results.write_table(name, table)
    print(table.round(1).to_string(index=False))
    first, last = table.iloc[0], table.iloc[-1]
    print(f"exponent={exponent(table, 'seconds'):.2f}")
    print(f"patients_per_second={last['patients'] / last['seconds']:.1f}")
    print(f"memory_ratio={last['completing_mb'] / first['completing_mb']:.2f}")
    print(
        f"ratio={last['patients'] / first['patients'] / (last['seconds'] / first['seconds']):.2f}"
    )


def exponent(table: pd.DataFrame, column: str) -> float:
    """Return the slope of the log of a column against the log of the number of patients."""
    return float(np.polyfit(np.log(table["patients"]), np.log(table[column]), 1)[0])


if __name__ == "__main__":
    main()
