"""Attacks on generated patients: rows of the table of attacks."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.measures.bootstrap import (
    BootstrapParameters,
    central_interval,
    resample_patients,
)
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.measures.score import estimate
from tcga_coherent.privacy.attacks.controls import (
    GAUSSIAN,
    VALIDATION,
    draw_gaussian,
    regenerate_by_gaussian,
)
from tcga_coherent.privacy.attacks.groups import MatchedGroups
from tcga_coherent.privacy.attacks.membership import ALL, MATCHED, membership_row
from tcga_coherent.privacy.attacks.nearest_records import (
    Comparison,
    compare_distances,
    linked_share,
    own_distances,
)
from tcga_coherent.privacy.attacks.parameters import NearestRecordParameters
from tcga_coherent.privacy.attacks.scores import attack_result, attack_row, auroc
from tcga_coherent.source_sets import join_sources

NEAREST_RECORD, REGENERATION, LINKAGE = "nearest_record", "regeneration", "linkage"
ON_DRAWS = (NEAREST_RECORD, REGENERATION, LINKAGE)
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
        side, each generated from the others. The null of all three is the method
        ``gaussian_control``: a normal distribution of both groups, given the same sources.
    """
    rows: list[dict[str, Any]] = []
    measured = _measured(cohort, groups)
    n_draws = len(next(iter(draws.values())))
    control = _with_all(regenerate_by_gaussian(measured, n_draws, seed))
    by_method: dict[str, dict[str, Array]] = {}
    for (name, method), values in draws.items():
        by_method.setdefault(method, {})[name] = values.astype(float)
    by_method = {method: _with_all(values) for method, values in by_method.items()}
    for method, generated in {**by_method, GAUSSIAN: control}.items():
        for target, values in _with_all(measured).items():
            others = [name for name in cohort.modalities if name != target]
            model = (method, target, "" if target == ALL else join_sources(others))
            held_against = None if method == GAUSSIAN else control[target]
            rows += _attack(
                model, generated[target], held_against, values, groups, parameters, bootstrap, seed
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
        ``nearest_record`` for each modality, and for all of them side by side. The null is the
        method ``gaussian_control``: draws of a normal distribution of both groups. Real patients
        whom no denoiser learned from stand beside it as ``validation_control``.
    """
    rows: list[dict[str, Any]] = []
    measured = _measured(cohort, groups)
    records = {
        method: {name: generated[name].astype(float) for name in cohort.modalities}
        for method, generated in draws.items()
    }
    validation = cohort.complete(cohort.val)
    records[VALIDATION] = {
        name: frame.loc[validation].to_numpy(float) for name, frame in cohort.latents.items()
    }
    n_rows = len(next(iter(next(iter(draws.values())).values())))
    records[GAUSSIAN] = draw_gaussian(measured, n_rows, seed)
    control = _with_all(records[GAUSSIAN])
    controls = (VALIDATION, GAUSSIAN) if len(validation) else (GAUSSIAN,)
    for method in (*draws, *controls):
        generated = _with_all(records[method])
        for target, values in _with_all(measured).items():
            found = compare_distances(
                generated[target][None],
                None if method in controls else control[target][None],
                values[: groups.n_pairs],
                values[groups.n_pairs :],
                parameters.n_permutations,
                bootstrap,
                seed,
            )
            rows += _comparison_rows((method, target, ""), UNCONDITIONAL, found, groups)
    return pd.DataFrame(rows)


def _measured(cohort: Cohort, groups: MatchedGroups) -> dict[str, Array]:
    return {
        name: frame.loc[groups.patients].to_numpy(float) for name, frame in cohort.latents.items()
    }


def _with_all(values: Mapping[str, Array]) -> dict[str, Array]:
    """Add all modalities side by side."""
    return {**values, ALL: np.concatenate(list(values.values()), axis=-1)}


def _attack(
    model: tuple[str, str, str],
    generated: Array,
    control: Array | None,
    measured: Array,
    groups: MatchedGroups,
    parameters: NearestRecordParameters,
    bootstrap: BootstrapParameters,
    seed: int,
) -> Iterator[dict[str, Any]]:
    n_pairs = groups.n_pairs
    sides = {OF_MEMBERS: slice(0, n_pairs), OF_NONMEMBERS: slice(n_pairs, None)}
    linked, linked_control = [], []
    for group, side in sides.items():
        found = compare_distances(
            generated[:, side],
            None if control is None else control[:, side],
            measured[:n_pairs],
            measured[n_pairs:],
            parameters.n_permutations,
            bootstrap,
            seed,
            own_pair=np.arange(n_pairs),
        )
        yield from _comparison_rows(model, group, found, groups)
        linked.append(linked_share(generated[:, side], measured[side]))
        if control is not None:
            linked_control.append(linked_share(control[:, side], measured[side]))
    yield _regeneration_row(model, generated, control, measured, n_pairs, bootstrap, seed)
    yield _linkage_row(model, linked, linked_control, bootstrap, seed)


def _regeneration_row(
    model: tuple[str, str, str],
    generated: Array,
    control: Array | None,
    measured: Array,
    n_pairs: int,
    bootstrap: BootstrapParameters,
    seed: int,
) -> dict[str, Any]:
    def by_group(draws: Array) -> tuple[Array, Array]:
        nearness = -own_distances(draws, measured)
        return nearness[:n_pairs], nearness[n_pairs:]

    scores = by_group(generated)
    result = attack_result(*scores, bootstrap, seed)
    row = membership_row(REGENERATION, model, "all sources", MATCHED, result)
    if control is None:
        return row | {"null": np.nan}
    expected = by_group(control)
    counts = (
        resample_patients(n_pairs, bootstrap.repeats, seed),
        resample_patients(n_pairs, bootstrap.repeats, seed + 1),
    )
    resampled = auroc(*scores, counts) - auroc(*expected, counts)
    return row | {"null": auroc(*expected)[0]} | _difference(resampled, bootstrap)


def _linkage_row(
    model: tuple[str, str, str],
    linked: list[Array],
    linked_control: list[Array],
    bootstrap: BootstrapParameters,
    seed: int,
) -> dict[str, Any]:
    members, nonmembers = linked
    # Pairs are drawn: they have the same cancer type.
    counts = resample_patients(len(members), bootstrap.repeats, seed)
    resampled = counts @ (members - nonmembers) / len(members)
    found = estimate(members.mean() - nonmembers.mean(), resampled, bootstrap.level)
    null: dict[str, float] = {"null": np.nan}
    if linked_control:
        expected = linked_control[0] - linked_control[1]
        difference = resampled - counts @ expected / len(members)
        null = {"null": expected.mean(), **_difference(difference, bootstrap)}
    return attack_row(
        LINKAGE,
        model,
        "all sources",
        MATCHED,
        "linked_share_difference",
        **vars(found),
        **null,
        n_members=len(members),
        n_nonmembers=len(nonmembers),
        note=f"linked: {members.mean():.3f} of members, {nonmembers.mean():.3f} of non-members",
    )


def _difference(resampled: Array, bootstrap: BootstrapParameters) -> dict[str, float]:
    """Return the interval of a statistic less that of the control over the same patients."""
    low, high = central_interval(resampled, bootstrap.level)
    return {"difference_low": float(low), "difference_high": float(high)}


def _comparison_rows(
    model: tuple[str, str, str], group: str, found: list[Comparison], groups: MatchedGroups
) -> Iterator[dict[str, Any]]:
    setting = "no source" if group == UNCONDITIONAL else "all sources"
    sizes: dict[str, Any] = {"n_members": groups.n_pairs, "n_nonmembers": groups.n_pairs}
    for comparison in found:
        yield attack_row(NEAREST_RECORD, model, setting, group, **vars(comparison), **sizes)
