"""Clinical tables of different origin brought to one form.

The columns are ``cancer_type``; ``stage``, the AJCC pathologic stage I to IV; ``os_event``, 1 for a
death and 0 for a censored patient; ``os_days``, overall survival or follow-up in days; ``age`` in
years; ``sex``, female or male.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from tcga_coherent.omics.barcodes import EXAMPLES, parse_barcodes

logger = logging.getLogger(__name__)

STAGES = ("I", "II", "III", "IV")
# "Stage IIIA", "iv", "Stage IS" (testis), "Stage IA2", "Stage IIB NOS"; arabic numerals too.
STAGE_PATTERN = r"^(?:STAGE)?\s*(IV|I{1,3}|[1-4])(?:S|[A-D][0-9]?)?\s*(?:NOS)?$"
# Said of a patient whose stage nobody knows, or who has none of the four.
NO_STAGE_PATTERN = (
    r"^(?:STAGE)?\s*(?:0[A-Z]*|TIS|X|I/II NOS)$|"
    r"^\[?(?:NOT |UNKNOWN|DISCREPANCY|N/?A|NAN|NONE|--)"
)
OLDEST_AGE = 120.0

# A cleaned column, and what is wrong with which of its values as found.
Cleaned = tuple[pd.Series, dict[str, pd.Series]]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ClinicalColumns:
    """Names of the columns in the raw clinical table; None where it has no such column."""

    cancer_type: str = "cancer_type"
    stage: str | None = "ajcc_pathologic_stage.diagnoses"
    os_event: str | None = "OS"
    os_days: str | None = "OS.time"
    age: str | None = "age_at_index.demographic"
    sex: str | None = "gender.demographic"


def harmonise_clinical(
    raw: pd.DataFrame, columns: ClinicalColumns, scheme: Literal["tcga", "plain"] = "tcga"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring a clinical table to one row a patient and one form.

    Of several samples of a patient the first value that is there counts, column by column.

    Parameters
    ----------
    raw
        Index sample or patient barcode, columns as found.
    columns
        Which columns hold what.
    scheme
        How barcodes name patients, see :mod:`tcga_coherent.omics.barcodes`.

    Returns
    -------
    clinical : pandas.DataFrame
        Index ``patient_id``, sorted; ``cancer_type``, ``stage``, ``os_event``, ``os_days``, ``age``
        and ``sex``, as described above.
    report : pandas.DataFrame
        ``column``, ``problem``, ``n`` and ``examples``: values missing, and values that were set to
        missing because they cannot be used.

    Raises
    ------
    ValueError
        When a column is absent, a patient has two cancer types, or none has one.
    """
    names = asdict(columns)
    for key, name in names.items():
        if name is not None and name not in raw.columns:
            raise ValueError(
                f"The clinical table has no column {name!r}, which ingestion.clinical_columns.{key} "
                f"names; it has {', '.join(map(str, raw.columns[:20]))}. Correct the parameter"
                f"{'' if key == 'cancer_type' else ', or set it to null'}."
            )
    patient_of = parse_barcodes(raw.index, scheme)["patient"].to_numpy()
    _check_cancer_types(raw[columns.cancer_type], patient_of)
    wanted = raw[list(dict.fromkeys(name for name in names.values() if name is not None))]
    patients = wanted.groupby(patient_of).first().rename_axis("patient_id")

    clinical = pd.DataFrame(index=patients.index)
    report = []
    for key, clean in CLEANERS.items():
        name = names[key]
        found = patients[name] if name else pd.Series(None, index=patients.index, dtype=object)
        clinical[key], problems = clean(found)
        report.append((key, "missing", int(found.isna().sum()), ""))
        for problem, bad in problems.items():
            examples = ", ".join(map(str, found[bad].unique()[:EXAMPLES]))
            report.append((key, f"{problem}, set to missing", int(bad.sum()), examples))
    table = pd.DataFrame(report, columns=["column", "problem", "n", "examples"])
    table = table[table["n"] > 0].reset_index(drop=True)
    for column, problem, n, examples in table.itertuples(index=False, name=None):
        if problem != "missing":
            logger.warning("clinical %s: %d values %s (%s)", column, n, problem, examples)
    return clinical[clinical["cancer_type"].notna()], table


def reduce_stage(stages: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Reduce AJCC stages to I, II, III and IV.

    Stage 0, X and I/II NOS are none of the four and become missing, as do the many ways of saying
    that a stage is not known.

    Parameters
    ----------
    stages
        Stages as found, such as ``Stage IIIA``.

    Returns
    -------
    reduced : pandas.Series
        I, II, III, IV or None.
    unread : pandas.Series
        Boolean: texts that are no stage and no known way of saying that there is none.
    """
    text = stages.astype("string").str.strip().str.upper()
    numeral = text.str.extract(STAGE_PATTERN, expand=False)
    numeral = numeral.replace({str(number): name for number, name in enumerate(STAGES, start=1)})
    says_none = text.str.contains(NO_STAGE_PATTERN).fillna(True) | (text == "").fillna(True)
    unread = numeral.isna() & ~says_none.astype(bool)
    return _as_text(numeral), unread.astype(bool)


def _clean_stage(found: pd.Series) -> Cleaned:
    stage, unread = reduce_stage(found)
    return stage, {"not an AJCC stage": unread}


def _clean_event(found: pd.Series) -> Cleaned:
    event = pd.to_numeric(found, errors="coerce").astype(float)
    bad = found.notna() & ~event.isin([0.0, 1.0])
    return event.mask(bad), {"neither 0 nor 1": bad}


def _clean_days(found: pd.Series) -> Cleaned:
    days = pd.to_numeric(found, errors="coerce").astype(float)
    negative = days < 0
    return days.mask(negative), {
        "not a number": found.notna() & days.isna(),
        "negative survival time": negative,
    }


def _clean_age(found: pd.Series) -> Cleaned:
    age = pd.to_numeric(found, errors="coerce").astype(float)
    outside = (age < 0) | (age > OLDEST_AGE)
    return age.mask(outside), {
        "not a number": found.notna() & age.isna(),
        f"outside 0 to {OLDEST_AGE:g} years": outside,
    }


def _clean_sex(found: pd.Series) -> Cleaned:
    text = found.astype("string").str.strip().str.lower()
    known = text.isin(["female", "male"])
    return _as_text(text.where(known)), {"neither female nor male": found.notna() & ~known}


def _as_text(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), None)


CLEANERS: dict[str, Callable[[pd.Series], Cleaned]] = {
    "cancer_type": lambda found: (_as_text(found), {}),
    "stage": _clean_stage,
    "os_event": _clean_event,
    "os_days": _clean_days,
    "age": _clean_age,
    "sex": _clean_sex,
}


def _check_cancer_types(cancer_types: pd.Series, patient_of: np.ndarray) -> None:
    different = cancer_types.groupby(patient_of).nunique()
    if (different > 1).any():
        patient = different.index[different > 1][0]
        found = sorted(cancer_types[patient_of == patient].dropna().unique())
        raise ValueError(
            f"Patient {patient} has the cancer types {', '.join(found)} in the clinical table: keep one."
        )
    if not different.any():
        raise ValueError(
            "No patient has a cancer type in the clinical table: fill the column that "
            "ingestion.clinical_columns.cancer_type names."
        )
