import pandas as pd

from tcga_coherent.evaluation.report.display import TableView, display
from tcga_coherent.evaluation.report.sections import (
    RANKS_SHOWN,
    SECTIONS,
    FigureView,
    best_checkpoints,
    excerpt_of_ranking,
    from_all_sources,
    of_the_paper,
    over_all_types,
)

VIEWS = [view for section in SECTIONS for view in section.views]


def test_every_view_has_a_name_of_its_own_and_says_what_it_shows():
    tables = [view.key or view.name for view in VIEWS if isinstance(view, TableView)]
    figures = [view.name for view in VIEWS if isinstance(view, FigureView)]
    assert len(tables) == len(set(tables))
    assert len(figures) == len(set(figures))
    assert all(view.caption.endswith(".") for view in VIEWS)
    assert all(view.alt.endswith(".") for view in VIEWS if isinstance(view, FigureView))


def test_every_command_names_a_pipeline():
    commands = [section.command for section in SECTIONS] + [view.command for view in VIEWS]
    assert all(command.startswith("--pipeline ") for command in commands if command)


def test_table1_keeps_what_the_paper_has():
    table = pd.DataFrame(
        {
            "method": ["single", "multi", "coherent", "coherent", "ridge"],
            "source": ["cna", "cna", "cna+rppa", "cna+rppa+wsi", "cna+rppa+wsi"],
        }
    )
    assert list(of_the_paper(table).index) == [0, 3, 4]
    assert list(from_all_sources(table).index) == [3, 4]


def test_calibration_keeps_two_levels_over_all_types():
    table = pd.DataFrame(
        {
            "measure": ["coverage", "coverage", "coverage", "coverage", "spread_skill"],
            "cancer_type": ["all", "all", "all", "BRCA", "all"],
            "nominal": [0.5, 0.8, 0.9, 0.9, 1.0],
            "value": [0.51, 0.8, 0.92, 0.9, 1.0],
            "low": 0.25,
            "high": 0.75,
        }
    )
    chosen = over_all_types(table)
    assert list(chosen["interval"]) == ["50 % interval", "90 % interval"]
    assert list(chosen["covered"]) == [0.51, 0.92]


def test_of_each_model_the_last_best_checkpoint_is_shown():
    table = pd.DataFrame(
        {"model": ["a", "a", "a", "b"], "step": [1, 2, 3, 1], "best": [True, True, False, True]}
    )
    assert list(best_checkpoints(table)["step"]) == [2, 1]


def test_the_clinics_table_shows_ranks_and_no_names():
    ranking = pd.DataFrame(
        {
            "task": "stage",
            "modality": ["cna"] * 30 + ["wsi"] * 30,
            "patient_id": [f"TCGA-{i:04d}" for i in range(60)],
            "rank": [*range(1, 31), *range(1, 31)],
        }
    )
    (view,) = [view for view in VIEWS if view.name == "counterfactual_ranking_report"]
    assert view.rows is excerpt_of_ranking
    cells = display(ranking, view, {}).cells
    assert len(cells) == 2 * RANKS_SHOWN
    assert "TCGA" not in cells.to_string()
    assert cells["", "rank"].astype(int).max() == RANKS_SHOWN
