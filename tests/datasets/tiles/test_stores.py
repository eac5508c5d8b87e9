import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.tiles.tile_database import TileDatabaseDataset
from tcga_coherent.datasets.tiles.tile_folder import TileFolderDataset
from tcga_coherent.histology.tiles import AllBatches, TileBatch, encode_png, read_tiles
from tests.histology.stored_tiles import colored


def batch(name, values, identity="1"):
    rows = pd.DataFrame(
        {"patient_id": [f"P{v}" for v in values], "seed": [2**62 + v for v in values]}
    )
    return TileBatch(
        name, identity, rows, [encode_png(colored(v)) for v in values], {"n": len(values)}
    )


@pytest.fixture(params=[TileDatabaseDataset, TileFolderDataset])
def dataset(request, tmp_path):
    return request.param(path=str(tmp_path / "tiles"))


def test_a_store_that_is_not_there_is_empty(dataset):
    assert dataset.load().identities == {}
    assert not dataset.exists()


def test_tiles_come_back_with_their_rows_and_images(dataset):
    for one in (batch("a", [3, 5]), batch("b", [7]), AllBatches(("a", "b"))):
        dataset.save(one)
    assert dataset.exists()
    store = dataset.load()
    assert store.identities == {"a": "1", "b": "1"}
    assert store.reports == {"a": {"n": 2}, "b": {"n": 1}}
    index = store.index.sort_values("seed")
    assert index["patient_id"].tolist() == ["P3", "P5", "P7"]
    assert index["seed"].tolist() == [2**62 + v for v in (3, 5, 7)]
    assert index["batch"].tolist() == ["a", "a", "b"]
    images = read_tiles(store, index.index)
    assert np.array_equal(images, np.stack([colored(v) for v in (3, 5, 7)]))


def test_a_batch_replaces_that_of_its_name_and_the_names_of_all_take_the_others_away(dataset):
    for one in (batch("a", [3, 5]), batch("b", [7]), AllBatches(("a", "b"))):
        dataset.save(one)
    dataset.save(batch("a", [9], "2"))
    assert not dataset.exists()
    assert dataset.load().identities == {"a": "2", "b": "1"}
    dataset.save(AllBatches(("a",)))
    store = dataset.load()
    assert store.identities == {"a": "2"}
    assert store.index["patient_id"].tolist() == ["P9"]
    assert np.array_equal(read_tiles(store, store.index.index)[0], colored(9))


def test_what_is_complete_is_the_same_to_the_byte_when_nothing_is_new(dataset):
    for one in (batch("a", [3]), AllBatches(("a",))):
        dataset.save(one)
    before = {name: path.read_bytes() for name, path in dataset.identified_files().items()}
    dataset.save(AllBatches(("a",)))
    after = {name: path.read_bytes() for name, path in dataset.identified_files().items()}
    assert before == after != {}


def test_a_damaged_database_is_named(tmp_path):
    dataset = TileDatabaseDataset(path=str(tmp_path / "tiles"))
    dataset.save(batch("a", [3]))
    (tmp_path / "tiles" / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(DatasetError, match="tiles is damaged or no database of tiles"):
        dataset.load().identities  # noqa: B018


def test_an_absent_tile_is_named(tmp_path):
    dataset = TileDatabaseDataset(path=str(tmp_path / "tiles"))
    dataset.save(batch("a", [3]))
    with pytest.raises(KeyError, match="no tile 7"):
        dataset.load().read_encoded(7)


def _die_within_a_batch(path):
    class Dying:
        def __iter__(self):
            yield encode_png(colored(1))
            os._exit(9)

        def __len__(self):
            return 2

    whole = batch("b", [1, 2])
    TileDatabaseDataset(path=path).save(TileBatch("b", "1", whole.rows, Dying(), {}))


def test_a_process_that_is_killed_within_a_batch_leaves_the_batches_before(tmp_path):
    path = str(tmp_path / "tiles")
    TileDatabaseDataset(path=path).save(batch("a", [3, 4]))
    process = multiprocessing.get_context("fork").Process(target=_die_within_a_batch, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == 9
    store = TileDatabaseDataset(path=path).load()
    assert store.identities == {"a": "1"}
    TileDatabaseDataset(path=path).save(batch("b", [6]))
    assert TileDatabaseDataset(path=path).load().index.index.tolist() == [0, 1, 2]


def test_a_store_is_read_beside_another_that_is_written_and_by_threads_and_copies(dataset):
    for one in (batch("a", range(20)), AllBatches(("a",))):
        dataset.save(one)
    first, second = dataset.load(), dataset.load()
    numbers = list(first.index.index)
    assert first.read_encoded(numbers[0]) == second.read_encoded(numbers[0])
    dataset.save(batch("b", [30]))
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(first.read_encoded, numbers * 5))
    copy = pickle.loads(pickle.dumps(second))
    assert images == [copy.read_encoded(number) for number in numbers] * 5


def test_tiles_of_a_batch_that_was_replaced_take_no_space(tmp_path):
    dataset = TileDatabaseDataset(path=str(tmp_path / "tiles"))
    dataset.save(batch("a", [3]))
    dataset.save(batch("b", [5]))
    dataset.save(batch("a", [9], "2"))
    store = dataset.load()
    assert store.index.index.tolist() == [1, 2]
    with pytest.raises(KeyError, match="no tile 0"):
        store.read_encoded(0)
