"""The nodes that train what predicts new patients."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator

from tcga_coherent.completion.predictor import Predictor
from tcga_coherent.datasets.checkpoint import Checkpoint, CheckpointDataset
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.pipelines.evaluation import create_pipeline
from tcga_coherent.studies.prioritisation.table import AREA_COLUMNS
from tcga_coherent.studies.rescue.table import headline_rows, rescue_table
from tests.pipelines.lane_inputs import by_lane, draws_by_lane
from tests.simulated_draws import N_DRAWS, simulate
from tests.studies.rescue.made_up_rescue import made_up_scores, made_up_tasks

MODALITIES = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": []}
    for name in ("cna", "rnaseq", "rppa")
}
TASKS = ("stage", "survival")


@pytest.fixture
def made(repo_root, tmp_path, lanes_of) -> dict[str, Checkpoint]:
    """What the nodes make of a cohort in which nobody died."""
    lanes_of(MODALITIES)
    with open(repo_root / "conf/base/parameters/evaluation.yml", encoding="utf-8") as file:
        raw = yaml.safe_load(file)
    parameters = ParameterValidator({"evaluation": create_pipeline()}).validate_raw_params(raw)
    simulation = simulate(list(MODALITIES), n_patients=240)
    severe = simulation.split["cancer_type"] == "LUAD"
    clinical = pd.DataFrame(
        {"stage": np.where(severe, "I", "III"), "os_event": 0.0, "os_days": 10.0},
        index=simulation.split.index,
    )
    inputs = {
        "baseline_predictions": simulation.baseline_predictions,
        **draws_by_lane(simulation.test_draws),
        **by_lane(latents=simulation.latents),
        **{f"encoders/{n}": Checkpoint({"axes": np.full(1, n == "cna")}) for n in MODALITIES},
        "split": simulation.split,
        "presence": simulation.presence,
        "clinical": clinical,
        "params:source_sets": "all",
        "params:modalities": MODALITIES,
        "params:coherent_sampling": SamplingConfig(n_draws=N_DRAWS, antithetic=False),
        "params:evaluation": replace(
            parameters["evaluation"], forests=ForestParameters(5, 5, 30.0)
        ),
        "table2_rescue_table": headline_rows(
            rescue_table(made_up_scores(), made_up_tasks(), (), 0.95)
        ),
        "counterfactual_area_table": pd.DataFrame(columns=AREA_COLUMNS),
    }
    catalog = DataCatalog(
        {name: MemoryDataset(data, copy_mode="assign") for name, data in inputs.items()}
    )
    for task in TASKS:
        file = tmp_path / "downstream" / f"{task}.safetensors"
        catalog[f"downstream/{task}"] = CheckpointDataset(filepath=str(file), optional=True)
    nodes = [f"downstream.train_{task}" for task in TASKS]
    SequentialRunner().run(create_pipeline().only_nodes(*nodes), catalog)
    return {task: catalog.load(f"downstream/{task}") for task in TASKS}


def test_a_possible_task_has_a_model_and_an_impossible_one_its_reason(made) -> None:
    assert made["survival"].arrays == {}
    assert made["survival"].metadata["task"] == "survival"
    assert "training patients are censored" in made["survival"].metadata["reason"]
    predictor = Predictor.from_checkpoint(made["stage"])
    assert predictor.forest.outputs == ("I", "III")
    assert predictor.losses["coherent/rnaseq"]["metric"] == "macro_f1"
    assert predictor.verdicts == {}
    assert len(predictor.references["coherent/cna+rppa/cna/expected_change"]) == 80
    assert predictor.encoders == {
        name: fingerprint_arrays({"axes": np.full(1, name == "cna")}) for name in MODALITIES
    }


def test_each_task_is_a_node_of_the_evaluation_that_runs_by_its_tag(lanes_of) -> None:
    lanes_of(MODALITIES)
    tagged = create_pipeline().only_nodes_with_tags("downstream")
    assert tagged.all_outputs() == {
        "baseline_predictions", *(f"downstream/{task}" for task in TASKS)
    }  # fmt: skip
