from tcga_coherent.pipelines import evaluation
from tcga_coherent.pipelines.report import create_pipeline


def test_the_report_can_be_written_without_any_table_of_the_evaluation():
    pipeline = create_pipeline()
    assert pipeline.inputs() == {
        "reporting_folder",
        "node_times",
        "parameters",
        "params:reported_by_paper",
    }
    whole = evaluation.create_pipeline().only_nodes_with_tags("report")
    assert pipeline.outputs() == whole.outputs() == {"report", "latex_tables"}
    assert {node.func for node in pipeline.nodes} == {node.func for node in whole.nodes}
