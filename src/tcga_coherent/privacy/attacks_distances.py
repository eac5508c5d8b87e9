"""Attacks on generated patients: rows of the table of attacks."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.evaluation.bootstrap import BootstrapParameters, resample_patients
from tcga_coherent.evaluation.fidelity import Array
from tcga_coherent.evaluation.inputs import Cohort
from tcga_coherent.evaluation.source_sets import join_sources
from tcga_coherent.privacy.attacks_groups import MatchedGroups
from tcga_coherent.privacy.attacks_parameters import NearestRecordParameters
from tcga_coherent.privacy.attacks_scores import attack_result
from tcga_coherent.privacy.membership import ALL, MATCHED, membership_row
from tcga_coherent.privacy.nearest_records import (
    Comparison,
    compare_distances,
    linked_share,
    own_distances,
)

UNCONDITIONAL = "unconditional"
OF_MEMBERS, OF_NONMEMBERS = "drawn for members", "drawn for non-members"


def attack_conditional_draws(
    cohort: Cohort,
    groups: MatchedGroups,
    draws: Mapping[tuple[str, str], Array],
    parameters: NearestRecordParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Attack modalities generated from the other modalities of training and of test patients.

    Parameters
    ----------
    cohort
        Latents and splits.
    groups
        Members and non-members, pair by pair.
    draws
        (target, method) to independent draws for members and then non-members, draws x patients x
        dimensions.
    parameters
        Exchanges for the null.
    bootstrap, seed
        Intervals over patients.

    Returns
    -------
    DataFrame
        ``nearest_record``: distances to training patients against those to held-out ones, without
        the pair of the patient itself; ``regeneration``: whether draws come closer to the patient
        where that is a member; ``linkage``: how often the closest patient is the one a draw was
        made for, among members less among non-members. Target ``all`` is all modalities side by
        side, each generated from the others.
    """
    rows: list[dict[str, Any]] = []
    methods = list(dict.fromkeys(method for _, method in draws))
    for method in methods:
        generated = {name: draws[name, method].astype(float) for name in cohort.modalities}
        measured = {
            name: frame.loc[groups.patients].to_numpy(float)
            for name, frame in cohort.latents.items()
        }
        generated[ALL] = np.concatenate(list(generated.values()), axis=2)
        measured[ALL] = np.concatenate(list(measured.values()), axis=1)
        for target in measured:
            others = [name for name in cohort.modalities if name != target]
            model = (method, target, "" if target == ALL else join_sources(others))
            rows += _attack(
                model, generated[target], measured[target], groups, parameters, bootstrap, seed
            )
    return pd.DataFrame(rows)


def attack_unconditional_draws(
    cohort: Cohort,
    groups: MatchedGroups,
    draws: Mapping[str, Mapping[str, Array]],
    parameters: NearestRecordParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> pd.DataFrame:
    """Compare records that were generated from nothing to training and to held-out patients.

    Parameters
    ----------
    draws
        Method to modality to generated latents, rows x dimensions.
    cohort, groups, parameters, bootstrap, seed
        As in :func:`attack_conditional_draws`.

    Returns
    -------
    DataFrame
        ``nearest_record`` for each modality, and for all of them side by side.
    """
    rows: list[dict[str, Any]] = []
    patients = {"members": groups.members, "nonmembers": groups.nonmembers}
    for method, generated in draws.items():
        for target in (*cohort.modalities, ALL):
            names = cohort.modalities if target == ALL else [target]
            records = np.hstack([generated[name] for name in names]).astype(float)
            measured = {
                side: np.hstack([cohort.latents[name].loc[index].to_numpy(float) for name in names])
                for side, index in patients.items()
            }
            found = compare_distances(
                records[None], **measured,
                n_permutations=parameters.n_permutations, bootstrap=bootstrap, seed=seed,
            )  # fmt: skip
            rows += _comparison_rows((method, target, ""), UNCONDITIONAL, found, groups)
    return pd.DataFrame(rows)


def _attack(
    model: tuple[str, str, str],
    generated: Array,
    measured: Array,
    groups: MatchedGroups,
    parameters: NearestRecordParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> Iterator[dict[str, Any]]:
    n_pairs = groups.n_pairs
    sides = {OF_MEMBERS: slice(0, n_pairs), OF_NONMEMBERS: slice(n_pairs, None)}
    linked = []
    for group, side in sides.items():
        found = compare_distances(
            generated[:, side],
            measured[:n_pairs],
            measured[n_pairs:],
            parameters.n_permutations,
            bootstrap,
            seed,
            own_pair=np.arange(n_pairs),
        )
        yield from _comparison_rows(model, group, found, groups)
        linked.append(linked_share(generated[:, side], measured[side]))
    distances = own_distances(generated, measured)
    result = attack_result(-distances[:n_pairs], -distances[n_pairs:], bootstrap, seed)
    yield membership_row("regeneration", model, "all sources", MATCHED, result)
    yield _linkage_row(model, linked, bootstrap, seed)


def _linkage_row(
    model: tuple[str, str, str], linked: list[Array], bootstrap: BootstrapParameters, seed: int
) -> dict[str, Any]:
    members, nonmembers = linked
    # Pairs are drawn: they have the same cancer type.
    counts = resample_patients(len(members), bootstrap.repeats, seed)
    resampled = counts @ (members - nonmembers) / len(members)
    shares = [(1 - bootstrap.level) / 2, (1 + bootstrap.level) / 2]
    low, high = np.quantile(resampled, shares)
    method, target, source = model
    return {
        "attack": "linkage",
        "method": method,
        "target": target,
        "source": source,
        "setting": "all sources",
        "group": MATCHED,
        "statistic": "linked_share_difference",
        "value": members.mean() - nonmembers.mean(),
        "low": low,
        "high": high,
        "null": 0.0,
        "n_members": len(members),
        "n_nonmembers": len(nonmembers),
        "note": f"linked: {members.mean():.3f} of members, {nonmembers.mean():.3f} of non-members",
    }


def _comparison_rows(
    model: tuple[str, str, str], group: str, found: list[Comparison], groups: MatchedGroups
) -> Iterator[dict[str, Any]]:
    method, target, source = model
    for comparison in found:
        yield {
            "attack": "nearest_record",
            "method": method,
            "target": target,
            "source": source,
            "setting": "no source" if group == UNCONDITIONAL else "all sources",
            "group": group,
            **vars(comparison),
            "n_members": groups.n_pairs,
            "n_nonmembers": groups.n_pairs,
            "note": "",
        }
