import numpy as np
import pytest

from tcga_coherent.histology.tiles import check_tile, decode, encode_png, read_tiles
from tests.histology.stored_tiles import StoredTiles, colored


def test_a_png_gives_the_image_back_and_a_store_reads_in_the_order_asked():
    images = [colored(value) for value in (10, 50, 90)]
    assert np.array_equal(decode(encode_png(images[1])), images[1])
    store = StoredTiles([("P", image) for image in images])
    assert np.array_equal(read_tiles(store, [2, 0]), np.stack([images[2], images[0]]))


def test_a_tile_of_another_size_and_a_damaged_one_are_named():
    check_tile(encode_png(colored(1)), 16, "The tile")
    with pytest.raises(ValueError, match=r"The tile at 3 has 16 x 16 pixels, .*tile_size is 64"):
        check_tile(encode_png(colored(1)), 64, "The tile at 3")
    with pytest.raises(ValueError, match="The tile at 3 is no image"):
        check_tile(b"\x89PNG, but cut", 16, "The tile at 3")
