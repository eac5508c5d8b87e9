"""What the paper says of preserved signal, checked on the cohort at hand."""

from itertools import product
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT

Expectation = Literal["equal", "higher", "lower"]
JUDGED_INPUTS = ("draw", "mean_of_draws")


@dataclass(frozen=True, config=STRICT)
class ReportedClaim:
    """One statement of the paper about a classifier, tested on generated instead of measured data.

    Attributes
    ----------
    task, modality, method
        Classifier, and the generator of its input.
    metric
        ``macro_f1`` or ``balanced_accuracy``.
    expectation
        How the score on generated data is said to be, against that on measured data.
    paper_real, paper_generated
        The paper's scores, NaN where its text gives none.
    """

    task: Literal["cancer_type", "stage"]
    modality: str
    method: Literal["multi", "coherent"]
    metric: Literal["macro_f1", "balanced_accuracy"]
    expectation: Expectation
    paper_real: float = np.nan
    paper_generated: float = np.nan


@dataclass(frozen=True, config=STRICT)
class SignalParameters:
    """Checking the paper's statements about preserved signal.

    Attributes
    ----------
    equality_margin
        Scores that differ by less are equal.
    reported
        The statements.
    """

    equality_margin: Annotated[float, Field(gt=0)]
    reported: tuple[ReportedClaim, ...]


def claims_table(table: pd.DataFrame, parameters: SignalParameters) -> pd.DataFrame:
    """Say of each statement whether it holds here.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.studies.signal.table.signal_table`.
    parameters
        The statements, and how close is equal.

    Returns
    -------
    DataFrame
        Two rows a statement: of single draws (``input`` is ``draw``), which the paper's is of, and
        of ``mean_of_draws``. ``real``, ``generated``: scores here, means over repeats;
        ``difference`` with its standard deviation over repeats and its bootstrap interval over
        patients; ``holds``: ``yes`` or ``no`` where the whole interval says so, else ``undecided``;
        empty where it cannot be judged, for the reason in ``note``.
    """
    rows: list[dict[str, Any]] = []
    for claim, kind in product(parameters.reported, JUDGED_INPUTS):
        own = table[(table["task"] == claim.task) & (table["modality"] == claim.modality)]
        key = {
            "task": claim.task,
            "modality": claim.modality,
            "method": claim.method,
            "input": kind,
            "metric": claim.metric,
            "expectation": claim.expectation,
            "paper_real": claim.paper_real,
            "paper_generated": claim.paper_generated,
        }
        if own.empty:
            rows.append({**key, "holds": "", "note": "the cohort has no such modality"})
        elif own["note"].iloc[0]:
            rows.append({**key, "holds": "", "note": own["note"].iloc[0]})
        else:
            rows.append({**key, **_measured(own, claim, kind, parameters.equality_margin)})
    return pd.DataFrame(rows)


def holds(
    low: float, high: float, expectation: Expectation, margin: float
) -> Literal["yes", "no", "undecided"]:
    """Say what an interval of a difference tells about a statement.

    Parameters
    ----------
    low, high
        Ends of the interval.
    expectation
        ``higher`` and ``lower`` hold beyond zero; ``equal`` holds where the whole interval is
        within the margin (equivalence), and does not where the whole interval is outside.
    margin
        Differences up to it count as none.
    """
    inside, outside = {
        "higher": (low > 0, high <= 0),
        "lower": (high < 0, low >= 0),
        "equal": (-margin < low and high < margin, low >= margin or high <= -margin),
    }[expectation]
    return "yes" if inside else "no" if outside else "undecided"


def claim_lines(claims: pd.DataFrame) -> list[str]:
    """Say in a line each what became of the statements that expect a difference.

    Parameters
    ----------
    claims
        Result of :func:`claims_table`.
    """
    judged = claims[(claims["expectation"] != "equal") & (claims["holds"] != "")]
    return [
        f"paper: {row.task} from {row.modality} of {row.method} scores {row.expectation} than from the "
        f"measured one; here ({row.input}): {row.holds}, {row.metric} {row.real:.3f} to "
        f"{row.generated:.3f}, difference {row.difference:+.3f} [{row.difference_low:+.3f}, "
        f"{row.difference_high:+.3f}]"
        for row in judged.itertuples()
    ]


def rows_by_input(rows: pd.DataFrame) -> dict[tuple[str, str], dict[Any, Any]]:
    """Return the rows of one task and modality by their method and input."""
    keys = zip(rows["method"], rows["input"], strict=True)
    return dict(zip(keys, rows.to_dict("records"), strict=True))


def _measured(rows: pd.DataFrame, claim: ReportedClaim, kind: str, margin: float) -> dict[str, Any]:
    scores = rows_by_input(rows)
    generated = scores[claim.method, kind]
    name = f"{claim.metric}_difference_to_real"
    low, high = generated[f"{name}_low"], generated[f"{name}_high"]
    return {
        "real": scores["real", "real"][f"{claim.metric}_mean"],
        "generated": generated[f"{claim.metric}_mean"],
        "difference": generated[f"{name}_mean"],
        "difference_std": generated[f"{name}_std"],
        "difference_low": low,
        "difference_high": high,
        "holds": holds(low, high, claim.expectation, margin),
        "n_patients": generated["n_patients"],
        "note": "",
    }
