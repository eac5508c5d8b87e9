import pandas as pd

from tcga_coherent.report.build import ShownFigure, fill, left_out, without_a_place
from tcga_coherent.report.display import Display
from tcga_coherent.report.parts import Image, Parts
from tcga_coherent.report.views import FigureView, Section, TableView

SECTION = Section(
    "Whom to ask",
    "text",
    (
        TableView("a", "Table a."),
        FigureView("a", "dots", "Figure a."),
        TableView("b", "Table b.", command="--pipeline other"),
        FigureView("c", "dots", "Figure c."),
        TableView("c", "Table c."),
        TableView("c", "Table c in other words.", key="c_again"),
    ),
    "--pipeline evaluation --tags ask",
)


def parts(tables=(), figures=()):
    return Parts(
        "demo",
        {name: lambda: pd.DataFrame({"x": [1.5]}) for name in tables},
        {name: lambda: Image("image/png", b"") for name in figures},
    )


def test_what_exists_is_shown_in_the_order_of_the_section():
    (chapter,) = fill([SECTION], parts(["a", "b", "c"], ["a", "c"]), {})
    assert [
        content.key if isinstance(content, Display) else content.view.name
        for content in chapter.contents
    ] == ["a", "a", "b", "c", "c", "c_again"]
    assert isinstance(chapter.contents[1], ShownFigure)
    assert chapter.missing == {}
    assert chapter.anchor == "whom-to-ask"


def test_what_is_absent_is_named_once_with_the_command_that_makes_it():
    (chapter,) = fill([SECTION], parts(["a"]), {})
    assert [content.key for content in chapter.contents] == ["a"]
    assert chapter.missing == {
        "kedro run --env demo --pipeline evaluation --tags ask": (
            "figure a",
            "figure c",
            "table c",
        ),
        "kedro run --env demo --pipeline other": ("table b",),
    }


def test_a_table_of_another_version_is_named_with_the_column_that_it_lacks():
    def by_task(table):
        return table[table["task"] == "stage"]

    section = Section("A", "text", (TableView("a", "Table a.", rows=by_task),), "--pipeline a")
    (chapter,) = fill([section], parts(["a"]), {})
    assert chapter.contents == ()
    assert chapter.missing == {
        "kedro run --env demo --pipeline a": (
            "table a (made by another version: it has no column 'task')",
        )
    }


def test_a_table_that_cannot_be_shown_says_why_and_costs_no_other(caplog):
    def damaged():
        raise ValueError("line 3 has 7 cells")

    made = Parts("demo", {"a": damaged, "b": lambda: pd.DataFrame({"x": [1.5]})}, {})
    (chapter,) = fill([SECTION], made, {})
    assert [content.key for content in chapter.contents] == ["b"]
    reason = "The table a could not be made: line 3 has 7 cells"
    assert f"table a ({reason})" in next(iter(chapter.missing.values()))
    assert reason in caplog.text
    (sentence,) = left_out([SECTION], made)
    assert sentence.endswith("could not be made: line 3 has 7 cells")


def test_skipped_rows_are_listed_by_reason():
    table = pd.DataFrame(
        {
            "task": ["stage", "cancer_type", "stage", "survival"],
            "modality": ["cna", None, "wsi", None],
            "f1_mean": [float("nan"), 0.5, float("nan"), float("nan")],
            "note": ["no patient has a stage", None, "no patient has a stage", "all are censored"],
        }
    )
    tables = {"a": lambda: table, "b": lambda: pd.DataFrame({"x": [1.0]})}
    assert left_out([SECTION], Parts("demo", tables, {})) == [
        "a (task stage; modality cna, wsi): no patient has a stage",
        "a (task survival): all are censored",
    ]


def test_nothing_is_left_out_where_all_notes_are_empty():
    table = pd.DataFrame({"task": ["stage"], "note": [float("nan")]})
    assert left_out([SECTION], Parts("demo", {"a": lambda: table}, {})) == []


def test_tables_that_no_section_shows_are_named():
    assert without_a_place([SECTION], parts(["a", "z", "y"], ["x"])) == ["y", "z"]


def test_a_note_beside_a_value_explains_it():
    table = pd.DataFrame(
        {"attack": ["loss", "links"], "value": [None, 0.5], "note": ["few", "bits"]}
    )
    assert left_out([SECTION], Parts("demo", {"a": lambda: table}, {})) == ["a (attack loss): few"]
