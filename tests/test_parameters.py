"""Every parameter has a type, and a configuration that would be ignored in part is refused."""

import copy
import os

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from tcga_coherent.modality import ModalityConfig
from tcga_coherent.parameters import GROUPS, check_parameters
from tests.test_environments import typed_parameters


@pytest.fixture(scope="module")
def parameters(repo_root):
    bootstrap_project(repo_root)
    with KedroSession.create(repo_root, env="demo") as session:
        return session.load_context().config_loader["parameters"]


def test_the_types_are_those_that_nodes_read(parameters):
    check_parameters(parameters)
    for name, kind in typed_parameters().items():
        group, *keys = name.split(".")
        if group == "modalities":
            assert kind is ModalityConfig
            continue
        expected = GROUPS[group]
        for key in keys:
            expected = expected.__dataclass_fields__[key].type
        assert expected is kind, name


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("coherent_samplng", {}, r"coherent_samplng: there is no such parameter; did you mean coherent_sampling\?"),
        ("compute.devise", "cpu", r"compute.devise: there is no such parameter; did you mean device\?"),
        ("ingestion.clinical_column", {}, r"clinical_column: .* did you mean clinical_columns\?"),
        ("privacy.attacks.shadows.n_training", 4, r"n_training: .* did you mean n_trainings\?"),
        ("compute.device", "mps", r"compute.device: .*, got 'mps'"),
        ("compute.device", None, r"compute.device: .*, got None"),
        ("compute.device", 0, r"compute.device: .*, got 0"),
        ("compute.threads", True, r"compute.threads: .*, got True"),
        ("compute.threads", os.cpu_count() + 1, rf"compute.threads: \d+ is more than this machine's {os.cpu_count()}"),
        ("coherent_sampling", [1, 2], r"coherent_sampling: .*, got \[1, 2\]"),
        ("evaluation.n_repeats", 1, r"evaluation.n_repeats: .*, got 1"),
        ("preprocessing.outliers.rna", {"level": 3.0}, r"preprocessing.outliers .* it has default"),
        ("modalities.cna.color", "bluish", r"modalities.cna.color"),
        ("completion.input_dir", 20240115, r"completion.input_dir: .*write ./20240115"),
    ],
)  # fmt: skip
def test_what_is_unknown_or_impossible_is_named_whichever_pipeline_runs(
    parameters, path, value, message
):
    changed = copy.deepcopy(parameters)
    *groups, key = path.split(".")
    place = changed
    for group in groups:
        place = place[group]
    place[key] = value
    with pytest.raises(ValueError, match=message):
        check_parameters(changed)


def test_a_missing_parameter_is_named(parameters):
    changed = copy.deepcopy(parameters)
    del changed["evaluation"]["seed"], changed["tuning"]
    with pytest.raises(ValueError, match=r"tuning: the parameter is missing; evaluation.seed: the"):
        check_parameters(changed)


def test_groups_that_pipelines_of_the_users_read_are_known(parameters):
    check_parameters({**parameters, "my_study": {"depth": 3}}, frozenset({"my_study"}))
