import dataclasses

import pandas as pd
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from tcga_coherent.reported import ReportedByPaper, cohort_beside_reported


def configured(repo_root):
    path = repo_root / "conf" / "base" / "parameters" / "reported_by_paper.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["reported_by_paper"]


@pytest.fixture
def reported(repo_root):
    return TypeAdapter(ReportedByPaper).validate_python(configured(repo_root))


def rows(reported_rows):
    return pd.DataFrame([dataclasses.asdict(row) for row in reported_rows])


def test_every_pattern_of_removed_modalities_stands_once(reported):
    table = rows(reported.table2)
    assert table["removed"].is_unique
    assert len(table) == 2**4 - 2


@pytest.mark.parametrize(
    ("name", "table"), [("table2_rescue", "table2"), ("table3_privacy", "table3")]
)
def test_rows_are_those_of_the_paper(reported, shared_dir, name, table):
    published = pd.read_csv(shared_dir / "paper_tables" / f"{name}.csv")
    pd.testing.assert_frame_equal(rows(getattr(reported, table)), published)


def test_counts_of_patients_add_up_to_the_published_totals(reported, shared_dir):
    published = pd.read_csv(shared_dir / "paper_tables" / "table4_cohort.csv", index_col=0)
    table = rows(reported.table4).set_index("cancer_type")
    counts = table.join(pd.DataFrame(table.pop("measured").tolist(), index=table.index))
    expected = published.drop(columns="incomplete")
    pd.testing.assert_frame_equal(
        counts[expected.columns], expected.drop(index="TOTAL"), check_names=False
    )
    pd.testing.assert_series_equal(
        counts[expected.columns].sum(), expected.loc["TOTAL"], check_names=False
    )


def test_a_misspelt_column_is_refused(repo_root):
    raw = configured(repo_root)
    raw["table3"][0]["f1"] = 0.1
    with pytest.raises(ValidationError, match="f1"):
        TypeAdapter(ReportedByPaper).validate_python(raw)


def test_counts_of_the_paper_stand_beside_those_of_the_cohort(reported):
    table = pd.DataFrame(
        {"cancer_type": ["BRCA", "OTHER", "TOTAL"], "total": [10, 5, 15], "cna": [9, 5, 14]}
    )
    beside = cohort_beside_reported(table, reported.table4).set_index("cancer_type")
    assert beside["total"].tolist() == [10, 5, 15]
    assert beside.loc["BRCA", ["paper_total", "paper_cna", "paper_incomplete"]].tolist() == [
        1224,
        1057,
        412,
    ]
    assert beside.filter(like="paper_").loc["OTHER"].isna().all()
    # The paper's own total, not that of the types that both have.
    assert beside.loc["TOTAL", ["paper_total", "paper_complete"]].tolist() == [10098, 5054]
