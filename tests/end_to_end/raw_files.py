"""Readers of raw files that share no code with the project's."""

import h5py
import pandas as pd

from tests.end_to_end.projects import Project

XENA_KINDS = {"cna": "gene-level_absolute", "rnaseq": "star_counts", "rppa": "protein"}


def read_raw_samples(demo: Project, modality: str) -> pd.DataFrame:
    """Return all samples or slides x features of a modality of the demo."""
    raw = demo.root / "data/01_raw/demo"
    if modality == "wsi":
        slides = {}
        for path in sorted((raw / "titan").glob("*.h5")):
            with h5py.File(path) as file:
                slides[path.stem] = file["features"][:]
        frame = pd.DataFrame(slides).T
        return frame.set_axis([f"titan_{number:03d}" for number in frame.columns], axis=1)
    files = sorted((raw / "xena").glob(f"*.{XENA_KINDS[modality]}.tsv.gz"))
    return pd.concat([pd.read_csv(file, sep="\t", index_col=0).T for file in files])


def average_or_choose(samples: pd.DataFrame, modality: str) -> pd.DataFrame:
    """Return patients x features: the mean of slides, or else the first vial of the tumour.

    SKCM's tumours are metastases (06) here, all others primary ones (01).
    """
    tumours = samples[samples.index.str.slice(13, 15).isin(["01", "06"])].sort_index()
    patients = tumours.index.str.slice(0, 12)
    if modality == "wsi":
        return tumours.groupby(patients).mean()
    first = ~patients.duplicated()
    return tumours[first].set_axis(patients[first], axis=0)
