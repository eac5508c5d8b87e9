"""The steps that parameters can name, and how they become transforms."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from tcga_coherent.omics.features.feature_filters import (
    DropConstantFeatures,
    DropEmptyFeatures,
    DropLowExpression,
    DropMissingFeatures,
    ThinCorrelatedNeighbours,
    TopVariance,
)
from tcga_coherent.omics.features.feature_scales import CenterMedian, RankNormal, Standardise
from tcga_coherent.omics.features.transforms import (
    Arcsinh,
    Clip,
    Log2CopyRatio,
    Log2CountsToCpm,
    Log2PlusOne,
    Transform,
    ZerosToMissing,
)

StepSpec = str | Mapping[str, Mapping[str, Any]]

KNOWN_STEPS: dict[str, type[Transform]] = {
    step.name: step
    for step in (
        ZerosToMissing,
        Log2CopyRatio,
        Clip,
        Log2CountsToCpm,
        Log2PlusOne,
        Arcsinh,
        CenterMedian,
        RankNormal,
        DropMissingFeatures,
        DropLowExpression,
        TopVariance,
        ThinCorrelatedNeighbours,
    )
}

# Steps that every modality has beside its own; parameters do not name them.
IMPLIED_STEPS: dict[str, type[Transform]] = {
    step.name: step for step in (DropEmptyFeatures, DropConstantFeatures, Standardise)
}


def build_steps(specs: Iterable[StepSpec], key: str) -> list[Transform]:
    """Turn the ``steps`` of a modality's parameters into unfitted transforms.

    Parameters
    ----------
    specs
        Each a name (``arcsinh``) or a mapping from one name to its arguments
        (``{clip: {low: -2, high: 2}}``).
    key
        Parameter key of `specs`, for messages, such as ``modalities.cna.steps``.

    Raises
    ------
    ValueError
        When a step is unknown or its arguments are missing, unknown or out of range.
    """
    return [build_step(spec, key, KNOWN_STEPS) for spec in specs]


def build_step(spec: StepSpec, key: str, known: Mapping[str, type[Transform]]) -> Transform:
    """Turn one entry of ``steps`` into an unfitted transform; see `build_steps`."""
    if not isinstance(spec, str) and len(spec) != 1:
        raise ValueError(
            f"{key}: {dict(spec)} must map one step to its arguments; "
            f"write each step as an entry of its own."
        )
    name, arguments = (spec, {}) if isinstance(spec, str) else next(iter(spec.items()))
    if name not in known:
        raise ValueError(f"{key} names the unknown step {name!r}. Known steps: {', '.join(known)}.")
    try:
        return known[name](**(arguments or {}))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])} {problem['msg']}".strip()
            for problem in error.errors()
        )
        raise ValueError(f"{key}, step {name}: {problems}.") from error
    except ValueError as error:
        raise ValueError(f"{key}, step {name}: {error}.") from error


def with_implied_steps(steps: Iterable[Transform]) -> list[Transform]:
    """Add the steps that every modality has.

    Features without any value go before the first step that learns from patients; features
    without variance go, and the rest is standardised, at the end.
    """
    steps = list(steps)
    leading = len(leading_row_wise(steps))
    return [
        *steps[:leading],
        DropEmptyFeatures(),
        *steps[leading:],
        DropConstantFeatures(),
        Standardise(),
    ]


def leading_row_wise(steps: Iterable[Transform]) -> list[Transform]:
    """Return the first steps up to, without, the first that learns from other patients."""
    leading = []
    for step in steps:
        if not step.row_wise:
            break
        leading.append(step)
    return leading


def describe_step(step: Transform) -> dict[str, dict[str, Any]]:
    """Return the entry of ``steps`` that builds `step`, JSON-serialisable."""
    return {step.name: asdict(step)}  # type: ignore[call-overload]
