import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator
from matplotlib.image import imread
from omegaconf import OmegaConf
from pydantic import TypeAdapter

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import ArchitectureConfig, TrainingConfig, ValidationConfig
from tcga_coherent.diffusion.training import tuning as tuning_module
from tcga_coherent.diffusion.training.trainer import StackTrainer
from tcga_coherent.diffusion.training.tuning import ModelScore, Trial
from tcga_coherent.diffusion.training.tuning_config import TuningConfig, apply_settings
from tcga_coherent.pipeline_registry import MAIN_JOB
from tcga_coherent.pipelines.tuning import create_pipeline
from tcga_coherent.pipelines.tuning.nodes import search_hyperparameters, tabulate_search
from tcga_coherent.pipelines.tuning.tables import as_yaml, best_table, trials_table
from tests.pipelines.lane_inputs import by_lane
from tests.pipelines.latent_cohort import lazily

MODALITIES = {
    "cna": {"label": "CNA", "color": "#0072B2", "steps": []},
    "rppa": {"label": "RPPA", "color": "#009E73", "steps": []},
}
CONFIG = TrainingConfig(
    architecture=ArchitectureConfig(hidden_dim=16, n_layers=3, time_dim=8, condition_dim=4),
    validation=ValidationConfig(n_draws=2, n_steps=5),
    batch_size=16,
)
TUNING = TuningConfig(
    space={"learning_rate": (1e-2, 1e-3), "n_layers": (1, 2)},
    sampler="grid",
    n_trials=3,
    max_steps=4,
    validation_every=2,
)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def trainings(monkeypatch) -> list[TrainingConfig]:
    """Parameters of the trainings that are started."""
    started = []

    class CountedTrainer(StackTrainer):
        def __init__(self, tasks, shape, config, device) -> None:
            started.append(config)
            super().__init__(tasks, shape, config, device)

    monkeypatch.setattr(tuning_module, "StackTrainer", CountedTrainer)
    return started


def cohort(seed: int = 0) -> dict:
    """Inputs of the search for 60 patients with two modalities."""
    rng = np.random.default_rng(seed)
    patients = pd.Index([f"TCGA-{i:03d}" for i in range(60)], name="patient_id")
    frames = {
        name: pd.DataFrame(rng.normal(size=(60, 2)), patients, ["z00", "z01"], np.float32)
        for name in MODALITIES
    }
    split = pd.DataFrame({"split": np.repeat(["train", "val"], [45, 15])}, index=patients)
    return {
        "frames": frames,
        "conditions": {name: frame.assign(c000=frame["z00"]) for name, frame in frames.items()},
        "split": split,
    }


def states(former: Checkpoint, tuning: TuningConfig = TUNING, seed: int = 0) -> list[Checkpoint]:
    inputs = cohort(seed)
    return list(
        search_hyperparameters(**inputs, former=former, config=CONFIG, tuning=tuning, device="cpu")
    )


def run(repo_root: Path, tuning: TuningConfig = TUNING) -> Path:
    """Run the pipeline with the project's own catalog; return the folder of reports."""
    config = OmegaConfigLoader(
        conf_source=str(repo_root / "conf"), base_env="base", default_run_env="local", env="demo"
    )
    names = ("{name}_table", "{name}_figure", "tuning_state", "former_tuning_state")
    catalog = DataCatalog.from_config({name: config["catalog"][name] for name in names})
    inputs = cohort()
    memory = {
        **by_lane(
            latents=lazily(inputs["frames"]),
            codes=lazily({k: v[["c000"]] for k, v in inputs["conditions"].items()}),
        ),
        "split": inputs["split"],
        "params:modalities": MODALITIES,
        "params:diffusion_training": CONFIG,
        "params:tuning": tuning,
        "params:compute.device": "cpu",
    }
    for name, data in memory.items():
        catalog[name] = MemoryDataset(data, copy_mode="assign")
    SequentialRunner().run(create_pipeline(), catalog)
    return Path("data/08_reporting/demo")


def test_two_runs_give_the_same_tables_and_the_second_trains_nothing(
    repo_root, tmp_path, monkeypatch, trainings, caplog, lanes_of
):
    lanes_of(MODALITIES)
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        folder = run(repo_root)
    first = {name: (folder / name).read_bytes() for name in ("tuning.csv", "tuning_best.csv")}
    table = pd.read_csv(folder / "tuning.csv")
    assert list(table["trial"]) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(table["model"]) == {"cna_from_rppa", "rppa_from_cna"}
    assert list(table.columns) == [
        *("trial", "model", "state", "learning_rate", "n_layers"),
        *("energy_score", "mse", "best_step"),
    ]
    best = pd.read_csv(folder / "tuning_best.csv")
    assert list(best["model"]) == ["cna_from_rppa", "rppa_from_cna", "all"]
    assert min(imread(folder / "tuning.png").shape[:2]) > 300
    assert "As parameters:\ndiffusion_training:\n  learning_rate: 0.0" in caplog.text
    n_trainings = len(trainings)
    run(repo_root)
    assert {name: (folder / name).read_bytes() for name in first} == first
    assert len(trainings) == n_trainings


