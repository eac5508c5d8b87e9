import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.histology.evaluation.features import embed_tiles, tile_sets
from tests.histology.stored_tiles import StoredTiles, colored

CPU = torch.device("cpu")


class Means(torch.nn.Module):
    def forward(self, tiles):
        return tiles.mean(dim=(2, 3))


def test_a_network_of_ones_own_is_given_images_from_minus_1_to_1(tmp_path):
    torch.jit.script(Means()).save(str(tmp_path / "means.pt"))
    images = np.stack([np.full((16, 16, 3), value, np.uint8) for value in (0, 51, 255)] * 15)
    features = embed_tiles(images, str(tmp_path / "means.pt"), 8, CPU)
    assert features.shape == (45, 3)
    assert features[:3, 0].tolist() == pytest.approx([-1.0, -0.6, 1.0], abs=1e-5)
    assert np.allclose(features[42:], features[:3], atol=1e-6)


def test_a_network_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"feature network none\.pt: .*feature_network"):
        embed_tiles(colored(1)[None], "none.pt", 8, CPU)


def test_the_network_of_the_wheel_tells_tiles_apart():
    images = np.stack([colored(10), colored(10), colored(200)])
    features = embed_tiles(images, "efficientnet_lite0", 64, CPU)
    assert features.shape == (3, 1280)
    near, far = (np.linalg.norm(features[0] - features[n]) for n in (1, 2))
    assert near < 1e-3 * far


def test_sets_are_of_the_patients_that_tiles_were_drawn_of_and_of_those_learned_from():
    patients = ["train", "val", "test", "never"]
    values = {patient: 50 * n for n, patient in enumerate(patients)}
    real = StoredTiles([(p, colored(values[p] + k)) for p in patients for k in range(3)])
    drawn = StoredTiles([("test", colored(220))] * 2, source=["own", "shuffled"])
    split = pd.DataFrame({"split": ["train", "val", "test"]}, index=patients[:3])
    sets = tile_sets(real, drawn, split, 100, 0)
    lowest = {
        name: sorted(np.uint8(image.min()) for image in images) for name, images in sets.items()
    }
    assert lowest["reference"] == [100, 102]
    assert lowest["same_patients"] == [101]
    assert lowest["other_patients"] == [0, 1, 2, 50, 51, 52]
    assert len(sets["own"]) == len(sets["shuffled"]) == 1
    assert sets["blurred"].shape == sets["same_patients"].shape
    assert sets["blurred"].std() < 0.5 * sets["same_patients"].std()
    assert len(tile_sets(real, drawn, split, 2, 0)["other_patients"]) == 2


def test_where_patients_have_one_tile_there_is_no_set_of_the_same():
    real = StoredTiles([("train", colored(1)), ("test", colored(50))])
    drawn = StoredTiles([("test", colored(220))], source=["own"])
    split = pd.DataFrame({"split": ["train", "test"]}, index=["train", "test"])
    assert set(tile_sets(real, drawn, split, 9, 0)) == {
        "reference",
        "other_patients",
        "own",
        "blurred",
    }
