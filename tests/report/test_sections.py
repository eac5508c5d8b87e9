import pandas as pd

from tcga_coherent.report.display import display
from tcga_coherent.report.sections import SECTIONS
from tcga_coherent.report.selections import RANKS_SHOWN, excerpt_of_ranking
from tcga_coherent.report.views import FigureView, TableView

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
