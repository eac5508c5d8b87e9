"""Exposure of canaries, and privacy against usefulness over the length of training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    resample_patients,
)
from tcga_coherent.measures.score import estimate
from tcga_coherent.privacy.attacks.membership import ALL, CONTROL, METHODS
from tcga_coherent.privacy.attacks.scores import attack_row
from tcga_coherent.privacy.known_members.canaries import NOT_IMPLANTED, expected_exposure
from tcga_coherent.privacy.known_members.references import read_shadow_losses, tell_members
from tcga_coherent.privacy.known_members.shadows import CANARY, SELECTED, UTILITY

UTILITY_MEASURES = ("r2_of_mean", "crps")


def extract_canaries(
    shadows: pd.DataFrame,
    n_candidates: int,
    checkpoint: str,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Return the mean exposure of canaries by kind and number of copies.

    Parameters
    ----------
    shadows, checkpoint
        As in :func:`tcga_coherent.privacy.known_members.references.read_shadow_losses`.
    n_candidates
        The true target and its alternatives.
    bootstrap, seed
        Intervals over canaries.

    Returns
    -------
    DataFrame
        Rows of the table of attacks; those of canaries that were never implanted show the null.
    """
    rows = shadows[(shadows["kind_of_row"] == CANARY) & (shadows["checkpoint"] == checkpoint)]
    rows = rows[rows["method"] != CONTROL].astype({"copies": int})
    keys = ["attack", "method", "kind", "copies"]
    table = []
    for (attack, method, kind, copies), some in rows.groupby(keys, sort=False):
        exposures = some.groupby("patient_id")["exposure"].mean().to_numpy()
        counts = resample_patients(len(exposures), bootstrap.repeats, seed)
        found = estimate(exposures.mean(), counts @ exposures / len(exposures), bootstrap.level)
        implanted = copies != NOT_IMPLANTED
        size = {"n_members" if implanted else "n_nonmembers": len(exposures)}
        table.append(
            attack_row(
                str(attack),
                (str(method), ALL, ""),
                _copies(copies) if implanted else "not implanted",
                f"{kind} the distribution" if kind == "within" else "far from it",
                "exposure_bits",
                **vars(found),
                **size,
                null=expected_exposure(n_candidates),
                note=f"at most {np.log2(n_candidates):g} bits",
            )
        )
    return pd.DataFrame(table)


def weigh_privacy_and_utility(
    shadows: pd.DataFrame,
    cohort: Cohort,
    n_candidates: int,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Return what models are worth and what they give away, over the length of training.

    Parameters
    ----------
    shadows, n_candidates, bootstrap, seed
        As in :func:`extract_canaries`.
    cohort
        Latents and splits.

    Returns
    -------
    DataFrame
        One row a ``checkpoint`` (``steps`` as a number, missing for ``selected``), ``method`` and
        ``measure``: ``value``, ``std`` over trainings, ``low`` and ``high`` over patients, ``null``.
        ``r2_of_mean`` and ``crps`` are means over targets.
    """
    tables = []
    for checkpoint in shadows["checkpoint"].drop_duplicates():
        rows = [*_utility_rows(shadows, checkpoint)]
        found = read_shadow_losses(shadows, cohort, checkpoint)
        for method in METHODS:
            features = found.of_method(method)[method, ALL, ""]
            for attack, result in tell_members(features, found.is_member, bootstrap, seed).items():
                for name, of_attack, null in (
                    ("auroc", result.auroc, 0.5),
                    ("tpr_at_1_fpr", result.tpr, 0.01),
                ):
                    rows.append(
                        {"method": method, "measure": f"{attack}_{name}", "null": null}
                        | vars(of_attack)
                    )
        canaries = extract_canaries(shadows, n_candidates, checkpoint, bootstrap, seed)
        for _, row in canaries.iterrows():
            measure = f"{row['attack']}_bits, {row['group']}, {row['setting']}"
            rows.append({"measure": measure, **row[["method", "value", "low", "high", "null"]]})
        tables.append(pd.DataFrame(rows).assign(checkpoint=checkpoint))
    table = pd.concat(tables, ignore_index=True)
    table["steps"] = pd.to_numeric(table["checkpoint"].where(table["checkpoint"] != SELECTED))
    columns = ["checkpoint", "steps", "method", "measure", "value", "std", "low", "high", "null"]
    return table.reindex(columns=columns)


def _utility_rows(shadows: pd.DataFrame, checkpoint: str) -> Iterator[dict[str, Any]]:
    rows = shadows[(shadows["kind_of_row"] == UTILITY) & (shadows["checkpoint"] == checkpoint)]
    means = rows.groupby(["method", "repeat"], sort=False)[list(UTILITY_MEASURES)].mean()
    for method, found in means.groupby(level="method", sort=False):
        for measure in UTILITY_MEASURES:
            yield {
                "method": method,
                "measure": measure,
                "value": found[measure].mean(),
                "std": found[measure].std(),
            }


def _copies(number: object) -> str:
    return "1 copy" if number == 1 else f"{number} copies"
