"""A cohort in which nobody has every modality goes all the way: pairs are all that the method needs."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.end_to_end.projects import Project, small_demo

pytestmark = pytest.mark.runs


@pytest.fixture(scope="module")
def project(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = small_demo(repo_root, tmp_path_factory.mktemp("incomplete") / "demo")
    file = project.conf / "globals.yml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    for cohort in settings["simulation"]["cohorts"].values():
        most = int(0.55 * cohort["total"])
        cohort["complete"] = 0
        cohort["measured"] = {m: min(n, most) for m, n in cohort["measured"].items()}
    file.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    project.run(to_outputs=["table1_reconstruction_table", "completed_cohort/flags"])
    return project


def test_nobody_is_complete_and_those_with_two_modalities_are_tested(project: Project) -> None:
    presence = pd.read_parquet(project.path("05_model_input", "presence.parquet"))
    split = pd.read_parquet(project.path("05_model_input", "split.parquet"))
    assert not presence.all(axis=1).any()
    held_out = split["split"] != "train"
    assert held_out.sum() > 20
    assert (presence[held_out].sum(axis=1) >= 2).all()


def test_each_comparison_is_of_the_test_patients_who_have_what_it_takes(project: Project) -> None:
    presence = pd.read_parquet(project.path("05_model_input", "presence.parquet"))
    split = pd.read_parquet(project.path("05_model_input", "split.parquet"))
    test = presence[split["split"] == "test"]
    table = pd.read_csv(project.path("08_reporting", "table1_reconstruction.csv"))
    assert len(table) > 40
    for row in table.itertuples():
        needed = [row.target, *row.source.split("+")]
        assert row.n_patients == test[needed].all(axis=1).sum() >= 2
    assert table.groupby("target")["best"].sum().eq(1).all()


def test_every_patient_is_completed(project: Project) -> None:
    presence = pd.read_parquet(project.path("05_model_input", "presence.parquet"))
    flags = pd.read_parquet(project.path("07_model_output", "completed_cohort/flags.parquet"))
    generated = flags[flags["status"] == "generated"]
    assert len(generated) == (~presence).to_numpy().sum()
