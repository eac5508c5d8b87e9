"""Made-up recordings of trainings on halves."""

import numpy as np
import pandas as pd

from tcga_coherent.cohort import Cohort
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.privacy.known_members.shadows import LOSS, SELECTED

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.95)
MODELS = [
    ("single", "cna", "rnaseq"),
    ("multi", "cna", "rnaseq"),
    ("coherent", "cna", "rnaseq"),
    ("standard_normal", "cna", ""),
]
KNOWN = pd.Index([f"k{i}" for i in range(80)], name="patient_id")
TEST = pd.Index([f"t{i}" for i in range(60)], name="patient_id")
TYPES = pd.Series("LUAD", index=KNOWN.append(TEST))
LEVELS = ["t100", "t500"]


def make_cohort() -> Cohort:
    frame = pd.DataFrame(np.zeros((140, 2)), index=TYPES.index)
    return Cohort({"cna": frame, "rnaseq": frame}, KNOWN, TEST[:0], TEST, TYPES)


def make_shadows(memory: float, shift: float = 0.0) -> tuple[pd.DataFrame, dict]:
    """Return recorded losses, and the released models' losses of the same patients.

    `memory` lowers the logarithm of members' losses under models, `shift` that of test patients under
    everything, as an encoder that fits training patients better would raise it.
    """
    random = np.random.default_rng(0)
    hard = random.normal(size=(140, 1))
    hard[80:] -= shift
    first = [random.permutation(80) < 40 for _ in range(3)]
    rows = []
    for number in range(6):
        inside = first[number // 2] ^ bool(number % 2)
        for method, target, source in MODELS:
            effect = 0 if method == "standard_normal" else -memory
            logs = hard + 0.05 * random.normal(size=(140, 2))
            logs[:80] += effect * inside[:, None]
            rows.append(
                pd.DataFrame(np.exp(logs), columns=LEVELS).assign(
                    kind_of_row=LOSS,
                    checkpoint=SELECTED,
                    repeat=number,
                    method=method,
                    target=target,
                    source=source,
                    patient_id=TYPES.index,
                    member=pd.array([*inside, *[pd.NA] * 60], dtype="boolean"),
                )
            )
    released = {}
    for model in MODELS:
        logs = hard + 0.05 * random.normal(size=(140, 2))
        logs[:80] -= memory * (model[0] != "standard_normal")
        released[model] = np.exp(logs)
    return pd.concat(rows, ignore_index=True), released
