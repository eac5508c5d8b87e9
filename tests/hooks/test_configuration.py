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


def test_a_misspelt_dataset_is_refused_where_that_of_base_would_be_used(project):
    catalog = project.conf / "catalog" / "raw.yml"
    files = [*(project.conf / "catalog").glob("*.yml")]
    assert files
    entries = yaml.safe_load(files[0].read_text())
    entries["raw_modalites"] = entries.pop("raw_modalities")
    files[0].unlink()
    catalog.write_text(yaml.safe_dump(entries))
    with pytest.raises(ParameterValidationError, match="'raw_modalites': did you mean 'raw_modal"):
        project.context()


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
