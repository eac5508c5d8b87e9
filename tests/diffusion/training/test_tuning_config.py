import dataclasses

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from tcga_coherent.diffusion.training.tuning_config import (
    TuningConfig,
    apply_settings,
    current_settings,
    nest_settings,
)


def test_the_projects_space_is_the_papers_grid(repo_root):
    with open(repo_root / "conf/base/parameters/tuning.yml", encoding="utf-8") as file:
        parameters = yaml.safe_load(file)["tuning"]
    tuning = TypeAdapter(TuningConfig).validate_python(parameters)
    assert tuning.candidates == {
        "learning_rate": (1e-4, 1e-3),
        "batch_size": (64, 128),
        "n_layers": (4, 5, 6, 7),
        "hidden_dim": (256, 512, 1024),
        "time_dim": (64, 128),
        "condition_dim": (8, 16, 32),
    }
    assert dataclasses.replace(tuning, n_trials=None).total_trials == 288
    grid = dataclasses.replace(tuning, sampler="grid", n_trials=1000)
    assert grid.total_trials == 288


def test_settings_take_the_shape_and_checks_of_the_training_parameters(quick):
    settings = {"batch_size": 16, "hidden_dim": 8, "time_dim": 4}
    nested = {"batch_size": 16, "architecture": {"hidden_dim": 8, "time_dim": 4}}
    assert nest_settings(settings) == nested
    changed = apply_settings(quick, settings)
    assert (changed.batch_size, changed.architecture.hidden_dim) == (16, 8)
    assert changed.architecture.condition_dim == quick.architecture.condition_dim
    with pytest.raises(ValidationError, match="time_dim"):
        apply_settings(quick, {"time_dim": 3})


def test_values_are_read_as_the_training_parameters_read_them():
    tuning = TuningConfig(space={"learning_rate": ["1e-4"], "n_layers": ["3"], "batch_size": None})
    assert tuning.candidates == {"learning_rate": (1e-4,), "n_layers": (3,)}


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            {"hidden_size": [8]},
            r"tuning\.space\.hidden_size is no hyperparameter: choose .*hidden_dim",
        ),
        ({"time_dim": [64, 3]}, r"tuning\.space\.time_dim has the value 3: .*multiple of 2"),
        ({"learning_rate": [0]}, r"tuning\.space\.learning_rate has the value 0: .*greater than 0"),
        ({"n_layers": [4, 4.0]}, r"tuning\.space\.n_layers has a value twice"),
        ({"n_layers": []}, r"tuning\.space\.n_layers has no values"),
        ({"n_layers": None}, r"tuning\.space is empty"),
    ],
)
def test_a_bad_space_is_refused_by_its_key(space, message):
    with pytest.raises(ValidationError, match=message):
        TuningConfig(space=space)


def test_the_present_settings_are_those_of_the_training_parameters(quick):
    tuning = TuningConfig(space={"batch_size": [64], "hidden_dim": [8]})
    assert current_settings(quick, tuning) == {"batch_size": 32, "hidden_dim": 32}
