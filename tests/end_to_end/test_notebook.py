"""The starter notebook on the results of a run."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.end_to_end.projects import Project


@pytest.fixture(scope="module")
def stored(repo_root: Path) -> nbformat.NotebookNode:
    return nbformat.read(repo_root / "notebooks" / "first_steps.ipynb", as_version=4)


@pytest.fixture(scope="module")
def executed(
    demo: Project,
    stored: nbformat.NotebookNode,
    tmp_path_factory: pytest.TempPathFactory,
) -> nbformat.NotebookNode:
    """Execute the notebook where it lies: in the notebooks folder of a project with results."""
    results = [f"{layer}/demo" for layer in ("05_model_input", "07_model_output", "08_reporting")]
    project = demo.clone(tmp_path_factory.mktemp("notebook") / "demo", *results)
    folder = project.root / "notebooks"
    folder.mkdir()
    notebook = stored.copy()
    notebook.cells = [cell.copy() for cell in stored.cells]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def output(notebook: nbformat.NotebookNode, part_of_source: str) -> nbformat.NotebookNode:
    """Return the data that one cell shows; rich puts an empty output before it."""
    cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and part_of_source in cell.source
    ]
    assert len(cells) == 1, part_of_source
    return cells[0].outputs[-1].data


def test_the_notebook_is_stored_without_outputs(stored: nbformat.NotebookNode) -> None:
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.parametrize(
    "figure", ["table1_reconstruction_figure", "coherence_figure", "fig1_umap_figure"]
)
def test_the_notebook_shows_the_figures(executed: nbformat.NotebookNode, figure: str) -> None:
    shown = output(executed, f'show("{figure}")')
    assert len(shown["image/png"]) > 10_000


def test_the_notebook_tells_observed_from_generated(executed: nbformat.NotebookNode) -> None:
    counts = output(executed, 'pd.crosstab(flags["modality"], flags["status"])')
    for word in ("observed", "generated", "cna", "rnaseq", "rppa", "wsi"):
        assert word in counts["text/plain"]


def test_the_notebook_plots_a_patients_draws_and_genes(executed: nbformat.NotebookNode) -> None:
    for source in ("range of the draws", "generated minus median of the cohort"):
        plot = output(executed, source)
        assert len(plot["image/png"]) > 10_000
