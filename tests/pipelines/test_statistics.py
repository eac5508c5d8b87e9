import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator

from tcga_coherent.datasets.atomic import AtomicCSVDataset
from tcga_coherent.datasets.repeats import RepeatsDataset
from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.pipelines.evaluation import create_pipeline
from tests.pipelines.lane_inputs import by_lane, draws_by_lane
from tests.simulated_draws import N_DRAWS, simulate

MODALITIES = {
    name: {"label": name.upper(), "color": "#0072B2", "steps": []} for name in ("cna", "rnaseq")
}
STUDIES = ("signal", "rescue", "counterfactual")


class _LoadersDataset(MemoryDataset):
    """Gives frames back as functions that load them, as a partitioned dataset does."""

    def load(self) -> dict:
        return {name: lambda frame=frame: frame for name, frame in super().load().items()}


def catalog_of(repo_root: Path, folder: Path, **clinical_columns) -> DataCatalog:
    """Return the inputs of all parts, with small settings and tables as files."""
    with open(repo_root / "conf/base/parameters/evaluation.yml", encoding="utf-8") as file:
        raw = yaml.safe_load(file)
    with open(repo_root / "conf/base/parameters/reported_by_paper.yml", encoding="utf-8") as file:
        raw |= yaml.safe_load(file)
    validated = ParameterValidator({"evaluation": create_pipeline()}).validate_raw_params(raw)
    parameters = replace(
        validated["evaluation"],
        n_repeats=3,
        forests=ForestParameters(5, 5, 30.0),
        bootstrap=BootstrapParameters(20, 0.95),
    )
    cohort = simulate(list(MODALITIES), n_patients=150)
    severe = cohort.split["cancer_type"] == "LUAD"
    clinical = pd.DataFrame(
        {
            "stage": np.where(severe, "I", "III"),
            "os_event": 1.0,
            "os_days": np.where(severe, 2000, 500) + np.arange(len(severe)),
        },
        index=cohort.split.index,
    )
    inputs = {
        **draws_by_lane(cohort.test_draws),
        **by_lane(latents=cohort.latents, codes=cohort.latents),
        "split": cohort.split,
        "presence": cohort.presence,
        "clinical": clinical.assign(**clinical_columns),
        "params:source_sets": "all",
        "params:modalities": MODALITIES,
        "params:coherent_sampling": SamplingConfig(n_draws=N_DRAWS, antithetic=False),
        "params:compute.workers": 1,
        "params:reported_by_paper": validated["reported_by_paper"],
        "params:evaluation": parameters,
    }
    catalog = DataCatalog(
        {name: MemoryDataset(data, copy_mode="assign") for name, data in inputs.items()}
    )
    catalog["baseline_predictions"] = _LoadersDataset()
    for study in STUDIES:
        repeats = RepeatsDataset(path=str(folder / study))
        catalog[f"repeats/{study}"] = catalog[f"finished_repeats/{study}"] = repeats
    for name in ("s6_statistics", "counterfactual_area"):
        catalog[f"{name}_table"] = AtomicCSVDataset(
            filepath=str(folder / f"{name}.csv"), save_args={"index": False}
        )
    return catalog


def run(catalog: DataCatalog) -> pd.DataFrame:
    SequentialRunner().run(create_pipeline().only_nodes_with_tags("statistics"), catalog)
    table = catalog.load("s6_statistics_table")
    return table.assign(note=table["note"].fillna("").astype(str))


def test_all_studies_are_tested_over_repeats_and_over_patients(
    repo_root, tmp_path, caplog, lanes_of
) -> None:
    lanes_of(MODALITIES)
    with caplog.at_level(logging.INFO, logger="tcga_coherent"):
        table = run(catalog_of(repo_root, tmp_path))
    studies = {"reconstruction", "signal", "rescue", "acquisition"}
    for unit in ("repeats", "patients"):
        assert set(table.loc[table["unit"] == unit, "study"]) == studies
    over_patients = table[table["unit"] == "patients"]
    assert over_patients[["difference_low", "difference_high"]].notna().all(axis=None)
    assert over_patients["p"].isna().all()
    untested = table[(table["unit"] == "repeats") & table["p"].isna()]
    assert untested["note"].str.contains("is not defined").all()
    tested = table[table["p"].notna()]
    assert (tested["p_bonferroni"] >= tested["p_holm"]).all()
    assert (tested["p_holm"] >= tested["p"]).all()
    assert "signal, macro_f1_of_mean: of" in caplog.text


def test_a_cohort_without_stages_says_so_and_tests_the_rest(repo_root, tmp_path, lanes_of) -> None:
    lanes_of(MODALITIES)
    table = run(catalog_of(repo_root, tmp_path, stage=None))
    notes = table[table["note"].str.contains("stage")]
    assert set(notes["study"]) == {"signal", "rescue", "acquisition"}
    assert notes["difference_mean"].isna().all()
    tested = table[table["unit"] == "patients"].dropna(subset="difference_low")
    assert not tested["condition"].str.contains("stage").any()
    assert {"survival without cna", "cancer_type from cna"} <= set(tested["condition"])
