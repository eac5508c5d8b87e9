import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from tcga_coherent.pipeline_registry import MAIN_JOB


@pytest.fixture(autouse=True)
def registry(repo_root):
    bootstrap_project(repo_root)
    pipelines.set_requested(None)
    yield
    pipelines.set_requested(None)


def free_inputs(pipeline):
    return {name for name in pipeline.inputs() if not name.startswith("params:")}


def test_the_default_run_needs_raw_data_only_and_ends_in_table_1_and_completed_patients():
    default = pipelines["__default__"]
    # What earlier runs left behind may be absent.
    left_behind = {"single.interrupted_training", "multi.interrupted_training"}
    left_behind |= {"reporting_folder", "node_times"}
    left_behind |= {name for name in free_inputs(default) if name.endswith(".finished_repeats")}
    assert free_inputs(default) == {"raw_modalities", "raw_clinical", "parameters"} | left_behind
    made = set(default.all_outputs())
    assert {"table1_reconstruction_table", "completed_cohort.decoded_mean"} <= made


def test_the_nodes_of_a_pipeline_form_one_box_of_the_lineage():
    for name in MAIN_JOB:
        assert {node.namespace.split(".")[0] for node in pipelines[name].nodes} == {name}


def test_a_namespace_renames_no_dataset_and_no_parameter():
    assert "modality_tables" in pipelines["ingestion"].all_outputs()
    assert "single.denoisers" in pipelines["coherent_sampling"].inputs()
    assert "params:ingestion.barcodes" in pipelines["ingestion"].inputs()


def test_a_single_pipeline_runs_by_its_name_though_kedro_then_finds_no_other():
    pipelines.set_requested(["evaluation"])
    assert set(pipelines) == {"evaluation"}
    assert "table1_reconstruction_table" in pipelines["evaluation"].all_outputs()


def test_a_misspelt_pipeline_is_named_beside_those_that_there_are():
    pipelines.set_requested(["trainig"])
    with pytest.raises(
        ValueError, match=r"no pipeline 'trainig'.*: there are .*diffusion_training"
    ):
        dict(pipelines)
    pipelines.set_requested(["preprocesing"])
    with pytest.raises(ValueError, match="did you mean 'preprocessing'"):
        dict(pipelines)
