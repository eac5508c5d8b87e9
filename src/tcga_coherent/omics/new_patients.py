"""Patients that no model has seen: from the matrices of a folder to tables, nobody lost in silence.

New patients come without a clinical table. Of a patient's samples normal tissue is left out, and one tumour
stands for the patient in all modalities: that measured in most of them, of equals the one of the lowest
sample type, so a primary tumour (01) before a recurrence (02), a blood cancer (03) or a metastasis (06).

What is left out, and what is odd about what stays, becomes a note: ``patient_id``, ``modality`` and ``note``.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from tcga_coherent.omics.features.identifiers import match_identifiers, naming_of
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.omics.patients.barcodes import (
    EXAMPLES,
    NORMAL,
    PRIMARY,
    match_spellings,
    split_barcodes,
)
from tcga_coherent.omics.patients.clinical import clean_columns
from tcga_coherent.omics.patients.suspects import find_sentinel
from tcga_coherent.omics.patients.table_checks import as_float32

logger = logging.getLogger(__name__)

NOTES = ["patient_id", "modality", "note"]

# Modalities that share less than this share of their patients with any other are pointed out.
LEAST_SHARED = 0.5
# Of a library: less of it in genes that are absent is no more than the noise of counts, and where more is,
# nobody knows how large the library was.
NOTABLE_LIBRARY = 0.01
MOST_ABSENT_LIBRARY = 0.5


@dataclass(frozen=True)
class NewPatients:
    """Patients to be completed.

    Attributes
    ----------
    tables
        Modality to patients x features in input units, index ``patient_id`` sorted, without outliers.
    measured
        Modality to the patients it was measured of, outliers included.
    notes
        What was left out of whom and what is odd, ``patient_id``, ``modality`` and ``note``.
    clinical
        Patients x covariates, as far as they are known.
    """

    tables: Mapping[str, pd.DataFrame]
    measured: Mapping[str, pd.Index]
    notes: pd.DataFrame
    clinical: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def everyone(self) -> pd.Index:
        """All that are named anywhere, sorted."""
        return pd.Index(sorted({*self.notes["patient_id"]}.union(*self.measured.values())))

    def of(self, patients: pd.Index) -> "NewPatients":
        """Return some of them."""
        return NewPatients(
            {name: table[table.index.isin(patients)] for name, table in self.tables.items()},
            {name: index[index.isin(patients)] for name, index in self.measured.items()},
            self.notes[self.notes["patient_id"].isin(patients)],
            self.clinical[self.clinical.index.isin(patients)],
        )


def orient_matrix(
    matrix: pd.DataFrame,
    features: pd.Index,
    file: str,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Bring a matrix to samples x features, of the features that the models know.

    Parameters
    ----------
    matrix
        Features x samples or samples x features: the axis that holds more of the known features is taken
        for the features.
    features
        Features that the models were trained on.
    file
        For messages.
    names
        As of :func:`tcga_coherent.omics.features.identifiers.match_identifiers`.

    Raises
    ------
    ValueError
        When no known feature is found.
    """
    rows, columns = (
        match_identifiers(axis, features, names) for axis in (matrix.index, matrix.columns)
    )
    known = [rows.isin(features), columns.isin(features)]
    in_rows, in_columns = (int(found.sum()) for found in known)
    if not in_rows and not in_columns:
        raise ValueError(
            f"{file} holds none of the {len(features)} features that the models were trained on, such as "
            f"{', '.join(map(str, features[:EXAMPLES]))}. {_other_naming(matrix, features)}"
        )
    by_rows = in_rows > in_columns
    samples = (matrix.T if by_rows else matrix).set_axis(rows if by_rows else columns, axis=1)
    unknown = samples.columns[~known[0 if by_rows else 1]]
    if len(unknown):
        logger.warning(
            "%s: %d features that the models do not know are left out, such as %s",
            file,
            len(unknown),
            _examples(unknown),
        )
        samples = samples.loc[:, known[0 if by_rows else 1]]
    return as_float32(samples)


