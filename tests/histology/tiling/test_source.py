import pandas as pd
import pytest

from tcga_coherent.datasets.tiles.tile_database import TileDatabase, TileDatabaseDataset
from tcga_coherent.histology.tiles import AllBatches, encode_png
from tcga_coherent.histology.tiling.parameters import TilingParameters
from tcga_coherent.histology.tiling.ready import ReadyTiles
from tcga_coherent.histology.tiling.source import quality_table, store_slides
from tests.histology.stored_tiles import colored

SETTINGS = TilingParameters(tile_size=16, max_tiles=3)


def ready(*slides, size=16, value=0):
    rows = [
        (slide, f"P-{slide}", x, 0, encode_png(colored(value + x, size)))
        for slide in slides
        for x in range(4)
    ]
    return ReadyTiles(pd.DataFrame(rows, columns=["slide", "patient_id", "x", "y", "image"]))


@pytest.fixture
def dataset(tmp_path):
    return TileDatabaseDataset(path=str(tmp_path / "tiles.lmdb"))


def store(dataset, source, settings=SETTINGS):
    """Store what is new; return what was."""
    batches = list(store_slides(source, dataset.load(), settings))
    for batch in batches:
        dataset.save(batch)
    return [batch.name for batch in batches[:-1]]


def test_only_what_is_not_stored_yet_is_cut(dataset):
    assert store(dataset, ready("A", "B")) == ["A", "B"]
    assert store(dataset, ready("A", "B", "C")) == ["C"]
    # Other tiles, other parameters.
    assert store(dataset, ready("A", "B", "C", value=50)) == ["A", "B", "C"]
    assert store(dataset, ready("A"), TilingParameters(tile_size=16, max_tiles=2)) == ["A"]
    # Slides that are not there any more go.
    assert set(dataset.load().identities) == {"A"}


def test_of_too_many_tiles_some_are_drawn_the_same_every_time_and_by_slide(dataset):
    (a, b, _), (again, *_) = (
        list(store_slides(ready("A", "B"), TileDatabase(dataset.identified_path), SETTINGS))
        for _ in range(2)
    )
    assert len(a.images) == len(a.rows) == 3
    assert a.rows.equals(again.rows)
    assert a.images == [encode_png(colored(x)) for x in a.rows["x"]]
    slides = [f"S{n}" for n in range(8)]
    drawn = store_slides(ready(*slides), TileDatabase(dataset.identified_path), SETTINGS)
    assert len({tuple(batch.rows["x"]) for batch in list(drawn)[:-1]}) > 1
    assert b.rows["patient_id"].eq("P-B").all()


def test_a_bad_slide_stops_or_is_skipped_with_its_reason(dataset, caplog):
    sizes = pd.concat([ready("A")._of_slide["A"], ready("B", size=32)._of_slide["B"]])
    with pytest.raises(ValueError, match=r"of the slide B has 32 x 32 .*bad_slides to skip"):
        store(dataset, ReadyTiles(sizes))
    skip = TilingParameters(tile_size=16, bad_slides="skip")
    assert store(dataset, ReadyTiles(sizes), skip) == ["A", "B"]
    table = quality_table(dataset.load())
    assert table["tiles"].tolist() == [4, 0]
    assert "32 x 32" in table["reason"][1]
    assert table["reason"][0] == ""
    assert "Skipped: The tile at 0, 0 of the slide B" in caplog.text
    assert dataset.load().index["patient_id"].unique().tolist() == ["P-A"]


def test_a_source_without_any_good_slide_stops(dataset):
    skip = TilingParameters(tile_size=64, bad_slides="skip")
    with pytest.raises(ValueError, match="No slide has any tile"):
        store(dataset, ready("A"), skip)
    # Tiles that were stored before and are to be replaced do not count.
    store(dataset, ready("A"))
    with pytest.raises(ValueError, match="No slide has any tile"):
        store(dataset, ready("A"), skip)


def test_the_names_of_all_come_last(dataset):
    *_, last = store_slides(ready("A", "B"), dataset.load(), SETTINGS)
    assert last == AllBatches(("A", "B"))
