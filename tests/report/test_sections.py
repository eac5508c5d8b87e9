from tcga_coherent.report.sections import SECTIONS, chapters
from tcga_coherent.report.views import FigureView, Section, TableView

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


def test_a_section_without_a_title_goes_on_with_the_chapter_before_it():
    own, other, more = (TableView(name, f"{name}.") for name in ("own", "other", "more"))
    (chapter,) = chapters(
        [
            Section("One", "Text.", (own,), "--pipeline evaluation"),
            Section(views=(other, more), command="--pipeline tuning"),
        ]
    )
    assert (chapter.title, chapter.text) == ("One", "Text.")
    assert [view.name for view in chapter.views] == ["own", "other", "more"]
    # Each view still says what makes it.
    assert [view.command for view in chapter.views] == [
        "",
        "--pipeline tuning",
        "--pipeline tuning",
    ]
