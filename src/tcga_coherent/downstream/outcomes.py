"""What downstream models predict: cancer type, stage and survival, and when they cannot.

A cohort may lack what a task needs: a cancer without stages, one class only, nobody who died. Then
:class:`CannotEvaluate` carries the reason into the tables, and everything else is still produced.
"""

import logging

import numpy as np
import pandas as pd

logger = logging.getLogger(__name__)


class CannotEvaluate(ValueError):
    """A cohort lacks what a task needs; the message is the reason a report gives."""


def check_classes(label: str, train: pd.Series, test: pd.Series) -> None:
    """Refuse labels that no classifier can be trained on or tested with.

    Parameters
    ----------
    label
        What the classes are called in the message.
    train, test
        Labels of the patients of the splits that have one.

    Raises
    ------
    CannotEvaluate
        When a split has no label, or one class only.
    """
    for split, labels in (("training", train), ("test", test)):
        if labels.empty:
            raise CannotEvaluate(f"no {split} patient has a {label}")
        if labels.nunique() < 2:
            raise CannotEvaluate(
                f"all {len(labels)} {split} patients have the {label} {labels.iloc[0]}"
            )


def survival_outcomes(clinical: pd.DataFrame, patients: pd.Index) -> pd.DataFrame:
    """Return overall survival of the patients for whom it is known.

    Parameters
    ----------
    clinical
        Index ``patient_id``, with the columns ``os_event`` (1 for death) and ``os_days``.
    patients
        Patients to look up.

    Returns
    -------
    DataFrame
        Index `patients` without those of unknown survival, or of a follow-up that is none or infinite;
        ``event`` (bool), ``days`` (float, finite, above zero).
    """
    known = clinical.reindex(patients)[["os_event", "os_days"]].dropna().astype(float)
    endless = ~np.isfinite(known["os_days"])
    if endless.any():
        logger.warning(
            "The survival of %d patients counts as unknown: their time is infinite", endless.sum()
        )
    known = known[(known["os_days"] > 0) & ~endless]
    return pd.DataFrame({"event": known["os_event"] == 1, "days": known["os_days"]})


def check_survival(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Refuse outcomes that no survival model can be trained on or tested with.

    Parameters
    ----------
    train, test
        Results of :func:`survival_outcomes`.

    Raises
    ------
    CannotEvaluate
        When a split has no outcome, nobody in it died, or no two test patients can be compared.
    """
    for split, outcomes in (("training", train), ("test", test)):
        if outcomes.empty:
            raise CannotEvaluate(f"the survival of no {split} patient is known")
        if not outcomes["event"].any():
            raise CannotEvaluate(f"all {len(outcomes)} {split} patients are censored")
    first_death = test.loc[test["event"], "days"].min()
    if not (test["days"] > first_death).any():
        raise CannotEvaluate("no test patient outlives another's death: none can be compared")
