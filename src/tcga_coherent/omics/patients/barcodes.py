"""The one rule that turns raw barcodes into patients.

A TCGA barcode starts with the patient, ``TCGA-OR-A5J1``, followed in samples by sample type and
vial, ``-01A``, and in slides by portion and slide, ``-01Z-00-DX1``. Of a patient's samples

1. normal and control samples (types 10 to 29) are dropped;
2. the primary tumour (01) is kept, and for the cancer types in ``metastatic_types`` the metastasis
   (06) where there is no primary tumour; other types are dropped;
3. of several vials or aliquots the first in alphabetical order is kept; several slides are all
   kept, to be averaged.

A barcode that is a patient's already stands for the primary tumour.

Programs change names: R writes dots for dashes, spreadsheets blanks, others lower case. Barcodes are read
in spite of it, and `match_spellings` finds names that differ in nothing else.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

PRIMARY = "01"
METASTASIS = "06"
PATTERN = re.compile(
    r"^\s*(?P<patient>TCGA[-._][A-Z0-9]{2}[-._][A-Z0-9]{4})"
    r"(?:[-._](?P<sample_type>\d{2})[A-Z]?(?P<rest>[-._].*)?)?\s*$",
    re.IGNORECASE,
)
SLIDE_PATTERN = re.compile(r"^[-._]\d{2}[-._](?:DX|TS|BS|MS)", re.IGNORECASE)
NORMAL = "[12]"
EXAMPLES = 3

CORRECTED = "read in spite of dots, lower case or blanks in their names"
REPORT_COLUMNS = ("reason", "n", "examples")


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class BarcodeRule:
    """How raw barcodes become patients.

    Attributes
    ----------
    scheme
        ``tcga``, or ``plain`` for a cohort whose samples are named by their patients.
    metastatic_types
        Cancer types of which a metastasis is accepted where there is no primary tumour.
    unknown_patients
        What to do with patients that the clinical table does not have: ``error`` or ``drop``.
    """

    scheme: Literal["tcga", "plain"] = "tcga"
    metastatic_types: tuple[str, ...] = ("SKCM",)
    unknown_patients: Literal["error", "drop"] = "error"


def parse_barcodes(barcodes: pd.Index, scheme: Literal["tcga", "plain"]) -> pd.DataFrame:
    """Split barcodes into their parts.

    Parameters
    ----------
    barcodes
        Patient, sample, aliquot or slide barcodes.
    scheme
        ``plain`` takes each barcode for a patient.

    Returns
    -------
    pandas.DataFrame
        Index `barcodes`; ``patient``, ``sample_type`` (two digits, empty for a patient barcode)
        and ``is_slide``.

    Raises
    ------
    ValueError
        When a barcode is not TCGA's, with examples.
    """
    parts = split_barcodes(barcodes, scheme)
    bad = parts.index[parts["patient"].isna()]
    if len(bad):
        raise ValueError(
            f"{len(bad)} of {len(parts)} sample names are not TCGA barcodes, such as {_examples(bad)}: "
            f"correct them, transpose the matrix (`orientation` in the catalog) if they are features, or "
            f"set ingestion.barcodes.scheme to plain if they are patients of another cohort."
        )
    return parts


def split_barcodes(barcodes: pd.Index, scheme: Literal["tcga", "plain"]) -> pd.DataFrame:
    """Split barcodes as `parse_barcodes` does; a name that is no barcode has no ``patient``."""
    names = pd.Series(barcodes.astype(str), index=barcodes)
    if scheme == "plain":
        return pd.DataFrame({"patient": names.str.strip(), "sample_type": "", "is_slide": False})
    parts = names.str.extract(PATTERN)
    return pd.DataFrame(
        {
            "patient": parts["patient"].str.upper().str.replace("[._]", "-", regex=True),
            "sample_type": parts["sample_type"].fillna(""),
            "is_slide": parts["rest"].fillna("").str.match(SLIDE_PATTERN),
        }
    )


def match_spellings(names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Find names of different files that programs made of one.

    Two names are one where they differ in case, in dashes, dots, underscores or blanks, or, of a number, in
    leading zeros and the X that R puts before it; unless one file has both.

    Parameters
    ----------
    names
        File or modality to the patients it names.

    Returns
    -------
    dict
        Each name that is written differently elsewhere to how it is written first.
    """
    first: dict[str, str] = {}
    distinct: set[str] = set()
    for own in names.values():
        here: dict[str, str] = {}
        for name in own:
            key = _spelling_key(name)
            if here.setdefault(key, name) != name:
                distinct.add(key)
            first.setdefault(key, name)
    return {
        name: first[key]
        for own in names.values()
        for name in own
        if (key := _spelling_key(name)) not in distinct and first[key] != name
    }


