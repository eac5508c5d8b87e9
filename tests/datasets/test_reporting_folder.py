import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.reporting_folder import ReportingFolderDataset


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


def test_an_absent_folder_holds_nothing(tmp_path):
    parts = folder(tmp_path / "none").load()
    assert (dict(parts.tables), dict(parts.figures)) == ({}, {})
    assert parts.release_card == ""


def test_the_card_that_lies_beside_the_models_is_read(tmp_path):
    (tmp_path / "CARD.md").write_text("# Models: R²\n", encoding="utf-8")
    assert folder(tmp_path / "none").load().release_card == "# Models: R²\n"


def test_it_cannot_be_saved(tmp_path):
    dataset = folder(tmp_path)
    with pytest.raises(DatasetError, match="is only read: save its tables and figures one by one"):
        dataset.save(pd.DataFrame())
