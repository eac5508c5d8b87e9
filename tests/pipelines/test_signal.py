import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator

from tcga_coherent.datasets.repeats import RepeatsDataset
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.pipelines.evaluation import create_pipeline
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tests.pipelines.lane_inputs import by_lane, draws_by_lane
from tests.simulated_draws import N_DRAWS, simulate

MODALITIES = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": []}
    for name in ("cna", "rnaseq", "rppa")
}
PARTS = ["baselines", "signal"]


@pytest.fixture(scope="module")
def parameters(repo_root) -> EvaluationParameters:
    """The project's own parameters with few repeats of small forests."""
    with open(repo_root / "conf/base/parameters/evaluation.yml", encoding="utf-8") as file:
        raw = yaml.safe_load(file)
    validator = ParameterValidator({"evaluation": create_pipeline()})
    return replace(
        validator.validate_raw_params(raw)["evaluation"],
        n_repeats=2,
        forests=ForestParameters(5, 5, 30.0),
        bootstrap=BootstrapParameters(20, 0.95),
    )


@pytest.fixture
def catalog(parameters, tmp_path, lanes_of) -> DataCatalog:
    lanes_of(MODALITIES)
    cohort = simulate(list(MODALITIES), n_patients=240)
    clinical = pd.DataFrame({"stage": "II"}, index=cohort.split.index)
    clinical["stage"] = np.where(cohort.split["cancer_type"] == "LUAD", "I", "III")
    repeats = RepeatsDataset(path=str(tmp_path / "repeats"))
    inputs = {
        **draws_by_lane(cohort.test_draws),
        **by_lane(latents=cohort.latents, codes=cohort.latents),
        "split": cohort.split,
        "presence": cohort.presence,
        "clinical": clinical,
        "params:source_sets": "all",
        "params:modalities": MODALITIES,
        "params:coherent_sampling": SamplingConfig(n_draws=N_DRAWS, antithetic=False),
        "params:compute.workers": 1,
        "params:evaluation": parameters,
    }
    catalog = DataCatalog(
        {name: MemoryDataset(data, copy_mode="assign") for name, data in inputs.items()}
    )
    catalog["repeats/signal"] = catalog["finished_repeats/signal"] = repeats
    catalog["baseline_predictions"] = _LoadersDataset()
    return catalog


class _LoadersDataset(MemoryDataset):
    """Gives frames back as functions that load them, as a partitioned dataset does."""

    def load(self) -> dict:
        return {name: lambda frame=frame: frame for name, frame in super().load().items()}


class _KeptDataset(MemoryDataset):
    """Still there after the last node has read it."""

    def _release(self) -> None:
        pass


def run(catalog: DataCatalog) -> dict:
    outputs = ("fig2_signal_table", "signal_claims_table", "fig2_signal_figure")
    for name in outputs:
        catalog[name] = _KeptDataset()
    SequentialRunner().run(create_pipeline().only_nodes_with_tags(*PARTS), catalog)
    return {name: catalog.load(name) for name in outputs}


def test_the_part_makes_its_tables_and_figure(catalog, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        made = run(catalog)
    table = made["fig2_signal_table"]
    assert set(table["task"]) == {"cancer_type", "stage"}
    assert table["macro_f1_mean"].notna().all()
    claims = made["signal_claims_table"]
    absent = claims[claims["modality"] == "wsi"]
    assert set(absent["note"]) == {"the cohort has no such modality"}
    assert set(claims["holds"].drop(absent.index)) <= {"yes", "no", "undecided"}
    assert len(made["fig2_signal_figure"]().axes) == 4
    assert "cancer_type from cna, macro F1: measured" in caplog.text


def test_finished_repeats_are_not_run_again(catalog, caplog, monkeypatch) -> None:
    first = run(catalog)["fig2_signal_table"]

    def refuse(*args, **kwargs) -> None:
        raise AssertionError("a forest was trained again")

    monkeypatch.setattr("tcga_coherent.studies.signal.experiment.fit_classifier", refuse)
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        again = run(catalog)["fig2_signal_table"]
    pd.testing.assert_frame_equal(first, again)
    assert "signal: 2 of 2 repeats are there already" in caplog.text


def test_a_cohort_without_stages_gets_everything_else(catalog) -> None:
    clinical = catalog.load("clinical").assign(stage=None)
    catalog["clinical"] = MemoryDataset(clinical)
    table = run(catalog)["fig2_signal_table"]
    assert set(table.loc[table["task"] == "stage", "note"]) == {"no training patient has a stage"}
    assert table.loc[table["task"] == "cancer_type", "macro_f1_mean"].notna().all()
