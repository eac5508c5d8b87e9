"""A store of tiles in memory."""

import numpy as np
import pandas as pd

from tcga_coherent.histology.tiles import encode_png


class StoredTiles:
    """Tiles of patients as (patient_id, image), all of one batch."""

    def __init__(self, tiles, **columns):
        self.index = pd.DataFrame({"patient_id": [patient for patient, _ in tiles], **columns})
        self.index.index.name = "tile"
        self._images = [encode_png(image) for _, image in tiles]
        self.identities = {"all": str(hash(tuple(self._images)))}
        self.reports = {}

    def read_encoded(self, tile):
        return self._images[tile]


def colored(value, size=16):
    """A tile of nearly one colour."""
    noise = np.random.default_rng(int(value)).integers(0, 9, (size, size, 3))
    return (noise + int(value)).astype(np.uint8)
