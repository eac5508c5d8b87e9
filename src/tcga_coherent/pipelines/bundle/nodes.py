"""Nodes of the bundle pipeline."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from tcga_coherent.completion.bundle import (
    AGREEMENT,
    BARCODES,
    COMPLETION,
    KINDS,
    MODALITIES,
    SAMPLING,
    Bundle,
)
from tcga_coherent.completion.completer import Completer
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.stored_models import Checkpoints
from tcga_coherent.omics.patients.barcodes import BarcodeRule

logger = logging.getLogger(__name__)

# What each run says for itself.
OF_A_RUN = {"input_dir": None, "output_dir": None, "models": None, "h5mu": False}


def gather_bundle(
    preprocessors: Checkpoints,
    encoders: Checkpoints,
    single: Checkpoints,
    multi: Checkpoints,
    consensus: Checkpoints,
    linear: Checkpoints,
    recalibration: Checkpoints,
    downstream: Checkpoints,
    agreement: Checkpoint,
    modalities: dict[str, Any],
    barcodes: BarcodeRule,
    sampling: SamplingConfig,
    completion: CompletionConfig,
) -> Bundle:
    """Join what completing reads of an environment."""
    by_kind = (
        *(preprocessors, encoders, single, multi, consensus, linear, recalibration),
        {name: load for name, load in downstream.items() if load().metadata},
    )
    checkpoints = {
        f"{kind}/{name}": load()
        for kind, loaders in zip(KINDS, by_kind, strict=True)
        for name, load in loaders.items()
    }
    parameters = {
        MODALITIES: {name: config for name, config in modalities.items() if config is not None},
        BARCODES: _plain(BarcodeRule, barcodes),
        SAMPLING: _plain(SamplingConfig, sampling),
        COMPLETION: {**_plain(CompletionConfig, completion), **OF_A_RUN},
    }
    return Bundle({**checkpoints, AGREEMENT: agreement}, parameters)


def check_bundle(bundle: Bundle) -> Bundle:
    """Return a bundle that patients can be completed with.

    Raises
    ------
    ValueError
        When its models do not belong together, or its factors of the spread are of other sampling parameters.
    """
    completer = Completer.from_bundle(bundle, "cpu")
    completer.models.check(completer.sampling)
    if completer.predictors:
        logger.warning(
            "The bundle holds downstream models of %s. Who has a patient's measurements can tell from them whether the "
            "patient was trained on: see docs/privacy.md, also for how to pass models on without them.",
            ", ".join(completer.predictors),
        )
    return bundle


def _plain(kind: Any, value: Any) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = TypeAdapter(kind).dump_python(value, mode="json")
    return plain
