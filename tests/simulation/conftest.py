"""The demo's settings, and a cohort small enough for brute force."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tcga_coherent.simulation.cohort import DemoCohort, simulate_cohort
from tcga_coherent.simulation.settings import parse_simulation

METHYLATION = {
    "source": {"format": "xena", "kind": "methylation450"},
    "scale": "unchanged",
    "features": 6,
    "factors": {"all": {"variance": 0.6, "fidelity": 0.7}},
    "level": [0.2, 0.8],
    "spread": [0.05, 0.1],
    "measured": 0.9,
}

SMALL = {
    "seed": 3,
    "patients": 300,
    "factor_groups": {
        "all": {"size": 3, "tissue_share": 0.5},
        "omics": {"size": 2, "tissue_share": 0.3},
    },
    "modalities": {
        "cna": {
            "source": {"format": "xena", "kind": "gene-level_absolute"},
            "scale": "log2_copy_ratio",
            "features": 5,
            "factors": {
                "all": {"variance": 0.3, "fidelity": 0.3},
                "omics": {"variance": 0.3, "fidelity": 0.5},
            },
            "level": [-0.1, 0.1],
            "spread": [0.2, 0.4],
            "discarded_features": 1,
            "missing_cells": 0.02,
        },
        "rnaseq": {
            "source": {"format": "xena", "kind": "star_counts"},
            "scale": "log2_cpm",
            "features": 8,
            "factors": {
                "all": {"variance": 0.5, "fidelity": 0.9},
                "omics": {"variance": 0.3, "fidelity": 0.8},
            },
            "level": [5.0, 8.0],
            "spread": [0.5, 1.0],
            "discarded_features": 2,
            "degraded_samples": 0.05,
        },
        "wsi": {
            "source": {"format": "titan", "folder": "titan", "width": 6},
            "scale": "unchanged",
            "features": 6,
            "factors": {"all": {"variance": 0.6, "fidelity": 0.6}},
            "level": [0.0, 0.0],
            "spread": [1.0, 1.0],
        },
    },
    "cohorts": {
        "BRCA": {"total": 60, "complete": 40, "measured": {"cna": 50, "rnaseq": 55, "wsi": 45}},
        "OV": {
            "total": 30,
            "complete": 3,
            "measured": {"cna": 28, "rnaseq": 20, "wsi": 6},
            "staged": False,
            "sex": "female",
        },
        "SKCM": {
            "total": 10,
            "complete": 0,
            "measured": {"cna": 0, "rnaseq": 9, "wsi": 8},
            "sample_type": "06",
        },
    },
    "outcomes": {
        "risk_factors_per_group": 1,
        "stage_share": 0.6,
        "stage_missing": 0.0,
        "hazard_ratio": 3.0,
        "median_days": 1000,
        "follow_up_days": [200, 3000],
    },
    "extra_samples": {"normal": 0.1, "second_vial": 0.1, "second_slide": 0.2},
}


@pytest.fixture
def small() -> dict[str, Any]:
    """Return settings of a small cohort, to be changed at will."""
    return deepcopy(SMALL)


@pytest.fixture
def methylation() -> dict[str, Any]:
    """Return the settings of a further modality."""
    return deepcopy(METHYLATION)


@pytest.fixture(scope="session")
def small_cohort() -> DemoCohort:
    """Return the small cohort."""
    return simulate_cohort(parse_simulation(SMALL))


@pytest.fixture(scope="session")
def demo_settings(repo_root: Path) -> dict[str, Any]:
    """Return the settings of the demo environment."""
    text = (repo_root / "conf" / "demo" / "globals.yml").read_text(encoding="utf-8")
    settings: dict[str, Any] = yaml.safe_load(text)["simulation"]
    return settings


@pytest.fixture(scope="session")
def demo_cohort(demo_settings: dict[str, Any]) -> DemoCohort:
    """Return the demo cohort in memory."""
    return simulate_cohort(parse_simulation(demo_settings))
