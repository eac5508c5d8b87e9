"""Seconds and memory of each node of the main job, for ever more patients.

    python benchmarks/many_patients.py [--patients 100000] [--test 1000] [--scratch SCRATCH]

The cohort is the demo's, with four modalities of 200 features each and as many patients as asked for, of whom
some are tested and as many validated. Parameters are the demo's, but features are imputed by their median:
the search for like patients compares all with all. The whole main job runs, from raw files to the report, as
``kedro run`` does, in a process and a project of its own; memory is measured as by ``full_tcga.py``.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from nodes import copy_project, run

ENVIRONMENT = "many"
FEATURES = 200


def make_project(root: Path, n_patients: int, n_test: int) -> None:
    """Make a project in `root` with an environment of many patients.

    Parameters
    ----------
    root
        Empty folder, or none.
    n_patients, n_test
        Patients of the cohort, and of its test and validation parts.
    """
    copy_project(root)
    conf = root / "conf"
    (conf / "demo").rename(conf / ENVIRONMENT)
    settings = OmegaConf.load(conf / ENVIRONMENT / "globals.yml")
    settings.environment = ENVIRONMENT
    settings.simulation.patients = n_patients
    for modality in settings.simulation.modalities.values():
        modality.features = FEATURES
    # One file a cohort instead of one a slide.
    settings.simulation.modalities.wsi.source = {"format": "xena", "kind": "methylation450"}
    OmegaConf.save(settings, conf / ENVIRONMENT / "globals.yml")
    folder = conf / ENVIRONMENT / "parameters"
    parameters = OmegaConf.load(folder / "modalities.yml")
    for modality in parameters.modalities.values():
        modality.imputer = "median"
    OmegaConf.save(parameters, folder / "modalities.yml")
    share = n_test / n_patients
    split = {"split": {"val_fraction": share, "test_fraction": share}}
    OmegaConf.save({"preprocessing": split}, folder / "preprocessing.yml")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=100_000, help="patients of the cohort")
    parser.add_argument("--test", type=int, default=1000, help="test patients among them")
    parser.add_argument(
        "--scratch", type=Path, help="folder of the project, kept; else a temporary one"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        root = options.scratch or Path(temporary)
        make_project(root, options.patients, options.test)
        table, seconds, peak = run(root, ENVIRONMENT, "__default__", {})
    # Not above: the libraries of the results are no part of what is measured.
    import results

    results.write_table("many_patients", table)
    print(table.round(2).to_string(index=False))
    print(f"seconds={seconds:.1f} peak_gib={peak:.2f}")


if __name__ == "__main__":
    main()
