import pandas as pd

from tcga_coherent.report.display import display
from tcga_coherent.studies.prioritisation.section import (
    RANKS_SHOWN,
    SECTION,
    excerpt_of_ranking,
    quarters,
    summary,
)

MODALITIES = {"cna": "CNA", "rnaseq": "RNA-Seq", "rppa": "RPPA"}


def test_curves_are_shown_at_quarters():
    table = pd.DataFrame({"ratio": [0.0, 0.05, 0.25, 0.7, 0.7499999999, 1.0, None]})
    assert list(quarters(table)["measured"]) == [
        "0 % measured",
        "25 % measured",
        "75 % measured",
        "100 % measured",
    ]


def test_acquisition_is_summed_up_for_the_coherent_orders():
    rows = [
        ("stage", "cna", "missing", "coherent", 0.01, 0.002, 0.02, "yes"),
        ("stage", "rppa", "missing", "coherent", -0.01, -0.03, 0.02, "undecided"),
        ("stage", "rppa", "missing", "coherent_expected_change", 0.03, -0.01, 0.05, "undecided"),
        ("stage", "cna", "missing", "oracle", 0.5, 0.4, 0.6, "yes"),
        ("survival", "cna", None, None, None, None, None, None),
    ]
    columns = ["task", "modality", "unacquired", "strategy"]
    columns += ["area_mean", "area_low", "area_high", "above_random"]
    assert summary(pd.DataFrame(rows, columns=columns), MODALITIES) == [
        "Stage, acquisition informed by coherent counterfactuals while the modality of the others is "
        "missing; area above random order where its interval is above zero, of 2 modalities: by "
        "their variance for CNA 0.010 [0.002, 0.020]; by the expected change for none."
    ]


def test_the_clinics_table_shows_ranks_and_no_names():
    ranking = pd.DataFrame(
        {
            "task": "stage",
            "modality": ["cna"] * 30 + ["wsi"] * 30,
            "patient_id": [f"TCGA-{i:04d}" for i in range(60)],
            "rank": [*range(1, 31), *range(1, 31)],
        }
    )
    (view,) = [view for view in SECTION.views if view.name == "counterfactual_ranking_report"]
    assert view.rows is excerpt_of_ranking
    cells = display(ranking, view, {}).cells
    assert len(cells) == 2 * RANKS_SHOWN
    assert "TCGA" not in cells.to_string()
    assert cells["", "rank"].astype(int).max() == RANKS_SHOWN
