"""Some real patients through the environment of a cohort of one's own, and others completed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow.parquet import read_schema

from tests.end_to_end.projects import SMALL_BUDGETS, Project

MODALITIES = ("cna", "rnaseq", "rppa", "wsi")
# Patients of each cancer type; LIHC has no proteins and, like KIRC, no slides.
PATIENTS = {"BRCA": 130, "LUAD": 90, "STAD": 90, "KIRC": 50, "LIHC": 40}
GENES = 2_000
N_DRAWS = SMALL_BUDGETS["coherent_sampling"]["n_draws"]


@pytest.fixture(scope="module")
def clinical(shared_dir: Path) -> pd.DataFrame:
    return pd.read_parquet(shared_dir / "cohort/clinical.parquet")


@pytest.fixture(scope="module")
def members(clinical: pd.DataFrame) -> pd.Index:
    """Patients whose data the models are trained on."""
    chosen = [
        clinical.index[clinical["cancer_type"] == cancer_type][:number]
        for cancer_type, number in PATIENTS.items()
    ]
    return pd.Index(np.concatenate(chosen))


@pytest.fixture(scope="module")
def strangers(clinical: pd.DataFrame) -> pd.Index:
    """Patients whom the models have never seen."""
    return clinical.index[clinical["cancer_type"] == "LUAD"][200:204]


@pytest.fixture(scope="module")
def matrices(shared_dir: Path, members: pd.Index, strangers: pd.Index) -> dict[str, pd.DataFrame]:
    """Features x patients as they lie in the cohort's files, of few patients and genes."""
    wanted = members.append(strangers)
    found = {}
    for name in MODALITIES:
        path = shared_dir / f"cohort/{name}.parquet"
        measured = wanted[wanted.isin(read_schema(path).names)]
        matrix = pd.read_parquet(path, columns=list(measured))
        found[name] = matrix.iloc[:: max(1, len(matrix) // GENES)]
    return found


@pytest.fixture(scope="module")
def cohort(
    repo_root: Path,
    clinical: pd.DataFrame,
    members: pd.Index,
    matrices: dict[str, pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """Train on the members and complete them."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "raw").mkdir()
    clinical.loc[members].to_parquet(folder / "raw/clinical.parquet")
    for name, matrix in matrices.items():
        here = matrix.loc[:, matrix.columns.isin(members)]
        here.to_parquet(folder / f"raw/{name}.parquet")
    project = Project.copy(repo_root, folder / "project", "cohort")
    project.change_parameters(
        {**SMALL_BUDGETS, "modalities": {name: {"latent_size": 8} for name in MODALITIES}}
    )
    project.run(
        params={"cohort_dir": str(folder / "raw")},
        to_outputs=[
            "table1_reconstruction_table",
            *(f"completed_cohort/decoded_mean/{name}" for name in MODALITIES),
        ],
    )
    return project


def test_the_cohort_is_trained_tabulated_and_completed(cohort: Project, members: pd.Index) -> None:
    table = pd.read_csv(cohort.path("08_reporting", "table1_reconstruction.csv"))
    assert len(table) == 4 * (3 + 7 + 4 * 7 + 7)
    assert np.isfinite(table["r2_of_mean"]).all()
    presence = pd.read_parquet(cohort.path("05_model_input", "presence.parquet"))
    assert len(presence) > 0.98 * len(members)
    flags = pd.read_parquet(cohort.path("07_model_output", "completed_cohort/flags.parquet"))
    possible = flags[flags["status"] != "impossible"]
    assert possible.groupby("modality").size().to_dict() == dict.fromkeys(MODALITIES, len(presence))
    folder = cohort.path("07_model_output", "completed_cohort/decoded_mean")
    for name in MODALITIES:
        lacking = presence.index[~presence[name]]
        assert np.isfinite(pd.read_parquet(folder / f"{name}.parquet").loc[lacking]).all(axis=None)


def test_log_ratios_that_were_measured_pass_through_unclipped(
    cohort: Project, matrices: dict[str, pd.DataFrame]
) -> None:
    presence = pd.read_parquet(cohort.path("05_model_input", "presence.parquet"))
    mean = pd.read_parquet(
        cohort.path("07_model_output", "completed_cohort/decoded_mean/cna.parquet")
    )
    measured = presence.index[presence["cna"]]
    expected = matrices["cna"].T.loc[measured, mean.columns]
    assert (expected.abs() > 2).any(axis=None)
    np.testing.assert_array_equal(mean.loc[measured], expected)


def test_new_patients_are_completed_and_members_get_their_latents_again(
    cohort: Project,
    matrices: dict[str, pd.DataFrame],
    members: pd.Index,
    strangers: pd.Index,
    tmp_path: Path,
) -> None:
    presence = pd.read_parquet(cohort.path("05_model_input", "presence.parquet"))
    split = pd.read_parquet(cohort.path("05_model_input", "split.parquet"))["split"]
    tested = split.index[split == "test"][:5]
    # Patients without proteins, whose gaps would be imputed from other donors than in the cohort.
    pattern = presence["cna"] & presence["rnaseq"] & ~presence["rppa"]
    incomplete = presence.index[pattern][:5]
    hidden = {name: strangers[[number]] for number, name in enumerate(MODALITIES)}
    (tmp_path / "in").mkdir()
    for name, matrix in matrices.items():
        wanted = tested.append(incomplete).append(strangers.difference(hidden[name]))
        matrix.loc[:, matrix.columns.isin(wanted)].to_parquet(tmp_path / f"in/{name}.parquet")
    cohort.run(
        "complete",
        params={
            "completion": {
                "input_dir": str(tmp_path / "in"),
                "output_dir": str(tmp_path / "out"),
            }
        },
    )

    flags = pd.read_parquet(tmp_path / "out/flags.parquet").set_index(["patient_id", "modality"])
    for name, patient in ((name, hidden[name][0]) for name in MODALITIES):
        row = flags.loc[(patient, name)]
        assert row["status"] == "generated"
        others = [n for n in MODALITIES if patient in matrices[n].columns and n != name]
        assert row["sources"] == "+".join(others)
    for name in MODALITIES:
        for part in ("latent_mean", "latent_sd", "decoded_mean", "decoded_sd"):
            found = pd.read_parquet(tmp_path / f"out/{part}/{name}.parquet")
            assert set(strangers) <= set(found.index)
            again = tested.append(incomplete)
            expected = pd.read_parquet(
                cohort.path("07_model_output", f"completed_cohort/{part}/{name}.parquet")
            )
            np.testing.assert_allclose(
                found.loc[again], expected.loc[again], rtol=1e-4, atol=1e-4, equal_nan=True
            )
