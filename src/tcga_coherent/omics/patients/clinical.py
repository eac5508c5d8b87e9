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

from tcga_coherent.omics.patients.barcodes import EXAMPLES, parse_barcodes

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
DAYS_PER_YEAR = 365.25
LONGEST_SURVIVAL = 100 * DAYS_PER_YEAR
# Of fewer patients nobody can tell that survival is not in days.
ENOUGH_TIMES = 20

# Ways of leaving a cell empty, in text and parquet alike.
MISSING_TEXTS = {"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "--", "'--"}
EVENT_WORDS = {
    **dict.fromkeys(("alive", "living", "0:living", "censored", "false", "no"), 0.0),
    **dict.fromkeys(("dead", "deceased", "1:deceased", "died", "true", "yes"), 1.0),
}
PROJECT_PREFIX = r"^TCGA-(?=[A-Z]{2,4}$)"

LOST = ", set to missing"

# A cleaned column, and what was found in which of its values.
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

    Of several samples of a patient the first value that is there counts, column by column; where they
    differ, the report says so.

    Parameters
    ----------
    raw
        Index sample or patient barcode, columns as found.
    columns
        Which columns hold what.
    scheme
        How barcodes name patients, see :mod:`tcga_coherent.omics.patients.barcodes`.

    Returns
    -------
    clinical : pandas.DataFrame
        Index ``patient_id``, sorted; ``cancer_type``, ``stage``, ``os_event``, ``os_days``, ``age``
        and ``sex``, as described above.
    report : pandas.DataFrame
        ``column``, ``problem``, ``n`` and ``examples``: values missing, values that were set to missing
        because they cannot be used, and values that were read as something else than they say.

    Raises
    ------
    ValueError
        When a column is absent, a patient has two cancer types, none has one, deaths are coded as 1
        and 2, or the names of patients are not understood.
    """
    names = asdict(columns)
    for key, name in names.items():
        if name is not None and name not in raw.columns:
            raise ValueError(
                f"The clinical table has no column {name!r}, which ingestion.clinical_columns.{key} "
                f"names; it has {', '.join(map(str, raw.columns[:20]))}. Correct the parameter"
                f"{'' if key == 'cancer_type' else ', or set it to null'}."
            )
    try:
        patient_of = parse_barcodes(raw.index, scheme)["patient"].to_numpy()
    except ValueError as error:
        raise ValueError(
            f"The clinical table: {error} Another column of it that names patients can be chosen with "
            f"`id_column` of the catalog entry raw_clinical."
        ) from error
    wanted = raw[list(dict.fromkeys(name for name in names.values() if name is not None))]
    wanted = wanted.assign(**{name: _empty_missing(wanted[name]) for name in wanted.columns})
    report = []
    types, respelt = clean_cancer_types(wanted[columns.cancer_type])
    for problem, changed in respelt.items():
        found = wanted.loc[changed.to_numpy(), columns.cancer_type]
        n_patients = len(np.unique(patient_of[changed.to_numpy()]))
        report.append(("cancer_type", problem, n_patients, _examples(found)))
    wanted = wanted.assign(**{columns.cancer_type: types})
    _check_cancer_types(types, patient_of)
    by_patient = wanted.groupby(patient_of)
    patients = by_patient.first().rename_axis("patient_id")
    several = by_patient.nunique().gt(1)

    clinical = pd.DataFrame(index=patients.index)
    for key, clean in CLEANERS.items():
        name = names[key]
        found = patients[name] if name else pd.Series(None, index=patients.index, dtype=object)
        clinical[key], problems = clean(found)
        report.append((key, "missing", int(found.isna().sum()), ""))
        if name:
            differ = several.index[several[name]]
            what = "patients with several values, the first taken"
            report.append((key, what, len(differ), ", ".join(differ[:EXAMPLES])))
        for problem, concerned in problems.items():
            report.append((key, problem, int(concerned.sum()), _examples(found[concerned])))
    untimed = clinical["os_event"].eq(0) & clinical["os_days"].isna()
    if untimed.any() and untimed.sum() == clinical["os_event"].eq(0).sum() and names["os_days"]:
        what = "missing for all who are alive: it must hold their days to last follow-up"
        report.append(
            ("os_days", what, int(untimed.sum()), ", ".join(untimed.index[untimed][:EXAMPLES]))
        )
    table = pd.DataFrame(report, columns=["column", "problem", "n", "examples"])
    table = table[table["n"] > 0].reset_index(drop=True)
    for column, problem, n, examples in table.itertuples(index=False, name=None):
        if problem != "missing":
            logger.warning("clinical %s: %d values %s (%s)", column, n, problem, examples)
    return clinical[clinical["cancer_type"].notna()], table


def clean_columns(found: pd.DataFrame) -> pd.DataFrame:
    """Bring columns called as those of a harmonised table to its form; the log names values that cannot be used.

    Parameters
    ----------
    found
        Patients x some of its columns.
    """
    cleaned = {}
    for name in found:
        values = _empty_missing(found[name])
        if name == "cancer_type":
            values = clean_cancer_types(values)[0]
        cleaned[name], problems = CLEANERS[str(name)](values)
        for problem, concerned in problems.items():
            if concerned.any():
                logger.warning(
                    "clinical %s: %d values %s (%s)",
                    name,
                    concerned.sum(),
                    problem,
                    _examples(found[name][concerned]),
                )
    return pd.DataFrame(cleaned, index=found.index)


def cancer_types_of(clinical: pd.DataFrame) -> pd.Series:
    """Return the cancer type of every patient of a harmonised clinical table.

    Raises
    ------
    ValueError
        When the table has no such column.
    """
    if "cancer_type" not in clinical:
        raise ValueError(
            f"The table `clinical` has no column 'cancer_type'; it has {', '.join(clinical.columns)}. Run "
            f"the ingestion pipeline again."
        )
    return clinical["cancer_type"]


def clean_cancer_types(found: pd.Series) -> tuple[pd.Series, dict[str, pd.Series]]:
    """Give every cancer type one spelling.

    Blanks at both ends and GDC's prefix ``TCGA-`` of a project go; of spellings that differ by case the
    most frequent one stays.

    Parameters
    ----------
    found
        Cancer types as found.

    Returns
    -------
    types : pandas.Series
        Texts or None.
    changed : dict
        What was done, to which values (boolean).
    """
    text = found.astype("string")
    bare = text.str.strip()
    short = bare.str.replace(PROJECT_PREFIX, "", regex=True)
    # value_counts puts the most frequent spelling first, and it is the one that stays.
    spelling = short.value_counts().index.to_series()
    spelling = spelling.groupby(spelling.str.casefold(), sort=False).first()
    types = short.str.casefold().map(spelling).astype("string")
    return _as_text(types), {
        "read without the prefix TCGA- of a project": (short != bare).fillna(False).astype(bool),
        "spelt in several ways, read as the most frequent one": ((types != short) | (bare != text))
        .fillna(False)
        .astype(bool),
    }


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
    # A number beside empty cells becomes 2.0.
    text = stages.astype("string").str.strip().str.upper().str.replace(r"\.0$", "", regex=True)
    numeral = text.str.extract(STAGE_PATTERN, expand=False)
    numeral = numeral.replace({str(number): name for number, name in enumerate(STAGES, start=1)})
    says_none = text.str.contains(NO_STAGE_PATTERN).fillna(True) | (text == "").fillna(True)
    unread = numeral.isna() & ~says_none.astype(bool)
    return _as_text(numeral), unread.astype(bool)


def _clean_stage(found: pd.Series) -> Cleaned:
    stage, unread = reduce_stage(found)
    return stage, {"not an AJCC stage" + LOST: unread}


def _clean_event(found: pd.Series) -> Cleaned:
    number = pd.to_numeric(found, errors="coerce").astype(float)
    words = found.astype("string").str.strip().str.lower().map(EVENT_WORDS).astype(float)
    words = words.mask(number.notna())
    seen = set(number.dropna())
    if seen == {1.0, 2.0}:
        raise ValueError(
            f"The clinical column {found.name!r}, which ingestion.clinical_columns.os_event names, holds 1 "
            f"({int((number == 1).sum())} patients) and 2 ({int((number == 2).sum())}), but 0 must say "
            f"censored and 1 dead. Recode it: where 1 is censored and 2 dead, as in R's survival package, "
            f"subtract 1."
        )
    event = number.fillna(words)
    bad = found.notna() & ~event.isin([0.0, 1.0])
    return event.mask(bad), {
        "words for dead and alive, read as 1 and 0": words.notna(),
        "neither 0 nor 1" + LOST: bad,
    }


def _clean_days(found: pd.Series) -> Cleaned:
    days = pd.to_numeric(found, errors="coerce").astype(float)
    negative, endless = days < 0, days > LONGEST_SURVIVAL
    usable = days.mask(negative | endless)
    short = bool(usable.count() >= ENOUGH_TIMES and usable.quantile(0.95) < DAYS_PER_YEAR)
    return usable, {
        "not a number" + LOST: found.notna() & days.isna(),
        "negative survival time" + LOST: negative,
        "survival time of more than 100 years" + LOST: endless,
        "nearly all below a year: are they months or years, where days are needed?": usable.notna()
        & short,
    }


def _clean_age(found: pd.Series) -> Cleaned:
    age = pd.to_numeric(found, errors="coerce").astype(float)
    # No age in years is above 1,000, and few in days are below.
    in_days = age.notna() & (age.count() > 0 and bool((age.dropna() >= 1000).all()))
    age = age.where(~in_days, age / DAYS_PER_YEAR)
    outside = (age < 0) | (age > OLDEST_AGE)
    return age.mask(outside), {
        "not a number" + LOST: found.notna() & age.isna(),
        "in days, divided by 365.25": in_days & ~outside,
        f"outside 0 to {OLDEST_AGE:g} years" + LOST: outside,
    }


def _clean_sex(found: pd.Series) -> Cleaned:
    text = found.astype("string").str.strip().str.lower()
    known = text.isin(["female", "male"])
    return _as_text(text.where(known)), {"neither female nor male" + LOST: found.notna() & ~known}


def _empty_missing(column: pd.Series) -> pd.Series:
    """Leave cells empty that say in words that they are."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    return column.astype(object).mask(
        column.astype("string")
        .str.strip()
        .str.lower()
        .isin(MISSING_TEXTS)
        .fillna(False)
        .astype(bool)
    )


def _examples(found: pd.Series) -> str:
    return ", ".join(map(str, found.unique()[:EXAMPLES]))


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
        found = sorted(map(str, cancer_types[patient_of == patient].dropna().unique()))
        raise ValueError(
            f"Patient {patient} has the cancer types {', '.join(found)} in the clinical table: keep one."
        )
    if not different.any():
        raise ValueError(
            "No patient has a cancer type in the clinical table: fill the column that "
            "ingestion.clinical_columns.cancer_type names."
        )
