import logging
import warnings
from graphlib import TopologicalSorter

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from tcga_coherent.pipeline_registry import MAIN_JOB

MODALITIES = ("cna", "rnaseq", "rppa", "wsi")


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
    left_behind = {"reporting_folder", "node_times", "former_split", "given_split"}
    left_behind |= {
        name
        for name in free_inputs(default)
        if name.startswith(("former_training/", "finished_repeats/"))
    }
    assert {f"former_training/{kind}/wsi" for kind in ("single", "multi")} < left_behind
    raw = {f"raw/{name}" for name in MODALITIES}
    assert free_inputs(default) == {*raw, "raw_clinical", "parameters"} | left_behind
    made = set(default.all_outputs())
    completed = {f"completed_cohort/decoded_mean/{name}" for name in MODALITIES}
    assert {"table1_reconstruction_table", *completed} <= made


def test_the_nodes_of_a_pipeline_form_one_box_of_the_lineage():
    for name in MAIN_JOB:
        assert {node.namespace.split(".")[0] for node in pipelines[name].nodes} == {name}


def test_a_namespace_renames_no_dataset_and_no_parameter():
    assert "tables/cna" in pipelines["ingestion"].all_outputs()
    assert "single/cna_from_rnaseq" in pipelines["coherent_sampling"].inputs()
    assert "params:ingestion.barcodes" in pipelines["ingestion"].inputs()


def test_a_node_is_called_after_its_pipeline_its_lane_and_what_it_does():
    names = {node.name for node in pipelines["__default__"].nodes}
    assert {
        "ingestion.samples.check_samples",
        "ingestion.rppa.tabulate",
        "preprocessing.wsi.preprocess",
        "embedding.cna.encode",
        "diffusion_training.cna.train_single",
        "coherent_sampling.rnaseq.draw_test_split",
        "coherent_sampling.decoding.wsi.decode_completion",
        "evaluation.reconstruction.compare_decoded_cna",
    } <= names


def test_a_lane_depends_on_no_other_before_latents_are_joined():
    """What is made of a modality up to its latents is made from its own raw file alone."""
    for name in MODALITIES:
        needed = pipelines["__default__"].only_nodes_with_inputs(f"tables/{name}").nodes
        assert {node.name for node in needed} <= {
            f"preprocessing.outliers.{name}.find_outliers",
            f"preprocessing.{name}.preprocess",
            *(f"coherent_sampling.decoding.{name}.{node}" for node in ("decode_completion",)),
        }
    assert {
        name: pipelines["embedding"].filter(to_outputs=[f"latents/{name}"]).inputs()
        for name in MODALITIES
    } == {
        name: {
            f"processed/{name}",
            f"split/{name}",
            "clinical",
            f"params:modalities.{name}",
            "params:embedding",
            "params:compute.device",
        }
        for name in MODALITIES
    }


def boxes_of(node):
    """Return the boxes that a node lies in, from the outermost to the innermost."""
    parts = node.namespace.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_boxes_of_the_main_job_are_in_no_circle(depth):
    """A box that waits for what is made from its own results could not be drawn or run as one."""
    default = pipelines["__default__"]
    box = {node: boxes_of(node)[:depth][-1] for node in default.nodes}
    graph = {name: set() for name in box.values()}
    for node, needed in default.node_dependencies.items():
        graph[box[node]] |= {box[other] for other in needed} - {box[node]}
    assert len(graph) >= len(MAIN_JOB)
    # Raises a CycleError that names the circle.
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


def test_the_main_job_raises_no_warning_of_names_or_namespaces(repo_root, caplog):
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        bootstrap_project(repo_root)
        pipelines.set_requested(None)
        default = pipelines["__default__"]
        grouped = default.group_nodes_by("namespace")
        default.filter(to_outputs=["table1_reconstruction_table"])
    own = [str(warning.message) for warning in caught if "kedro" in str(warning.filename)]
    assert [text for text in own if "register_new_resolver" not in text] == []
    assert [record for record in caplog.records if record.name.startswith("kedro")] == []
    assert grouped


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
