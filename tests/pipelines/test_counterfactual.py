import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator

from tcga_coherent.datasets.atomic import AtomicCSVDataset, AtomicParquetDataset
from tcga_coherent.datasets.repeats import RepeatsDataset
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.downstream.classification import ClassOutcomes
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.downstream.tasks.survival import SurvivalOutcomes
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.pipelines.evaluation import create_pipeline
from tcga_coherent.pipelines.evaluation.parameters import EvaluationParameters
from tcga_coherent.studies.prioritisation.inputs import CounterfactualParameters
from tests.pipelines.lane_inputs import by_lane, draws_by_lane
from tests.simulated_draws import N_DRAWS, simulate

MODALITIES = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": []}
    for name in ("cna", "rnaseq", "rppa")
}
# A user's own environment switches a modality off with null.
WITHOUT_WSI = {**MODALITIES, "wsi": None}
PARTS = ["baselines", "counterfactual"]
TABLES = ("fig4_counterfactual", "counterfactual_area", "counterfactual_ranking_report")
FIGURES = ("fig4_counterfactual_figure", "s5_counterfactual_figure")


class _LoadersDataset(MemoryDataset):
    """Gives frames back as functions that load them, as a partitioned dataset does."""

    def load(self) -> dict:
        return {name: lambda frame=frame: frame for name, frame in super().load().items()}


class _KeptDataset(MemoryDataset):
    """Still there after the last node has read it."""

    def _release(self) -> None:
        pass


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
    lanes_of(WITHOUT_WSI)
    cohort = simulate(list(MODALITIES), n_patients=240)
    rng = np.random.default_rng(0)
    severe = cohort.split["cancer_type"] == "LUAD"
    clinical = pd.DataFrame(
        {
            "stage": np.where(severe, "I", "III"),
            "os_event": (rng.random(240) < 0.6).astype(float),
            "os_days": rng.exponential(np.where(severe, 2000, 500)) + 1,
        },
        index=cohort.split.index,
    )
    inputs = {
        **draws_by_lane(cohort.test_draws),
        **by_lane(latents=cohort.latents, codes=cohort.latents),
        "split": cohort.split,
        "presence": cohort.presence,
        "clinical": clinical,
        "params:source_sets": "all",
        "params:modalities": WITHOUT_WSI,
        "params:coherent_sampling": SamplingConfig(n_draws=N_DRAWS, antithetic=False),
        "params:compute.workers": 1,
        "params:evaluation": parameters,
    }
    catalog = DataCatalog(
        {name: MemoryDataset(data, copy_mode="assign") for name, data in inputs.items()}
    )
    repeats = RepeatsDataset(path=str(tmp_path / "repeats"))
    catalog["repeats/counterfactual"] = catalog["finished_repeats/counterfactual"] = repeats
    catalog["baseline_predictions"] = _LoadersDataset()
    catalog["acquisition_curves"] = AtomicParquetDataset(filepath=str(tmp_path / "curves.parquet"))
    for name in TABLES:
        catalog[f"{name}_table"] = AtomicCSVDataset(
            filepath=str(tmp_path / f"{name}.csv"), save_args={"index": False}
        )
    for name in FIGURES:
        catalog[name] = _KeptDataset(copy_mode="assign")
    return catalog


def run(catalog: DataCatalog) -> dict[str, pd.DataFrame]:
    SequentialRunner().run(create_pipeline().only_nodes_with_tags(*PARTS), catalog)
    return {name: catalog.load(f"{name}_table") for name in TABLES}


def test_the_part_makes_its_tables_and_figures(catalog, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        made = run(catalog)
    curves, areas, ranking = made.values()
    for table in (curves, areas, ranking):
        absent = table[table["note"].notna()]
        assert absent[["task", "modality", "note"]].to_numpy().tolist() == [
            [task, "wsi", "the cohort has no wsi"] for task in ("stage", "survival")
        ]
    assert len(curves) == 2 * 3 * 2 * 9 * 21 + 2
    assert curves["score_mean"].iloc[:-2].between(0, 1).all()
    assert len(areas) == 2 * 3 * 2 * 8 + 2
    assert set(areas["above_random"].dropna()) <= {"yes", "no", "undecided"}
    assert len(ranking) == 2 * 3 * 80 + 2
    # Two repeats of as many strategies as there are areas, and of random besides.
    assert len(catalog.load("acquisition_curves")) == 2 * 21 * (len(areas) - 2) * 9 // 8
    figures = [catalog.load(name) for name in FIGURES]
    assert [len(figure().axes) for figure in figures] == [12, 12]
    assert "stage, cna, else missing, coherent: area to random" in caplog.text
    assert "survival, wsi: the cohort has no wsi" in caplog.text


def test_finished_repeats_are_not_run_again(catalog, caplog, monkeypatch) -> None:
    first = run(catalog)

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a forest was trained again")

    for outcomes in (ClassOutcomes, SurvivalOutcomes):
        monkeypatch.setattr(outcomes, "fit", refuse)
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        again = run(catalog)
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, again[name])
    assert "counterfactual: 2 of 2 repeats are there already" in caplog.text


@pytest.mark.parametrize(
    ("change", "left_out", "reason"),
    [
        ({"stage": None}, "stage", "no training patient has a stage"),
        ({"os_event": 0.0}, "survival", "training patients are censored"),
    ],
)
def test_a_task_without_outcomes_leaves_the_other_one(catalog, change, left_out, reason) -> None:
    catalog["clinical"] = MemoryDataset(catalog.load("clinical").assign(**change))
    made = run(catalog)
    for table in made.values():
        rows = table[(table["task"] == left_out) & (table["modality"] != "wsi")]
        assert rows["note"].str.contains(reason).all()
        assert set(rows["modality"]) == set(MODALITIES)
        others = table[(table["task"] != left_out) & (table["modality"] != "wsi")]
        assert others["note"].isna().all()
        assert len(others) > 3
    assert all(len(catalog.load(name)().axes) == 12 for name in FIGURES)


def test_a_cohort_without_any_outcome_still_gets_tables_and_figures(catalog) -> None:
    clinical = catalog.load("clinical").assign(stage=None, os_event=0.0)
    catalog["clinical"] = MemoryDataset(clinical)
    made = run(catalog)
    assert all(table["note"].notna().all() for table in made.values())
    assert catalog.load("acquisition_curves").empty
    assert all(len(catalog.load(name)().axes) == 12 for name in FIGURES)


def test_an_unknown_modality_stops_before_anything_is_trained(catalog, parameters) -> None:
    unknown = replace(parameters, counterfactual=CounterfactualParameters(10, ("rna",)))
    catalog["params:evaluation"] = MemoryDataset(unknown, copy_mode="assign")
    with pytest.raises(ValueError, match=r"evaluation\.counterfactual\.modalities names rna"):
        run(catalog)


def test_the_files_are_named_as_others_expect_them(repo_root: Path) -> None:
    outputs = create_pipeline().only_nodes_with_tags("counterfactual").all_outputs()
    tables = {f"{name}_table" for name in TABLES}
    made = {"repeats/counterfactual", "acquisition_curves", *tables, *FIGURES}
    assert outputs - {"baseline_predictions"} == made