def _other_naming(matrix: pd.DataFrame, features: pd.Index) -> str:
    """Return what would make a matrix one of the known features."""
    wanted = naming_of(features)
    axes = {naming_of(axis): axis for axis in (matrix.columns, matrix.index)}
    other = next((naming for naming in axes if naming not in {wanted, "names"}), None)
    if other is None and wanted != "names":
        other = "names"
    if other is None:
        return "Lay it out as the raw matrix of this environment."
    return (
        f"It has {other}, such as {axes[other][0]}, in place of {wanted}: give a table of both, first the "
        f"one and then the other, as feature_names.tsv beside it."
    )


def tabulate_new_patients(
    samples: Mapping[str, pd.DataFrame], scheme: Literal["tcga", "plain"]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Reduce the samples of all modalities to one row a patient.

    Parameters
    ----------
    samples
        Modality to samples x features.
    scheme
        ``tcga`` reduces the names that are barcodes, whatever the others are; ``plain`` takes all for names
        of patients. Names that are written differently in another file are the same patient's.

    Returns
    -------
    tables : dict
        Modality to patients x features, float32, index ``patient_id``, sorted. Modalities without any value
        are not in it.
    notes : pandas.DataFrame
        What was left out, of whom.

    Raises
    ------
    ValueError
        When nothing is left, or a value such as -999 stands for missing ones.
    """
    named = _name_patients(samples, scheme)
    named["reason"] = _choose_samples(named)
    lines: list[tuple[str, str, str]] = [
        (patient, modality, f"{sample} left out: {reason}")
        for modality, sample, patient, reason in named.loc[
            named["reason"] != "", ["modality", "sample", "patient", "reason"]
        ].itertuples(index=False, name=None)
    ]
    tables = {}
    for modality, frame in samples.items():
        chosen = named[(named["modality"] == modality) & (named["reason"] == "")]
        other = chosen[~chosen["sample_type"].isin(["", PRIMARY])]
        lines += [
            (patient, modality, f"{sample} stands for the patient")
            for sample, patient in other[["sample", "patient"]].itertuples(index=False, name=None)
        ]
        chosen = chosen.sort_values("patient", kind="stable")
        table = frame.iloc[chosen["row"]]
        table.index = pd.Index(chosen["patient"], name="patient_id")
        table.columns = table.columns.rename(None)
        if table.index.has_duplicates:
            table = table.groupby(level="patient_id").mean()
        measured = table.notna().any(axis=1)
        lines += [
            (patient, modality, "the file holds no value of the patient")
            for patient in table.index[~measured]
        ]
        _refuse_sentinel(table, modality)
        if measured.any():
            tables[modality] = table if measured.all() else table[measured]
    notes = pd.DataFrame(lines, columns=NOTES)
    if not tables:
        raise ValueError(
            f"No new patient can be completed: {'; '.join(notes['note'].head(EXAMPLES)) or 'there is none'}."
        )
    _warn_of_few_shared({name: table.index for name, table in tables.items()})
    return tables, notes


def tabulate_covariates(
    clinical: pd.DataFrame,
    covariates: Sequence[str],
    patients: pd.Index,
    scheme: Literal["tcga", "plain"],
) -> pd.DataFrame:
    """Take what models want to know of new patients besides from a clinical table.

    Parameters
    ----------
    clinical
        Samples or patients x columns. Of several rows of a patient the first value that is there counts.
    covariates
        Columns that the models know.
    patients
        New patients.
    scheme
        As of :func:`tabulate_new_patients`.

    Returns
    -------
    pandas.DataFrame
        Patients x those of the covariates that the table has, index ``patient_id``.

    Raises
    ------
    ValueError
        When the table has none of them, or names none of the patients.
    """
    wanted = [name for name in covariates if name in clinical]
    if not wanted:
        raise ValueError(
            f"The clinical table of the new patients has none of the columns that the models know, "
            f"{', '.join(covariates)}; it has {', '.join(map(str, clinical.columns))}."
        )
    named = _name_patients({"clinical": clinical}, scheme)["patient"]
    spellings = match_spellings({"new": patients, "clinical": named})
    by_patient = clinical[wanted].groupby(named.replace(spellings).to_numpy()).first()
    table = clean_columns(by_patient.reindex(patients).rename_axis("patient_id"))
    unknown = table.isna().sum()
    if unknown.eq(len(table)).all():
        raise ValueError(
            f"The clinical table tells {', '.join(wanted)} of none of the new patients; it names "
            f"{_examples(by_patient.index)}."
        )
    for name in covariates:
        if unknown.get(name, len(table)):
            logger.warning(
                "%s is not known of %d of %d new patients, and is expected from what was measured",
                name,
                unknown.get(name, len(table)),
                len(table),
            )
    return table


def screen_new_patients(
    table: pd.DataFrame, preprocessor: Preprocessor
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold the patients of a modality against the training patients, as the cohort's were.

    Parameters
    ----------
    table
        Patients x features in input units.
    preprocessor
        Fitted on the training patients.

    Returns
    -------
    kept : pandas.DataFrame
        Rows of `table` that break no outlier rule.
    notes : pandas.DataFrame
        Which rules the others break; and, of all kept, that their units or libraries look otherwise.

    Raises
    ------
    ValueError
        When features are absent that hold more than half of the training libraries, and as
        :meth:`~tcga_coherent.omics.features.preprocessor.Preprocessor.find_outliers`.
    """
    modality = preprocessor.modality
    outliers = preprocessor.find_outliers(table)
    lines = [
        (patient, modality, _describe_outlier(rule, value, score, bound))
        for patient, rule, value, score, bound in outliers[
            ["patient_id", "rule", "value", "score", "bound"]
        ].itertuples(index=False, name=None)
    ]
    kept = table if outliers.empty else table[~table.index.isin(outliers["patient_id"])]
    of_all = []
    absent = preprocessor.absent_library(table.columns)
    if absent > MOST_ABSENT_LIBRARY:
        raise ValueError(
            f"{modality}: the table lacks genes that hold {absent:.0%} of the counts of training patients, so "
            f"that the sizes of the libraries are not known. Give all genes that were counted, also those "
            f"that preprocessing leaves out."
        )
    if absent >= NOTABLE_LIBRARY:
        of_all.append(
            f"genes are absent that hold {absent:.1%} of the counts of training patients: library sizes were "
            f"made up for by that share"
        )
    difference = preprocessor.describe_units(table)
    if difference:
        of_all.append(
            f"the values look as if they were in other units than the training patients' ({difference})"
        )
    for note in of_all:
        logger.warning("%s: %s", modality, note)
        lines += [(patient, modality, note) for patient in table.index]
    if len(outliers):
        logger.warning(
            "%s: %d of %d new patients are outliers and generated instead, such as %s",
            modality,
            len(table) - len(kept),
            len(table),
            outliers["patient_id"].iloc[0],
        )
    return kept, pd.DataFrame(lines, columns=NOTES)


def warn_of_known(everyone: pd.Index, train: pd.Index) -> None:
    """Say so where patients are not new: models remember those that they were trained on."""
    known = everyone[everyone.isin(train)]
    if len(known):
        logger.warning(
            "%d of %d patients are among those that the models were trained on, such as %s: what is "
            "generated for them is closer to the truth than for others",
            len(known),
            len(everyone),
            known[0],
        )


def add_notes(flags: pd.DataFrame, notes: pd.DataFrame, modalities: Iterable[str]) -> pd.DataFrame:
    """Add notes to the flags of a completion, and a row for everybody who has none.

    Parameters
    ----------
    flags
        As :func:`tcga_coherent.diffusion.completion.tables.flag_patients` makes them.
    notes
        ``patient_id``, ``modality`` and ``note``.
    modalities
        All modalities.

    Returns
    -------
    pandas.DataFrame
        `flags` with the notes in ``reason``, and every patient of either with a row a modality: where there
        was none ``status`` is impossible.
    """
    rows = [
        {
            "patient_id": patient,
            "modality": modality,
            "status": "impossible",
            "sources": "",
            "n_draws": 0,
            "n_redrawn": 0,
            "n_rejected": 0,
            "accepted": False,
            "reason": "no modality of the patient can be used: no source is left",
        }
        for modality in modalities
        for patient in sorted(
            {*flags["patient_id"], *notes["patient_id"]}
            - set(flags.loc[flags["modality"] == modality, "patient_id"])
        )
    ]
    if rows:
        flags = pd.concat([flags, pd.DataFrame(rows)], ignore_index=True)[list(flags.columns)]
    joined = notes.groupby(["patient_id", "modality"])["note"].agg("; ".join)
    keys = pd.MultiIndex.from_frame(flags[["patient_id", "modality"]])
    found = joined.reindex(keys).fillna("").to_numpy(dtype=object)
    reason = ["; ".join(filter(None, both)) for both in zip(flags["reason"], found, strict=True)]
    order = {name: number for number, name in enumerate(modalities)}
    return (
        flags.assign(reason=reason)
        .sort_values(
            ["modality", "patient_id"], key=lambda keys: keys.map(order).fillna(keys), kind="stable"
        )
        .reset_index(drop=True)
    )


def _name_patients(
    samples: Mapping[str, pd.DataFrame], scheme: Literal["tcga", "plain"]
) -> pd.DataFrame:
    """Return ``modality``, ``row``, ``sample``, ``patient``, ``sample_type`` and ``is_slide`` of all samples."""
    parts = []
    for modality, frame in samples.items():
        names = pd.Index([str(name).strip() for name in frame.index])
        part = split_barcodes(names, scheme).reset_index(drop=True)
        foreign = part["patient"].isna().to_numpy()
        if foreign.any() and not foreign.all():
            logger.warning(
                "%s: %d of %d names are no TCGA barcodes and taken for patients as they are: %s",
                modality,
                foreign.sum(),
                len(names),
                _examples(names[foreign]),
            )
        part["patient"] = part["patient"].where(~foreign, names.to_series(index=part.index))
        parts.append(part.assign(modality=modality, row=range(len(names)), sample=names))
    named = pd.concat(parts, ignore_index=True)
    spellings = match_spellings(
        {name: part["patient"] for name, part in zip(samples, parts, strict=True)}
    )
    if spellings:
        logger.warning(
            "%d patients are written differently in different files and taken for the same: %s",
            len(spellings),
            ", ".join(f"{own} for {first}" for own, first in list(spellings.items())[:EXAMPLES]),
        )
    named["patient"] = named["patient"].map(lambda name: spellings.get(name, name))
    return named


def _choose_samples(named: pd.DataFrame) -> pd.Series:
    """Return why each sample does not stand for its patient; empty where it does."""
    reason = pd.Series("", index=named.index)
    normal = named["sample_type"].str.match(NORMAL)
    reason[normal] = "normal or control sample"
    tumour_type = named["sample_type"].replace("", PRIMARY)
    counts = (
        named.assign(tumour_type=tumour_type)[~normal]
        .groupby(["patient", "tumour_type"])["modality"]
        .nunique()
        .reset_index()
        .sort_values(["patient", "modality", "tumour_type"], ascending=[True, False, True])
    )
    chosen = counts.drop_duplicates("patient").set_index("patient")["tumour_type"]
    other = ~normal & (tumour_type != named["patient"].map(chosen))
    reason[other] = (
        "sample type "
        + named["patient"].map(chosen).astype(str)
        + " stands for the patient in all modalities"
    )
    single = named[(reason == "") & ~named["is_slide"]].sort_values("sample", kind="stable")
    later = single.index[single.duplicated(["modality", "patient"])]
    reason[later] = "later vial or aliquot of the patient"
    return reason


def _refuse_sentinel(table: pd.DataFrame, modality: str) -> None:
    sentinel = find_sentinel(table.to_numpy())
    if sentinel is not None:
        here = (table == sentinel).any()
        raise ValueError(
            f"{modality}: the value {sentinel:g} stands in many cells, such as of feature "
            f"{here.idxmax()}, far from all others: it seems to mark missing values. Leave these cells empty."
        )


def _warn_of_few_shared(patients: Mapping[str, pd.Index]) -> None:
    for modality, own in patients.items():
        others = [index for name, index in patients.items() if name != modality]
        if not others:
            return
        shared = own.isin(np.concatenate([index.to_numpy(dtype=object) for index in others]))
        if shared.mean() < LEAST_SHARED:
            logger.warning(
                "%s: only %d of its %d patients are in any other file; of those that are not: %s. Do all "
                "files name patients alike?",
                modality,
                shared.sum(),
                len(own),
                _examples(own[~shared]),
            )


def _describe_outlier(rule: str, value: float, score: float, bound: float | None) -> str:
    if rule == "missing_share":
        return f"{value:.0%} of the usual features are missing"
    return (
        f"{rule} is {score:+.3g} robust standard deviations from training patients, bound {bound:g}"
    )


def _examples(names: Iterable[object]) -> str:
    return ", ".join(map(str, list(names)[:EXAMPLES]))
