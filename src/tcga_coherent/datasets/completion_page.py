"""The page of a completion: who was completed, what to look at first, predictions and next tests of each patient."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pandas as pd

PAGE_FILE = "completion.html"
DIGITS = 3
# What the page shows of a row of the tables.
OF_FLAG = [
    "status",
    "sources",
    "latent_percentile",
    "feature_percentile",
    "known_features",
    "reason",
]
OF_PREDICTION = ["task", "output", "years", "value", "low", "high", "metric", "held_out_change"]
OF_PREDICTION += ["held_out_change_low", "held_out_change_high", "note"]
OF_PRIORITY = ["task", "modality", "cost", "expected_change", "expected_change_percentile"]
OF_PRIORITY += ["expected_change_test_rank", "expected_change_rank", "expected_change_above_random"]


def completion_page(tables: Mapping[str, pd.DataFrame], provenance: Mapping[str, Any]) -> str:
    """Return a page that needs no network.

    Parameters
    ----------
    tables
        ``flags``, ``predictions`` and ``priorities`` of a completion.
    provenance
        What made them.
    """
    flags = tables["flags"]
    of_patient = {
        "flags": _rows_by_patient(flags, ["modality", *OF_FLAG]),
        "predictions": _rows_by_patient(tables["predictions"], OF_PREDICTION),
        "priorities": _rows_by_patient(tables["priorities"], OF_PRIORITY),
    }
    reasons = flags[flags["reason"].fillna("") != ""]
    warnings = reasons.assign(reason=reasons["reason"].str.split("; ")).explode("reason")
    counted = warnings.groupby(["modality", "reason"], sort=False)["patient_id"].nunique()
    data = {
        "provenance": dict(provenance),
        "columns": {
            "flags": ["modality", *OF_FLAG],
            "predictions": OF_PREDICTION,
            "priorities": OF_PRIORITY,
        },
        "counts": flags.groupby(["modality", "status"], sort=False)
        .size()
        .reset_index()
        .to_numpy()
        .tolist(),
        "warnings": counted.sort_values(ascending=False, kind="stable")
        .reset_index()
        .to_numpy()
        .tolist(),
        "patients": [
            [patient, *(rows.get(patient, []) for rows in of_patient.values())]
            for patient in sorted(flags["patient_id"].unique())
        ],
    }
    # Nothing that a file says may end the element that holds it, or begin another.
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c")
    template = files("tcga_coherent.datasets").joinpath("completion_page.html")
    return template.read_text(encoding="utf-8").replace("__DATA__", text)


def _rows_by_patient(table: pd.DataFrame, columns: list[str]) -> dict[str, list[list[Any]]]:
    """Return patient to rows, numbers of few digits and None where nothing is known."""
    found: dict[str, list[list[Any]]] = {}
    known = table.reindex(columns=["patient_id", *columns])
    for patient, *cells in known.itertuples(index=False, name=None):
        found.setdefault(str(patient), []).append([_plain(cell) for cell in cells])
    return found


def _plain(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell
    if cell is None or pd.isna(cell):
        return None
    return float(f"{cell:.{DIGITS}g}")
