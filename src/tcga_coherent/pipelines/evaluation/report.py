"""The report: the page, and its tables for LaTeX."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline
from pydantic_core import to_jsonable_python

from tcga_coherent.figures.attempt import attempt
from tcga_coherent.modality import labels, parse_modalities
from tcga_coherent.report.build import ShownFigure, fill, left_out, without_a_place
from tcga_coherent.report.headlines import headlines
from tcga_coherent.report.latex import to_latex
from tcga_coherent.report.page import Provenance, render
from tcga_coherent.report.parts import CARD, Parts
from tcga_coherent.report.provenance import versions
from tcga_coherent.report.sections import SECTIONS
from tcga_coherent.reported import ReportedByPaper, cohort_beside_reported


def write_report(
    reporting_folder: Parts,
    node_times: pd.DataFrame,
    parameters: dict[str, Any],
    reported: ReportedByPaper,
    **made: pd.DataFrame | str,
) -> str:
    """Write the page with all tables and figures.

    `made` are the evaluation's own, by the names of their datasets; those of other pipelines are
    taken from the folder where they exist.
    """
    from tcga_coherent.diffusion.device import resolve_device

    parts = _gather(reporting_folder, made, reported)
    # Kedro has made objects of the groups that nodes have types for.
    parameters = to_jsonable_python(parameters)
    provenance = Provenance(
        parts.environment,
        parameters,
        versions(str(resolve_device(parameters["compute"]["device"]))),
        node_times,
    )
    labels = _labels(parameters)
    chapters = fill(SECTIONS, parts, labels)
    return render(
        headlines(SECTIONS, parts, labels),
        chapters,
        left_out(SECTIONS, parts),
        without_a_place(SECTIONS, parts),
        provenance,
        parts.release_card,
        parts.outdated.get(CARD, ""),
    )


def export_latex(
    reporting_folder: Parts,
    parameters: dict[str, Any],
    reported: ReportedByPaper,
    **made: pd.DataFrame | str,
) -> dict[str, str]:
    """Write each table of the page for LaTeX."""
    chapters = fill(SECTIONS, _gather(reporting_folder, made, reported), _labels(parameters))
    return {
        content.key: attempt(
            f"The table {content.key} for LaTeX",
            partial(to_latex, content),
            lambda reason: "% " + " ".join(reason.split()) + "\n",
        )
        for chapter in chapters
        for content in chapter.contents
        if not isinstance(content, ShownFigure)
    }


def report_nodes(made: Iterable[str]) -> Pipeline:
    """Return the nodes that show all tables and figures, those last that the same pipeline has `made`."""
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
            ),
            Node(
                export_latex,
                inputs=inputs,
                outputs="latex_tables",
                name="export_latex",
                namespace="report",
            ),
        ],
        tags=["report"],
    )


def _gather(folder: Parts, made: dict[str, pd.DataFrame | str], reported: ReportedByPaper) -> Parts:
    parts = folder.with_made(made)
    if "table4_cohort" not in parts.tables:
        return parts
    return attempt(
        "The comparison of table4_cohort with the paper's",
        lambda: parts.with_made(
            {
                "table4_cohort_table": cohort_beside_reported(
                    parts.tables["table4_cohort"](), reported.table4
                )
            }
        ),
        lambda reason: parts,
    )


def _labels(parameters: dict[str, Any]) -> dict[str, str]:
    parsed = parse_modalities(parameters["modalities"])
    return labels(parsed)
