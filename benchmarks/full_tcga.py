"""Seconds and memory of each node from the raw files of full-size TCGA to latents.

    python benchmarks/full_tcga.py FOLDER [--env base] [--scratch SCRATCH]

FOLDER holds ``xena/`` and ``titan/``: the files of the hub for the 20 cohorts and a folder of slide
embeddings. Where they are not at hand, files of the same names, sizes and gaps do: 10,098 patients, 60,660
genes, 487 proteins, 768 numbers a slide.

The pipelines ingestion, preprocessing and embedding run as ``kedro run`` does, in a process and a project of
their own: configuration is copied, nothing is overwritten. The process is looked at twenty times a
second; a node's memory is the most that was resident, libraries included, between its start and its end,
which the project records itself. ``cpu_seconds`` is the processor time in between, which other work on
the machine does not stretch.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nodes import copy_project, run

PIPELINES = "ingestion,preprocessing,embedding"
FOLDERS = ("xena", "titan")


def make_project(folder: Path, root: Path) -> None:
    """Make a project in `root` that reads the raw files in `folder`.

    Raises
    ------
    SystemExit
        When `folder` has no ``xena`` or no ``titan``, or `root` holds a project already.
    """
    absent = [name for name in FOLDERS if not (folder / name).is_dir()]
    if absent:
        raise SystemExit(
            f"{folder} has no folder {' and no folder '.join(absent)}: name one that holds xena/ (the hub's "
            f"files TCGA-<cohort>.<kind>.tsv.gz of all cohorts) and titan/ (one .h5 a slide)."
        )
    copy_project(root)
    raw = root / "data" / "01_raw"
    raw.mkdir(parents=True)
    # Links to files, since the folder itself is written to.
    (raw / "xena").mkdir()
    for file in (folder / "xena").iterdir():
        (raw / "xena" / file.name).symlink_to(file.resolve())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder with xena/ and titan/")
    parser.add_argument("--env", default="base", help="environment whose parameters hold")
    parser.add_argument(
        "--scratch", type=Path, help="folder of the project, kept; else a temporary one"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        root = options.scratch or Path(temporary)
        make_project(options.folder, root)
        table, seconds, peak = run(
            root,
            options.env,
            PIPELINES,
            {"xena_base_url": "null", "titan_dir": options.folder.resolve() / "titan"},
        )
    # Not above: the libraries of the results are no part of what is measured.
    import results

    results.write_table("full_tcga", table)
    print(table.round(2).to_string(index=False))
    print(f"seconds={seconds:.1f} peak_gib={peak:.2f}")


if __name__ == "__main__":
    main()
