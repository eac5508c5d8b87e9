import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.identity import (
    Identity,
    MadeFrom,
    hash_files,
    read_identity,
    write_identity,
)
from tcga_coherent.datasets.reporting_folder import ReportingFolderDataset


def belongs(path, *files, inputs=None):
    """Give a result its identity."""
    hashes = hash_files({file.name: file for file in (path, *files)})
    made_from = {name: MadeFrom(place, content) for name, place, content in inputs or ()}
    write_identity(path, Identity("a", "evaluation", "n", "1", hashes, {}, made_from))


def folder(path):
    card = str(path.parent / "CARD.md")
    return ReportingFolderDataset(path=str(path), environment="demo", release_card=card)


def test_what_lies_in_the_folder_is_listed_and_read_when_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("x,note\n1.5,\n")
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    (tmp_path / "a.svg").write_bytes(b"<svg/>")
    (tmp_path / "old.png").write_bytes(b"\x89PNG")
    (tmp_path / "node_times").mkdir()
    for name in ("a.csv", "b.csv", "old.png"):
        belongs(tmp_path / name)
    belongs(tmp_path / "a.png", tmp_path / "a.svg")
    parts = folder(tmp_path).load()
    assert parts.environment == "demo"
    # An unreadable table does no harm until it is asked for.
    assert sorted(parts.tables) == ["a", "b"]
    assert parts.tables["a"]()["x"].tolist() == [1.5]
    with pytest.raises(pd.errors.EmptyDataError):
        parts.tables["b"]()
    assert parts.figures["a"]().mime == "image/svg+xml"
    assert parts.figures["old"]().mime == "image/png"
    assert parts.figures["old"]().content == b"\x89PNG"


def test_names_in_tables_are_read_as_they_were_written(tmp_path):
    (tmp_path / "a.csv").write_text("cancer_type,n\nNA,1\n'=1+1,2\n01,3\n")
    belongs(tmp_path / "a.csv")
    table = folder(tmp_path).load().tables["a"]()
    assert table["cancer_type"].tolist() == ["NA", "=1+1", "01"]


def test_an_absent_folder_holds_nothing(tmp_path):
    parts = folder(tmp_path / "none").load()
    assert (dict(parts.tables), dict(parts.figures)) == ({}, {})
    assert parts.release_card == ""


def test_the_card_that_lies_beside_the_models_is_read(tmp_path):
    (tmp_path / "CARD.md").write_text("# Models: R²\n", encoding="utf-8")
    belongs(tmp_path / "CARD.md")
    assert folder(tmp_path / "none").load().release_card == "# Models: R²\n"


def test_results_of_other_models_are_left_out_with_the_reason(tmp_path):
    models = tmp_path / "models"
    models.write_text("first")
    belongs(models)
    first = read_identity(models).content
    inputs = [("single.denoisers", "models", first)]
    for name in ("mine.csv", "edited.csv", "theirs.csv", "theirs_too.png", "unknown.csv"):
        (tmp_path / name).write_text("x\n1\n")
    (tmp_path / "CARD.md").write_text("# Models")
    belongs(tmp_path / "edited.csv", inputs=inputs)
    (tmp_path / "edited.csv").write_text("x\n2\n")
    models.write_text("second")
    belongs(models)
    for name in ("theirs.csv", "theirs_too.png", "CARD.md"):
        belongs(tmp_path / name, inputs=inputs)
    belongs(tmp_path / "mine.csv", inputs=[(*inputs[0][:2], read_identity(models).content)])
    dataset = ReportingFolderDataset(
        path=str(tmp_path), environment="demo", release_card=str(tmp_path / "CARD.md")
    )
    parts = dataset.load()
    assert sorted(parts.tables) == ["mine"]
    assert dict(parts.figures) == {}
    assert parts.release_card == ""
    of_others = "made from other single.denoisers than those at hand"
    assert parts.outdated == {
        "edited": "changed since it was made",
        "theirs": of_others,
        "theirs_too": of_others,
        "release_card": of_others,
        "unknown": "made by an older version, or by hand",
    }


def test_it_cannot_be_saved(tmp_path):
    dataset = folder(tmp_path)
    with pytest.raises(DatasetError, match="is only read: save its tables and figures one by one"):
        dataset.save(pd.DataFrame())
