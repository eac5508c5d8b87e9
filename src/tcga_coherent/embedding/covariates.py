"""What a clinic knows of every patient, such as the cancer type, as further columns of a code."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.embedding.pca import Matrix

logger = logging.getLogger(__name__)

# Of a code of a total variance of one.
PENALTIES = tuple(np.logspace(-4, 2, 13))


@dataclass(frozen=True, eq=False)
class Covariates:
    """Covariates as numbers, and what a code says of those that are not known.

    A category is a column of its own, 1 for its patients and 0 for the others. Columns have mean zero and the
    spread of the code's leading axis over the training patients, so that no penalty overlooks them. What is not known of
    a patient is what the code suggests, by ridge regression: a linear model then predicts from it what it would
    have predicted without covariates.

    Attributes
    ----------
    categories
        Covariate to its categories among the training patients; no category for one that is a number.
    centre, scale
        Of the columns, shape (columns,).
    coefficients, intercept
        Of the regression of the scaled columns on the code, shapes (axes, columns) and (columns,).
    """

    categories: Mapping[str, tuple[str, ...]]
    centre: Matrix
    scale: Matrix
    coefficients: Matrix
    intercept: Matrix

    @property
    def columns(self) -> list[str]:
        """Names of the columns: ``cancer_type=BRCA``, ``age``, ..."""
        return _columns(self.categories)

    def encode(self, clinical: pd.DataFrame | None, patients: pd.Index, code: Matrix) -> Matrix:
        """Return the columns of patients, patients x columns, float32.

        Parameters
        ----------
        clinical
            Patients x clinical columns; patients, columns and values may be missing. None where nothing is known.
        patients
            Patients of the rows.
        code
            Their scores on the principal axes, patients x axes.
        """
        known = clinical if clinical is not None else pd.DataFrame()
        raw = _numbers(
            known.reindex(index=patients, columns=list(self.categories)), self.categories
        )
        values = (raw - self.centre) / self.scale
        suggested = code @ self.coefficients + self.intercept
        return np.where(np.isnan(values), suggested, values).astype(np.float32)

    def state(self) -> tuple[dict[str, Matrix], dict[str, Any]]:
        """Return arrays and JSON-serialisable metadata, arguments of the class."""
        arrays = {
            "centre": self.centre,
            "scale": self.scale,
            "coefficients": self.coefficients,
            "intercept": self.intercept,
        }
        return arrays, {name: list(known) for name, known in self.categories.items()}


def fit_covariates(
    modality: str, names: Sequence[str], clinical: pd.DataFrame, code: pd.DataFrame
) -> Covariates | None:
    """Fit on the training patients of a modality.

    Parameters
    ----------
    modality
        Name, for messages.
    names
        Columns of the clinical table, as ``embedding.covariates``.
    clinical
        Patients x clinical columns.
    code
        Scores of the training patients on the principal axes, patients x axes.

    Returns
    -------
    Covariates or None
        None where no covariate differs between training patients.

    """
    from sklearn.linear_model import RidgeCV

    known = clinical.reindex(index=code.index, columns=list(names))
    categories, alike = {}, []
    for name in names:
        values = known[name].dropna()
        if values.nunique() < 2:
            alike.append(name)
        elif pd.api.types.is_numeric_dtype(values):
            categories[name] = ()
        else:
            categories[name] = tuple(sorted(values.astype(str).unique()))
    if alike:
        logger.warning(
            "%s: %s no covariate, for training patients do not differ in it",
            modality, f"{' and '.join(alike)} {'is' if len(alike) == 1 else 'are'}",
        )  # fmt: skip
    if not categories:
        return None
    raw = _numbers(known, categories)
    scores = code.to_numpy(float)
    leading = scores.std(axis=0).max()
    centre, scale = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0) / leading
    values = (raw - centre) / scale
    # A column at a time: another patient may lack each.
    size = np.sqrt(scores.var(axis=0).sum())
    fitted = []
    for column in values.T:
        there = ~np.isnan(column)
        fitted.append(RidgeCV(PENALTIES).fit(scores[there] / size, column[there]))
    return Covariates(
        categories=categories,
        centre=centre.astype(np.float32),
        scale=scale.astype(np.float32),
        coefficients=np.stack([ridge.coef_ / size for ridge in fitted], axis=1).astype(np.float32),
        intercept=np.array([ridge.intercept_ for ridge in fitted], dtype=np.float32),
    )


def _columns(categories: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        column
        for name, known in categories.items()
        for column in ([f"{name}={category}" for category in known] or [name])
    ]


def _numbers(known: pd.DataFrame, categories: Mapping[str, Sequence[str]]) -> Matrix:
    """Return patients x columns; NaN where nothing is known, or a category that no training patient has."""
    parts = []
    for name, those in categories.items():
        if those:
            values = known[name].astype("string")
            values = values.where(values.isin(those))
            one_hot = np.stack(
                [values.eq(category).to_numpy(float, na_value=np.nan) for category in those]
            )
            parts.append(one_hot.T)
        else:
            parts.append(pd.to_numeric(known[name]).to_numpy(float, na_value=np.nan)[:, np.newaxis])
    return np.concatenate(parts, axis=1)
