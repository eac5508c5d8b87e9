import numpy as np
import pytest

from tcga_coherent.omics import blocks
from tcga_coherent.omics.blocks import by_columns, column_blocks, empty_matrix, row_blocks, take


@pytest.mark.parametrize("number", [1, 6, 7, 20])
def test_blocks_cover_every_column_and_row_once(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 6)
    monkeypatch.setattr(blocks, "ROWS", 4)
    for cover, size in ((column_blocks, 6), (row_blocks, 4)):
        parts = [np.arange(number)[block] for block in cover(number)]
        np.testing.assert_array_equal(np.concatenate(parts), np.arange(number))
        assert max(map(len, parts)) <= size
    assert list(column_blocks(0)) == [slice(0, 0)]


def test_what_is_computed_of_columns_is_joined_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 3)
    values = np.random.default_rng(0).normal(size=(5, 8))
    np.testing.assert_array_equal(
        by_columns(lambda part: np.quantile(part, [0.2, 0.7], axis=0), values),
        np.quantile(values, [0.2, 0.7], axis=0),
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_rows_and_columns_are_taken_in_place_as_elsewhere(
    overwrite: bool, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "COLUMNS", 4)
    rng = np.random.default_rng(0)
    values = np.asarray(rng.normal(size=(9, 13)).astype(np.float32), order=order)
    rows, columns = rng.permutation(9)[:7], np.flatnonzero(rng.random(13) < 0.8)
    expected = values[rows][:, columns]
    taken = take(values, rows, columns, overwrite=overwrite)
    np.testing.assert_array_equal(taken, expected)
    assert np.shares_memory(taken, values) == overwrite


def test_what_cannot_hold_the_result_is_left_as_it_was() -> None:
    doubles = np.arange(6.0).reshape(3, 2)
    frozen = doubles.astype(np.float32)
    frozen.flags.writeable = False
    for values in (doubles, frozen):
        taken = take(values, np.array([2, 0]), np.array([1]), overwrite=True)
        assert taken.dtype == np.float32
        assert taken.tolist() == [[5], [1]]
        np.testing.assert_array_equal(values, np.arange(6).reshape(3, 2))


def test_the_values_of_a_feature_lie_one_behind_the_other() -> None:
    matrix = empty_matrix(3, 5)
    assert (matrix.shape, matrix.dtype) == ((3, 5), np.float32)
    assert matrix.flags.f_contiguous