def _spelling_key(name: str) -> str:
    key = re.sub(r"[\s._-]+", "-", name.strip().lower())
    return re.sub(r"^x?0*(?=\d+$)", "", key)


def assign_patients(
    barcodes: pd.Index, cancer_types: pd.Series, rule: BarcodeRule
) -> tuple[pd.Series, pd.DataFrame]:
    """Choose the samples that stand for their patients.

    Parameters
    ----------
    barcodes
        Unique raw barcodes of one modality.
    cancer_types
        Cancer type of every patient, index patient.
    rule
        See :class:`BarcodeRule`.

    Returns
    -------
    patients : pandas.Series
        Patient of every sample kept, index barcode. Only slides repeat a patient.
    dropped : pandas.DataFrame
        ``reason``, ``n`` and ``examples`` of the samples dropped, and of those whose barcode was corrected.

    Raises
    ------
    ValueError
        When a barcode is not TCGA's, or a patient has no cancer type; with examples.
    """
    samples = parse_barcodes(barcodes, rule.scheme).sort_index()
    patient, sample_type = samples["patient"], samples["sample_type"]
    cancer_type = patient.map(cancer_types)
    is_primary = sample_type.isin(["", PRIMARY])
    is_metastasis = sample_type == METASTASIS
    has_primary = patient.isin(patient[is_primary])

    reason = pd.Series("", index=samples.index)
    reason[~is_primary] = "sample type " + sample_type + " is not a primary tumour"
    reason[sample_type.str.match(NORMAL)] = "normal or control sample"
    reason[is_metastasis & ~cancer_type.isin(rule.metastatic_types)] = (
        "metastasis of a cancer type of which only primary tumours are taken"
    )
    accepted = is_metastasis & cancer_type.isin(rule.metastatic_types)
    reason[accepted] = np.where(has_primary[accepted], "metastasis beside a primary tumour", "")

    unknown = (reason == "") & cancer_type.isna()
    if unknown.any() and rule.unknown_patients == "error":
        absent = pd.Index(patient[unknown].unique())
        raise ValueError(
            f"{len(absent)} patients have no cancer type in the clinical table, such as "
            f"{_examples(absent)}: add them to it, or set ingestion.barcodes.unknown_patients to drop."
        )
    reason[unknown] = "patient without a cancer type in the clinical table"

    # Samples are in alphabetical order, a patient barcode before its samples.
    single = samples[(reason == "") & ~samples["is_slide"]]
    reason[single.index[single["patient"].duplicated()]] = "later vial or aliquot of a patient"

    dropped = reason[reason != ""]
    lines = [
        (why, len(group), _examples(group.index))
        for why, group in dropped.groupby(dropped, sort=True)
    ]
    # A barcode begins with its patient, unless it was written otherwise.
    written = pd.Series(samples.index.astype(str), index=samples.index)
    corrected = [
        name
        for name, own in zip(written, patient, strict=True)
        if not name.startswith(own) or name != name.strip()
    ]
    if corrected:
        lines.append((CORRECTED, len(corrected), ", ".join(corrected[:EXAMPLES])))
    report = pd.DataFrame(lines, columns=list(REPORT_COLUMNS))
    return patient[reason == ""], report


def _examples(names: pd.Index) -> str:
    return ", ".join(map(str, names[:EXAMPLES]))
