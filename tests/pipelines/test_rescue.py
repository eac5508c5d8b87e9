import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator

from tcga_coherent.baselines.baseline import BaselineParameters
from tcga_coherent.baselines.predictions import predict_baselines
from tcga_coherent.datasets.repeats import RepeatsDataset
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.pipelines.evaluation import create_pipeline
from tests.pipelines.lane_inputs import by_lane, draws_by_lane
from tests.simulated_draws import N_DRAWS, simulate

MODALITIES = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": []}
    for name in ("cna", "rnaseq", "rppa")
}
NODES = (
    "rescue.predict_incomplete_patients",
    "rescue.measure_rescue",
    "rescue.draw_rescue_figures",
)
OUTPUTS = (
    "table2_rescue_table",
    "s4_rescue_table",
    "rescue_verdict_table",
    "rescue_by_repeat_table",
    "fig3_rescue_figure",
    "s4_rescue_figure",
)


class _KeptDataset(MemoryDataset):
    """Still there after the last node has read it."""

    def _release(self) -> None:
        pass


@pytest.fixture(scope="module")
def raw_parameters(repo_root) -> dict:
    raw: dict = {}
    for name in ("evaluation", "reported_by_paper"):
        with open(repo_root / f"conf/base/parameters/{name}.yml", encoding="utf-8") as file:
            raw |= yaml.safe_load(file)
    return raw


@pytest.fixture(scope="module")
def inputs(raw_parameters) -> dict:
    parameters = ParameterValidator({"evaluation": create_pipeline()}).validate_raw_params(
        raw_parameters
    )
    cohort = simulate(list(MODALITIES), n_patients=240)
    rng = np.random.default_rng(0)
    clinical = pd.DataFrame(
        {
            "stage": np.where(cohort.split["cancer_type"] == "LUAD", "I", "III"),
            "os_event": rng.random(240) < 0.6,
            "os_days": rng.exponential(1000, 240) + 1,
        },
        index=cohort.split.index,
    )
    baselines = dict(
        predict_baselines(cohort.cohort, BaselineParameters((1.0, 10.0), (1.0,), (10, 20)))
    )
    return {
        "baseline_predictions": {
            name: lambda frame=frame: frame for name, frame in baselines.items()
        },
        **draws_by_lane(cohort.test_draws),
        **by_lane(latents=cohort.latents, codes=cohort.latents),
        "split": cohort.split,
        "presence": cohort.presence,
        "clinical": clinical,
        "params:source_sets": "all",
        "params:modalities": MODALITIES,
        "params:coherent_sampling": SamplingConfig(n_draws=N_DRAWS, antithetic=False),
        "params:compute.workers": 1,
        "params:reported_by_paper": parameters["reported_by_paper"],
        "params:evaluation": replace(
            parameters["evaluation"],
            n_repeats=2,
            forests=ForestParameters(5, 5, 30.0),
            bootstrap=BootstrapParameters(20, 0.95),
        ),
    }


@pytest.fixture
def catalog(inputs, tmp_path, lanes_of) -> DataCatalog:
    lanes_of(MODALITIES)
    catalog = DataCatalog(
        {name: MemoryDataset(data, copy_mode="assign") for name, data in inputs.items()}
    )
    repeats = RepeatsDataset(path=str(tmp_path / "repeats"))
    catalog["repeats/rescue"] = catalog["finished_repeats/rescue"] = repeats
    return catalog


def run(catalog: DataCatalog) -> dict:
    for name in OUTPUTS:
        catalog[name] = _KeptDataset(copy_mode="assign")
    SequentialRunner().run(create_pipeline().only_nodes(*NODES), catalog)
    return {name: catalog.load(name) for name in OUTPUTS}


def test_the_part_makes_its_tables_and_figures(catalog, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        made = run(catalog)
    table = made["table2_rescue_table"]
    assert set(zip(table["task"], table["metric"], strict=True)) == {
        ("stage", "macro_f1"),
        ("survival", "c_index"),
    }
    assert table["score_mean"].notna().all()
    paper = table.set_index(["task", "removed", "method", "pooling"])
    reported = paper.loc[("survival", "cna+rnaseq", "ablation", "point")]
    assert reported["paper_drop_from_full_mean"] == -0.187
    assert len(made["s4_rescue_table"]) == 3 * len(table)
    assert set(made["rescue_verdict_table"]["verdict"]) <= {"yes", "no", "undecided"}
    assert set(made["rescue_by_repeat_table"]["repeat"]) == {0, 1}
    assert "stage: leaving modalities missing costs" in caplog.text
    assert "survival: there, coherent (mean_of_draws) gains" in caplog.text


def test_the_tag_runs_the_part() -> None:
    named = {node.name for node in create_pipeline().only_nodes_with_tags("rescue").nodes}
    assert set(NODES) <= named


def test_finished_repeats_are_not_run_again(catalog, caplog, monkeypatch) -> None:
    first = run(catalog)["s4_rescue_table"]

    def refuse(*args, **kwargs) -> None:
        raise AssertionError("a forest was trained again")

    monkeypatch.setattr("tcga_coherent.downstream.classification.fit_classifier", refuse)
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        again = run(catalog)["s4_rescue_table"]
    pd.testing.assert_frame_equal(first, again)
    assert "rescue: 2 of 2 repeats are there already" in caplog.text


@pytest.mark.parametrize(
    ("change", "skipped", "reason"),
    [
        ({"stage": None}, "stage", "no training patient has a stage"),
        ({"os_event": False}, "survival", "training patients are censored"),
    ],
)
def test_a_cohort_without_an_outcome_gets_the_other_task(catalog, change, skipped, reason) -> None:
    catalog["clinical"] = MemoryDataset(catalog.load("clinical").assign(**change))
    made = run(catalog)
    for name in ("table2_rescue_table", "rescue_verdict_table"):
        table = made[name]
        notes = table.loc[table["task"] == skipped, "note"]
        assert len(notes) == 1
        assert reason in notes.iloc[0]
        assert (table.loc[table["task"] != skipped, "note"] == "").all()
    assert made["table2_rescue_table"]["score_mean"].notna().sum() > 10
    words = [text.get_text() for axes in made["fig3_rescue_figure"]().axes for text in axes.texts]
    assert len(words) == 1
    assert reason in words[0]


def test_a_cohort_without_any_outcome_stops_nothing(catalog) -> None:
    clinical = catalog.load("clinical").assign(stage=None, os_event=False)
    catalog["clinical"] = MemoryDataset(clinical)
    made = run(catalog)
    assert list(made["s4_rescue_table"]["task"]) == ["stage", "survival"]
    assert (made["s4_rescue_table"]["note"] != "").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_draws": 0}, r"rescue\.n_draws"),
        ({"headline_pooling": "median"}, r"rescue\.headline_pooling"),
    ],
)
def test_a_bad_parameter_is_refused_before_the_run_by_its_key(
    raw_parameters, change, message
) -> None:
    evaluation = raw_parameters["evaluation"]
    bad = {**raw_parameters, "evaluation": evaluation | {"rescue": evaluation["rescue"] | change}}
    with pytest.raises(Exception, match=message):
        ParameterValidator({"evaluation": create_pipeline()}).validate_raw_params(bad)
