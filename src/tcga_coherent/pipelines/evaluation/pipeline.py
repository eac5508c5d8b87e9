"""From test draws to tables and figures of fidelity, calibration and coherence."""

from typing import Any

from kedro.pipeline import Node, Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import Datasets, each, lane_node

from .baselines import predict_test_split
from .counterfactual import (
    draw_acquisition_figures,
    follow_acquisition,
    predict_counterfactuals,
    rank_patients,
)
from .fidelity import project_manifolds
from .nodes import (
    draw_calibration_figures,
    judge_coherence,
    measure_calibration,
)
from .reconstruction import (
    compare_by_type,
    compare_decoded,
    compare_reconstructions,
    draw_by_type_figures,
    draw_reconstruction_figure,
    gather_decoded,
)
from .report import export_latex, write_report
from .rescue import draw_rescue_figures, measure_rescue, predict_incomplete_patients
from .signal import classify_modalities, draw_signal_figure, measure_signal
from .statistics import compare_treatments, draw_statistics_figure

COMPARED_WITH_BASELINES = (
    "fidelity",
    "reconstruction",
    "calibration",
    "signal",
    "rescue",
    "counterfactual",
    "statistics",
)


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the evaluation pipeline."""
    modalities = configured_modalities()
    latents = each("latents", modalities)
    reconstructed: list[Datasets] = [
        each("draws", modalities),
        "baseline_predictions",
        latents,
        "split",
        "presence",
        "params:modalities",
    ]
    parts = Pipeline(
        [
            lane_node(
                predict_test_split,
                inputs=[latents, "split", "presence", "params:modalities", "params:evaluation"],
                outputs="baseline_predictions",
                name="predict_test_split",
                # Whichever part runs alone finds its baselines.
                namespace="baselines",
                tags=["baselines", *COMPARED_WITH_BASELINES],
            ),
            lane_node(
                compare_reconstructions,
                inputs=[*reconstructed, "params:coherent_sampling", "params:evaluation"],
                outputs="table1_reconstruction_table",
                name="compare_reconstructions",
                namespace="reconstruction",
                tags=["reconstruction"],
            ),
            lane_node(
                draw_reconstruction_figure,
                inputs=["table1_reconstruction_table", "params:modalities"],
                outputs="table1_reconstruction_figure",
                name="draw_reconstruction_figure",
                namespace="reconstruction",
                tags=["reconstruction"],
            ),
            lane_node(
                compare_by_type,
                inputs=[*reconstructed, "params:coherent_sampling", "params:evaluation"],
                outputs="s2_reconstruction_by_type_table",
                name="compare_by_type",
                namespace="reconstruction",
                tags=["reconstruction"],
            ),
            lane_node(
                draw_by_type_figures,
                inputs=["s2_reconstruction_by_type_table", "params:modalities"],
                outputs=["s2_reconstruction_by_type_figure", "s2_source_sets_by_type_figure"],
                name="draw_by_type_figures",
                namespace="reconstruction",
                tags=["reconstruction"],
            ),
            *(_decoded(target, modalities, reconstructed) for target in modalities),
            lane_node(
                gather_decoded,
                inputs=[
                    each("rows/decoded_reconstruction", modalities),
                    each("rows/decoded_features", modalities),
                    each("rows/decoded_correlations", modalities),
                    "params:modalities",
                ],
                outputs=[
                    "decoded_reconstruction_table",
                    "decoded_features_table",
                    "decoded_reconstruction_figure",
                ],
                name="gather_decoded",
                namespace="reconstruction",
                tags=["reconstruction"],
            ),
            lane_node(
                measure_calibration,
                inputs=[*reconstructed, "params:coherent_sampling", "params:evaluation"],
                outputs="calibration_table",
                name="measure_calibration",
                namespace="calibration",
                tags=["calibration"],
            ),
            lane_node(
                draw_calibration_figures,
                inputs=["calibration_table", "params:modalities"],
                outputs=["calibration_figure", "calibration_by_type_figure"],
                name="draw_calibration_figures",
                namespace="calibration",
                tags=["calibration"],
            ),
            lane_node(
                judge_coherence,
                inputs=["coherence_probe", "params:modalities", "params:evaluation"],
                outputs=["coherence_error_table", "coherence_error_figure"],
                name="judge_coherence",
                namespace="coherence",
                tags=["coherence"],
            ),
            lane_node(
                project_manifolds,
                inputs=[*reconstructed, "params:evaluation"],
                outputs=["fig1_umap_table", "fig1_umap_figure", "s1_umap_figure"],
                name="project_manifolds",
                namespace="fidelity",
                tags=["fidelity"],
            ),
            lane_node(
                classify_modalities,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "finished_repeats/signal",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:compute.workers",
                    "params:evaluation",
                ],
                outputs="repeats/signal",
                name="classify_modalities",
                namespace="signal",
                tags=["signal", "statistics"],
            ),
            lane_node(
                measure_signal,
                inputs=[
                    "repeats/signal",
                    latents,
                    "split",
                    "presence",
                    "clinical",
                    "params:modalities",
                    "params:evaluation",
                ],
                outputs=["fig2_signal_table", "signal_claims_table"],
                name="measure_signal",
                namespace="signal",
                tags=["signal"],
            ),
            lane_node(
                draw_signal_figure,
                inputs=["fig2_signal_table", "params:modalities"],
                outputs="fig2_signal_figure",
                name="draw_signal_figure",
                namespace="signal",
                tags=["signal"],
            ),
            lane_node(
                predict_incomplete_patients,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "finished_repeats/rescue",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:compute.workers",
                    "params:evaluation",
                ],
                outputs="repeats/rescue",
                name="predict_incomplete_patients",
                namespace="rescue",
                tags=["rescue", "statistics"],
            ),
            lane_node(
                measure_rescue,
                inputs=[
                    "repeats/rescue",
                    latents,
                    "split",
                    "presence",
                    "clinical",
                    "params:modalities",
                    "params:reported_by_paper",
                    "params:evaluation",
                ],
                outputs=[
                    "table2_rescue_table",
                    "s4_rescue_table",
                    "rescue_verdict_table",
                    "rescue_by_repeat_table",
                ],
                name="measure_rescue",
                namespace="rescue",
                tags=["rescue"],
            ),
            lane_node(
                draw_rescue_figures,
                inputs=["s4_rescue_table", "params:modalities", "params:evaluation"],
                outputs=["fig3_rescue_figure", "s4_rescue_figure"],
                name="draw_rescue_figures",
                namespace="rescue",
                tags=["rescue"],
            ),
            lane_node(
                predict_counterfactuals,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "finished_repeats/counterfactual",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:compute.workers",
                    "params:evaluation",
                ],
                outputs="repeats/counterfactual",
                name="predict_counterfactuals",
                namespace="prioritisation",
                tags=["counterfactual", "statistics"],
            ),
            lane_node(
                follow_acquisition,
                inputs=[
                    "repeats/counterfactual",
                    latents,
                    "split",
                    "presence",
                    "clinical",
                    "params:modalities",
                    "params:evaluation",
                ],
                outputs=[
                    "acquisition_curves",
                    "fig4_counterfactual_table",
                    "counterfactual_area_table",
                ],
                name="follow_acquisition",
                namespace="prioritisation",
                tags=["counterfactual", "statistics"],
            ),
            lane_node(
                rank_patients,
                inputs=[
                    "repeats/counterfactual",
                    "split",
                    "params:modalities",
                    "params:evaluation",
                ],
                outputs="counterfactual_ranking_report_table",
                name="rank_patients",
                namespace="prioritisation",
                tags=["counterfactual"],
            ),
            lane_node(
                draw_acquisition_figures,
                inputs=[
                    "fig4_counterfactual_table",
                    "counterfactual_area_table",
                    "params:modalities",
                ],
                outputs=["fig4_counterfactual_figure", "s5_counterfactual_figure"],
                name="draw_acquisition_figures",
                namespace="prioritisation",
                tags=["counterfactual"],
            ),
            lane_node(
                compare_treatments,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "repeats/signal",
                    "repeats/rescue",
                    "acquisition_curves",
                    "counterfactual_area_table",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:evaluation",
                ],
                outputs="s6_statistics_table",
                name="compare_treatments",
                namespace="statistics",
                tags=["statistics"],
            ),
            lane_node(
                draw_statistics_figure,
                inputs=["s6_statistics_table", "params:modalities"],
                outputs="s6_statistics_figure",
                name="draw_statistics_figure",
                namespace="statistics",
                tags=["statistics"],
            ),
        ]
    )
    return parts + _report(parts)


def _decoded(target: str, modalities: list[str], reconstructed: list[Datasets]) -> Node:
    return lane_node(
        compare_decoded,
        inputs=[
            *reconstructed,
            f"processed/{target}",
            f"encoders/{target}",
            f"preprocessors/{target}",
            "params:evaluation",
        ],
        outputs=[
            f"rows/decoded_reconstruction/{target}",
            f"rows/decoded_features/{target}",
            f"rows/decoded_correlations/{target}",
        ],
        name=f"compare_decoded_{target}",
        namespace="reconstruction",
        tags=["reconstruction"],
        lane=target,
    )


def _report(parts: Pipeline) -> Pipeline:
    """Show all tables and figures that the nodes of `parts` make, whichever these are."""
    made = [name for name in parts.all_outputs() if name.endswith(("_table", "_figure"))]
    inputs = {
        "reporting_folder": "reporting_folder",
        "parameters": "parameters",
        "reported": "params:reported_by_paper",
        **{name: name for name in sorted(made)},
    }
    return Pipeline(
        [
            Node(
                write_report,
                inputs={**inputs, "node_times": "node_times"},
                outputs="report",
                name="write_report",
                namespace="report",
                tags=["report"],
            ),
            Node(
                export_latex,
                inputs=inputs,
                outputs="latex_tables",
                name="export_latex",
                namespace="report",
                tags=["report"],
            ),
        ]
    )
