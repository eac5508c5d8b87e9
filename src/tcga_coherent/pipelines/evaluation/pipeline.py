"""From test draws to tables and figures of fidelity, calibration and coherence."""

from typing import Any

from kedro.pipeline import Node, Pipeline

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
    held_out = ["test_draws", "latents", "split", "presence", "params:modalities"]
    reconstructed = ["test_draws", "baseline_predictions", *held_out[1:]]
    parts = Pipeline(
        [
            Node(
                predict_test_split,
                inputs=["latents", "split", "presence", "params:modalities", "params:evaluation"],
                outputs="baseline_predictions",
                name="predict_test_split",
                # Whichever part runs alone finds its baselines.
                tags=["baselines", *COMPARED_WITH_BASELINES],
            ),
            Node(
                compare_reconstructions,
                inputs=[*reconstructed, "params:coherent_sampling", "params:evaluation"],
                outputs="table1_reconstruction_table",
                name="compare_reconstructions",
                tags=["reconstruction"],
            ),
            Node(
                draw_reconstruction_figure,
                inputs=["table1_reconstruction_table", "params:modalities"],
                outputs="table1_reconstruction_figure",
                name="draw_reconstruction_figure",
                tags=["reconstruction"],
            ),
            Node(
                compare_by_type,
                inputs=[*reconstructed, "params:coherent_sampling", "params:evaluation"],
                outputs="s2_reconstruction_by_type_table",
                name="compare_by_type",
                tags=["reconstruction"],
            ),
            Node(
                draw_by_type_figures,
                inputs=["s2_reconstruction_by_type_table", "params:modalities"],
                outputs=["s2_reconstruction_by_type_figure", "s2_source_sets_by_type_figure"],
                name="draw_by_type_figures",
                tags=["reconstruction"],
            ),
            Node(
                compare_decoded,
                inputs=[
                    *reconstructed,
                    "processed",
                    "encoders",
                    "preprocessors",
                    "params:evaluation",
                ],
                outputs=[
                    "decoded_reconstruction_table",
                    "decoded_features_table",
                    "decoded_reconstruction_figure",
                ],
                name="compare_decoded",
                tags=["reconstruction"],
            ),
            Node(
                measure_calibration,
                inputs=[*reconstructed, "params:coherent_sampling", "params:evaluation"],
                outputs="calibration_table",
                name="measure_calibration",
                tags=["calibration"],
            ),
            Node(
                draw_calibration_figures,
                inputs=["calibration_table", "params:modalities"],
                outputs=["calibration_figure", "calibration_by_type_figure"],
                name="draw_calibration_figures",
                tags=["calibration"],
            ),
            Node(
                judge_coherence,
                inputs=["coherence_probe", "params:modalities", "params:evaluation"],
                outputs=["coherence_error_table", "coherence_error_figure"],
                name="judge_coherence",
                tags=["coherence"],
            ),
            Node(
                project_manifolds,
                inputs=[*reconstructed, "params:evaluation"],
                outputs=["fig1_umap_table", "fig1_umap_figure", "s1_umap_figure"],
                name="project_manifolds",
                tags=["fidelity"],
            ),
            Node(
                classify_modalities,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "signal.finished_repeats",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:compute.workers",
                    "params:evaluation",
                ],
                outputs="signal.repeats",
                name="classify_modalities",
                tags=["signal", "statistics"],
            ),
            Node(
                measure_signal,
                inputs=[
                    "signal.repeats",
                    "latents",
                    "split",
                    "presence",
                    "clinical",
                    "params:modalities",
                    "params:evaluation",
                ],
                outputs=["fig2_signal_table", "signal_claims_table"],
                name="measure_signal",
                tags=["signal"],
            ),
            Node(
                draw_signal_figure,
                inputs=["fig2_signal_table", "params:modalities"],
                outputs="fig2_signal_figure",
                name="draw_signal_figure",
                tags=["signal"],
            ),
            Node(
                predict_incomplete_patients,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "rescue.finished_repeats",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:compute.workers",
                    "params:evaluation",
                ],
                outputs="rescue.repeats",
                name="predict_incomplete_patients",
                tags=["rescue", "statistics"],
            ),
            Node(
                measure_rescue,
                inputs=[
                    "rescue.repeats",
                    "latents",
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
                tags=["rescue"],
            ),
            Node(
                draw_rescue_figures,
                inputs=["s4_rescue_table", "params:modalities", "params:evaluation"],
                outputs=["fig3_rescue_figure", "s4_rescue_figure"],
                name="draw_rescue_figures",
                tags=["rescue"],
            ),
            Node(
                predict_counterfactuals,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "counterfactual.finished_repeats",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:compute.workers",
                    "params:evaluation",
                ],
                outputs="counterfactual.repeats",
                name="predict_counterfactuals",
                tags=["counterfactual", "statistics"],
            ),
            Node(
                follow_acquisition,
                inputs=[
                    "counterfactual.repeats",
                    "latents",
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
                tags=["counterfactual", "statistics"],
            ),
            Node(
                rank_patients,
                inputs=[
                    "counterfactual.repeats",
                    "split",
                    "params:modalities",
                    "params:evaluation",
                ],
                outputs="counterfactual_ranking_report_table",
                name="rank_patients",
                tags=["counterfactual"],
            ),
            Node(
                draw_acquisition_figures,
                inputs=[
                    "fig4_counterfactual_table",
                    "counterfactual_area_table",
                    "params:modalities",
                ],
                outputs=["fig4_counterfactual_figure", "s5_counterfactual_figure"],
                name="draw_acquisition_figures",
                tags=["counterfactual"],
            ),
            Node(
                compare_treatments,
                inputs=[
                    *reconstructed[:-1],
                    "clinical",
                    "signal.repeats",
                    "rescue.repeats",
                    "acquisition_curves",
                    "counterfactual_area_table",
                    "params:modalities",
                    "params:coherent_sampling",
                    "params:evaluation",
                ],
                outputs="s6_statistics_table",
                name="compare_treatments",
                tags=["statistics"],
            ),
            Node(
                draw_statistics_figure,
                inputs=["s6_statistics_table", "params:modalities"],
                outputs="s6_statistics_figure",
                name="draw_statistics_figure",
                tags=["statistics"],
            ),
        ]
    )
    return parts + _report(parts)


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
                tags=["report"],
            ),
            Node(
                export_latex,
                inputs=inputs,
                outputs="latex_tables",
                name="export_latex",
                tags=["report"],
            ),
        ]
    )