def test_a_killed_search_goes_on_after_its_last_whole_trial(trainings):
    whole = states(Checkpoint({}))
    n_trainings = len(trainings)
    assert [state.metadata["finished"] for state in whole] == [False] * 4 + [True]
    resumed = states(whole[1])
    assert resumed[-1] == whole[-1]
    assert len(trainings) == n_trainings + (n_trainings - 2)


def test_a_longer_search_adds_trials_and_a_shorter_one_keeps_the_first(trainings):
    stored = states(Checkpoint({}))[-1]
    n_trainings = len(trainings)
    longer = replace(TUNING, n_trials=4)
    more = states(stored, longer)[-1]
    assert len(trainings) <= n_trainings + 1
    long_table, _ = tabulate_search(more, CONFIG, longer)
    table, _ = tabulate_search(states(more)[-1], CONFIG, TUNING)
    assert len(long_table) == 2 * 5
    pd.testing.assert_frame_equal(table, long_table[: 2 * 4])


def test_trials_of_other_latents_are_kept_but_not_taken_for_these(trainings):
    stored = states(Checkpoint({}))[-1]
    n_trainings = len(trainings)
    other = states(stored, seed=1)[-1]
    assert len(trainings) == 2 * n_trainings
    assert other.metadata["searches"].items() > stored.metadata["searches"].items()
    assert states(other)[-1].metadata["current"] == stored.metadata["current"]
    assert len(trainings) == 2 * n_trainings


def test_the_multi_family_and_chosen_models_are_searched(trainings):
    tuning = replace(TUNING, family="multi", models=("rppa",), n_trials=1)
    table, best = tabulate_search(states(Checkpoint({}), tuning)[-1], CONFIG, tuning)
    assert list(table["model"]) == ["rppa", "rppa"]
    assert list(best["model"]) == ["rppa", "all"]


def test_an_unfinished_search_is_not_tabulated():
    with pytest.raises(ValueError, match=r"search is not finished\. Run the tuning pipeline again"):
        tabulate_search(states(Checkpoint({}))[1], CONFIG, TUNING)


def test_the_best_table_has_the_best_trial_of_each_model_and_of_their_mean():
    def trial(size, first, second):
        scores = {"a": ModelScore(*first, 10), "b": ModelScore(*second, 20)}
        return Trial({"hidden_dim": size}, False, scores, ((20, 0.0),))

    trials = [
        trial(8, (5.0, 1.0), (5.0, 1.0)),
        trial(16, (3.0, 2.0), (6.0, 2.0)),
        trial(32, (4.0, 0.5), (4.5, 2.0)),
        trial(64, (np.inf, np.inf), (4.0, 3.0)),
    ]
    table = best_table(trials_table(trials), ["hidden_dim"], "energy_score")
    expected = pd.DataFrame(
        {
            "model": ["a", "b", "all"],
            "trial": [1, 3, 2],
            "hidden_dim": [16, 64, 32],
            "energy_score": [3.0, 4.0, 4.25],
            "mse": [2.0, 3.0, 1.25],
            "default_energy_score": [5.0, 5.0, 5.0],
            "default_mse": [1.0, 1.0, 1.0],
        }
    )
    pd.testing.assert_frame_equal(table, expected)
    by_mse = best_table(trials_table(trials), ["hidden_dim"], "mse")
    # Trials 0 and 1 tie for b: the present settings stay.
    assert list(by_mse["trial"]) == [2, 0, 0]


def test_the_logged_yaml_gives_the_settings_of_the_trial():
    settings = {"learning_rate": 1e-5, "batch_size": 64, "hidden_dim": 512, "n_layers": 7}
    text = as_yaml(Trial(settings, False, {}, ()))
    parameters = OmegaConf.to_container(OmegaConf.create(text))
    config = TypeAdapter(TrainingConfig).validate_python(parameters["diffusion_training"])
    assert config == apply_settings(TrainingConfig(), settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_trails": 3}, "n_trails"),
        ({"n_trials": 0}, "n_trials"),
        ({"sampler": "anneal"}, "'grid', 'random' or 'tpe'"),
        ({"space": {"depth": [3]}}, r"tuning\.space\.depth is no hyperparameter"),
    ],
)
def test_a_bad_parameter_is_refused_before_the_run_by_its_key(repo_root, change, message):
    with open(repo_root / "conf/base/parameters/tuning.yml", encoding="utf-8") as file:
        parameters = yaml.safe_load(file)["tuning"]
    validator = ParameterValidator({"tuning": create_pipeline()})
    assert validator.validate_raw_params({"tuning": parameters})["tuning"].n_trials == 20
    with pytest.raises(Exception, match=message):
        validator.validate_raw_params({"tuning": parameters | change})


def test_the_search_is_no_part_of_the_main_job():
    assert "tuning" not in MAIN_JOB
