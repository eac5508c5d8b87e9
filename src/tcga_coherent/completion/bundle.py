"""All that completing new patients takes, and no row of a patient."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays

# Kinds of checkpoints, called as the folders of an environment's models.
KINDS = (
    "preprocessors",
    "encoders",
    "single",
    "multi",
    "consensus",
    "linear",
    "recalibration",
    "downstream",
)
AGREEMENT = "agreement"
# Groups of parameters that completing reads.
MODALITIES, BARCODES, SAMPLING, COMPLETION = (
    "modalities",
    "barcodes",
    "coherent_sampling",
    "completion",
)


@dataclass(frozen=True)
class Bundle:
    """Fitted models of one environment and the parameters they were made with.

    Attributes
    ----------
    checkpoints
        ``<kind>/<name>`` of :data:`KINDS`, and ``agreement``, to checkpoint.
    parameters
        The groups that completing reads, as mappings.
    release_card
        What the models are, do and give away, in Markdown; empty where there is none.
    manifest
        What the folder that it was read from says of it: version, files and what they were made from. Empty
        where it was read from an environment.
    """

    checkpoints: Mapping[str, Checkpoint]
    parameters: Mapping[str, Any]
    release_card: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """SHA-256 of what all checkpoints hold: the same in an environment and in a bundle of its models."""
        prints = {
            name: fingerprint_arrays(checkpoint.arrays)
            for name, checkpoint in sorted(self.checkpoints.items())
        }
        return hashlib.sha256(json.dumps(prints).encode()).hexdigest()

    def of_kind(self, kind: str) -> dict[str, Callable[[], Checkpoint]]:
        """Return name to a function that returns the checkpoint, as of a partitioned dataset."""
        return {
            name.removeprefix(f"{kind}/"): partial(self.checkpoints.__getitem__, name)
            for name in self.checkpoints
            if name.startswith(f"{kind}/")
        }
