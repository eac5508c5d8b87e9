"""Environments that would be misread are refused before anything runs."""

import shutil

import pytest
import yaml
from kedro.validation import ParameterValidationError

from tests.end_to_end.projects import Project


@pytest.fixture
def project(repo_root, tmp_path):
    return Project.copy(repo_root, tmp_path / "project", "demo")


def copied(project, name, environment=...):
    """Copy conf/demo to another environment; `environment` is what its globals say."""
    folder = project.root / "conf" / name
    shutil.copytree(project.conf, folder)
    globals_file = folder / "globals.yml"
    stated = yaml.safe_load(globals_file.read_text())
    if environment is ...:
        del stated["environment"]
    else:
        stated["environment"] = environment
    globals_file.write_text(yaml.safe_dump(stated, sort_keys=False))
    return Project(project.root, name)


@pytest.mark.parametrize("stated", ["demo", "../../elsewhere", None, ...])
def test_an_environment_that_would_write_among_other_results_is_refused(project, stated):
    other = copied(project, "mine", stated)
    with pytest.raises(ParameterValidationError, match=r"say `environment: mine` in .*globals.yml"):
        other.context()
    assert not (project.root / "data").exists()


def test_an_environment_of_its_own_name_is_fine(project):
    assert copied(project, "mine", "mine").context().env == "mine"


def rename_entry(project, old, new):
    """Rename an entry of the environment's catalog; None takes it out."""
    file = project.conf / "catalog" / "ingestion.yml"
    entries = yaml.safe_load(file.read_text())
    entry = entries.pop(old)
    if new is not None:
        entries[new] = entry
    file.write_text(yaml.safe_dump(entries))


def test_a_misspelt_dataset_is_refused_where_that_of_base_would_be_used(project):
    rename_entry(project, "raw_clinical", "raw_clincal")
    with pytest.raises(ParameterValidationError, match="'raw_clincal': did you mean 'raw_clinical"):
        project.context()


@pytest.mark.parametrize("misspelt", ["raw/rppe", "raw/proteome"])
def test_raw_data_of_a_modality_that_the_parameters_do_not_know_are_refused(project, misspelt):
    rename_entry(project, "raw/rppa", misspelt)
    with pytest.raises(ParameterValidationError) as caught:
        project.context()
    message = str(caught.value)
    if misspelt == "raw/rppe":
        assert "names the unknown dataset 'raw/rppe': did you mean 'raw/rppa'?" in message
    else:
        assert "The catalog has raw/proteome" in message
        assert "`modalities` know cna, rnaseq, rppa, wsi: add proteome there" in message


METHYLATION = {"label": "Methylation", "color": "#56B4E9", "steps": []}


def test_a_modality_without_raw_data_is_refused(project):
    project.change_parameters({"modalities": {"methylation": METHYLATION}})
    with pytest.raises(
        ParameterValidationError,
        match=r"have methylation, but the catalog has no entry raw/methylation, only raw/cna, .*raw/wsi: add it "
        r"in .*conf, or set the modality to null",
    ):
        project.context()


def test_a_modality_that_is_null_may_have_raw_data_or_none(project):
    project.change_parameters({"modalities": {"wsi": None}})
    assert "raw/wsi" in project.context().catalog


def test_a_dataset_of_ones_own_is_no_misspelling(project):
    (project.conf / "catalog" / "own.yml").write_text(
        "weights_of_mice:\n  type: pandas.CSVDataset\n  filepath: mice.csv\n"
    )
    assert "weights_of_mice" in project.catalog()


def test_a_misspelt_group_in_a_file_is_refused(project):
    (project.conf / "parameters" / "own.yml").write_text("coherent_samplng: {n_draws: 2}\n")
    with pytest.raises(ParameterValidationError, match="did you mean coherent_sampling"):
        project.context()


def test_overrides_in_local_that_do_not_apply_are_said_loudly(project, caplog):
    local = project.root / "conf" / "local"
    local.mkdir()
    (local / "parameters.yml").write_text("compute: {threads: 2}\n")
    context = project.context()
    assert context.params["compute"]["threads"] == 1
    assert "parameters.yml, which do NOT apply to --env demo" in caplog.text
    caplog.clear()
    assert Project(project.root, "local").context().params["compute"]["threads"] == 2
    assert "do NOT apply" not in caplog.text
