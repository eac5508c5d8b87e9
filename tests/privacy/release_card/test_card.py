import numpy as np
import pandas as pd
import pytest

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.privacy.release_card.card import (
    FAMILIES,
    TABLES,
    ReleaseCardParameters,
    Released,
    write_card,
)
from tcga_coherent.report.parts import Parts
from tests.pipelines.latent_cohort import SAMPLING

LABELS = {"cna": "CNA", "wsi": "WSI"}
UNSTATED = ReleaseCardParameters("Small models", None, None, None)


def denoiser(target: str, source: str, seed: int, latents: str = "aa11") -> Checkpoint:
    return Checkpoint(
        {"weight": np.zeros((3, 7))},
        {
            **{"target": target, "sources": [source], "step": 125 * (seed + 1)},
            **{"n_train": 1234 + seed, "version": "0.1.0"},
            "process": {"n_timesteps": 1000},
            "training": {"max_steps": 2500, "architecture": {"hidden_dim": 8}},
            "fingerprints": {"latents": {target: latents}, "encoders": {target: "ee22"}},
        },
    )


def released(**changes: Checkpoint) -> Released:
    single = {"cna_from_wsi": denoiser("cna", "wsi", 0), "wsi_from_cna": denoiser("wsi", "cna", 1)}
    checkpoints = {family: {} for family in FAMILIES} | {"single": {**single, **changes}}
    return Released(checkpoints, LABELS, SAMPLING)


def tables() -> dict[str, pd.DataFrame]:
    table4 = pd.DataFrame(
        {
            "cancer_type": ["BRCA", "LGG", "TOTAL"],
            **{"total": [60, 40, 100], "cna": [60, 40, 100], "wsi": [31, 0, 31]},
            "complete": [31, 0, 31],
        }
    )
    split = pd.DataFrame(
        {"cancer_type": ["BRCA", "LGG"], "train": [41, 40], "val": [7, 0], "test": [12, 0]}
    )
    table1 = pd.DataFrame(
        {
            **{"target": ["cna"], "method": ["coherent"], "source": ["wsi"]},
            **{"r2_of_mean": [0.4321], "r2_of_mean_low": [0.3], "r2_of_mean_high": [0.5]},
            **{"crps": [0.25], "coverage_50": [0.51], "coverage_90": [0.89], "n_patients": [12]},
        }
    )
    return {"table4_cohort": table4, "split": split, "table1_reconstruction": table1}


def card(having=None, parameters: ReleaseCardParameters = UNSTATED, of=None) -> str:
    having = having or {}
    parts = Parts("small", {name: lambda t=t: t for name, t in having.items()}, {})
    return write_card(of or released(), parts, parameters)


def test_the_card_states_the_numbers_of_the_tables() -> None:
    text = card(tables())
    assert (
        "| CNA | Coherent Denoising | 0.432 [0.300, 0.500] | 0.250 | 0.510 | 0.890 | 12 |" in text
    )
    assert "| BRCA | 60 | 60 | 31 | 31 |" in text
    assert "| TOTAL | 100 | 100 | 31 | 31 |" in text
    assert "| missing |  | 0 % | 69 % | 69 % |" in text
    assert "81 training, 7 validation and 12 test patients" in text
    assert "of 1 of 2 cancer types" in text
    assert "**Never tested on:** LGG." in text


def test_the_card_describes_the_models_and_the_data_they_belong_to() -> None:
    text = card()
    assert "| cna_from_wsi, wsi_from_cna | 42 | 125 to 250 |" in text
    assert "max_steps 2500, architecture (hidden_dim 8)" in text
    assert "1,234 to 1,235 patients each" in text
    assert "| latents of cna | aa11 |" in text
    assert "All denoisers agree" in text


def test_denoisers_of_different_trainings_are_pointed_out() -> None:
    text = card(of=released(other=denoiser("cna", "wsi", 0, latents="bb33")))
    assert "aa11 / bb33" in text
    assert "not fit for release" in text


def test_what_is_absent_is_said_with_the_command_that_makes_it() -> None:
    text = card()
    absent = text[text.index("## Absent") :]
    for name in TABLES:
        assert f"{name}.csv" in absent
    assert "table1_reconstruction.csv: `kedro run --env small --pipeline evaluation" in absent
    assert "screening.csv: `kedro run --env small --pipeline privacy`" in absent
    assert "table4_cohort.csv" not in card(tables())
    assert text.count("**Not measured") == 3


def test_what_only_the_releaser_can_say_is_stated_or_said_to_be_missing() -> None:
    text = card()
    for key in ("intended_use", "data_licence", "contact"):
        assert f"privacy.release_card.{key}" in text
    stated = ReleaseCardParameters("M", "To impute <x> & y.", "CC BY 4.0", "a@example.org")
    text = card(parameters=stated)
    assert text.startswith("# M: release card\n")
    for words in ("To impute <x> & y.", "CC BY 4.0", "a@example.org"):
        assert words in text
    assert "privacy.release_card" not in text


def test_there_is_no_card_without_models() -> None:
    nothing = Released({family: {} for family in FAMILIES}, LABELS, SAMPLING)
    with pytest.raises(ValueError, match=r"no denoisers .* run the diffusion_training pipeline"):
        card(of=nothing)
