import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.tiles.demo_tissue import (
    DemoExpressionDataset,
    DemoPatientsDataset,
    DemoTilesDataset,
)
from tcga_coherent.datasets.tiles.profiles import ExpressionDataset, PatientGroupsDataset
from tcga_coherent.datasets.tiles.ready_tiles import ReadyTilesDataset
from tcga_coherent.histology.tiles import decode, encode_png
from tcga_coherent.histology.tiling.parameters import TilingParameters
from tests.histology.stored_tiles import colored

TILES = pd.DataFrame(
    {
        "image_name": ["S1", "S1", "S2"],
        "patient_id": ["P1", "P1", "P2"],
        "x": [0, 16, 0],
        "y": 0,
        "keep": [True, False, True],
        "jpeg": [encode_png(colored(v)) for v in (1, 2, 3)],
    }
)
COLUMNS = {"slide": "image_name", "image": "jpeg"}
SETTINGS = TilingParameters(tile_size=16)


@pytest.fixture
def parquet(tmp_path):
    TILES.to_parquet(tmp_path / "tiles.parquet")
    return str(tmp_path / "tiles.parquet")


def test_an_index_with_the_images_in_it_is_read_by_its_own_names(parquet):
    dataset = ReadyTilesDataset(filepath=parquet, columns=COLUMNS, where={"keep": True})
    tiles = dataset.load()
    assert tiles.slides == ["S1", "S2"]
    cut = tiles.cut("S1", SETTINGS)
    assert cut.rows.to_dict("records") == [{"slide": "S1", "patient_id": "P1", "x": 0, "y": 0}]
    assert np.array_equal(decode(cut.images[0]), colored(1))
    assert list(dataset.raw_files()) == ["tiles"]


def test_images_may_lie_beside_the_index(tmp_path):
    names = []
    for number, image in enumerate(TILES["jpeg"]):
        names.append(f"tile{number}.png")
        (tmp_path / names[-1]).write_bytes(image)
    index = TILES.rename(columns={"image_name": "slide"}).drop(columns="jpeg").assign(image=names)
    index.to_csv(tmp_path / "index.csv", index=False)
    dataset = ReadyTilesDataset(filepath=str(tmp_path / "index.csv"))
    assert len(dataset.load().cut("S1", SETTINGS).images) == 2
    assert set(dataset.raw_files()) == {"tiles", *names}
    (tmp_path / "tile1.png").unlink()
    with pytest.raises(DatasetError, match=r"index.csv names the tile .*tile1.png"):
        dataset.load()


def test_a_column_or_file_that_is_missing_is_named(parquet, tmp_path):
    with pytest.raises(DatasetError, match=r"no column 'slide', but image_name, patient_id"):
        ReadyTilesDataset(filepath=parquet).load()
    with pytest.raises(DatasetError, match=r"no tile with {'keep': 'yes'}"):
        ReadyTilesDataset(filepath=parquet, columns=COLUMNS, where={"keep": "yes"}).load()
    with pytest.raises(DatasetError, match=r"none.csv.*Take another"):
        ReadyTilesDataset(filepath=str(tmp_path / "none.csv"), hint="Take another.").load()


def test_other_tiles_have_another_fingerprint(parquet):
    tiles = ReadyTilesDataset(filepath=parquet, columns=COLUMNS).load()
    again = ReadyTilesDataset(filepath=parquet, columns=COLUMNS).load()
    assert tiles.fingerprint("S1") == again.fingerprint("S1")
    changed = TILES.assign(jpeg=[TILES["jpeg"][0], TILES["jpeg"][2], TILES["jpeg"][2]])
    changed.to_parquet(parquet)
    other = ReadyTilesDataset(filepath=parquet, columns=COLUMNS).load()
    assert other.fingerprint("S1") != tiles.fingerprint("S1")
    assert other.fingerprint("S2") == tiles.fingerprint("S2")


def test_expression_is_read_as_patients_by_genes(tmp_path):
    frame = pd.DataFrame({"P1": [1.0, 2.0], "P2": [3.0, 4.0]}, index=["KRT8", "CD3E"])
    frame.to_parquet(tmp_path / "expression.parquet")
    found = ExpressionDataset(filepath=str(tmp_path / "expression.parquet")).load()
    assert found.index.name == "patient_id"
    assert found.loc["P2"].to_dict() == {"KRT8": 3.0, "CD3E": 4.0}


def test_groups_are_read_once_a_patient_and_a_patient_is_a_group_by_itself(tmp_path):
    path = tmp_path / "patients.csv"
    pd.DataFrame({"patient_id": ["P1", "P1", "P2"], "type": ["A", "A", "B"]}).to_csv(path)
    found = PatientGroupsDataset(filepath=str(path), columns={"cancer_type": "type"}).load()
    assert found.to_dict("index") == {
        "P1": {"cancer_type": "A", "group": "P1"},
        "P2": {"cancer_type": "B", "group": "P2"},
    }
    sections = PatientGroupsDataset(filepath=str(path), columns={"group": "type"}).load()
    assert sections["cancer_type"].tolist() == ["all", "all"]
    assert sections["group"].tolist() == ["A", "B"]


def test_a_patient_of_two_types_and_a_missing_column_are_named(tmp_path):
    path = tmp_path / "patients.csv"
    pd.DataFrame({"patient_id": ["P1", "P1"], "type": ["A", "B"]}).to_csv(path)
    with pytest.raises(DatasetError, match="gives P1 two types or groups"):
        PatientGroupsDataset(filepath=str(path), columns={"cancer_type": "type"}).load()
    with pytest.raises(DatasetError, match="no column 'kind'"):
        PatientGroupsDataset(filepath=str(path), columns={"cancer_type": "kind"}).load()


SIMULATION = {"patients": 10, "tiles_per_patient": 2, "tile_size": 32}


def test_the_demo_is_simulated_when_it_is_first_read_and_then_read_like_files(tmp_path):
    folder = str(tmp_path / "tissue")
    tiles = DemoTilesDataset(folder=folder, simulation=SIMULATION).load()
    assert len(tiles.slides) == 10
    cut = tiles.cut(tiles.slides[3], TilingParameters(tile_size=32))
    assert cut.rows["patient_id"].tolist() == ["SIM-0003"] * 2
    assert decode(cut.images[0]).shape == (32, 32, 3)
    written = (tmp_path / "tissue" / "tiles.parquet").stat().st_mtime_ns
    expression = DemoExpressionDataset(folder=folder, simulation=SIMULATION).load()
    groups = DemoPatientsDataset(folder=folder, simulation=SIMULATION).load()
    assert expression.index.tolist() == groups.index.tolist() == [f"SIM-{n:04d}" for n in range(10)]
    assert "GROWTH000" in expression.columns
    assert (tmp_path / "tissue" / "tiles.parquet").stat().st_mtime_ns == written
    # Other settings replace them.
    other = DemoTilesDataset(folder=folder, simulation={**SIMULATION, "patients": 11}).load()
    assert len(other.slides) == 11


def test_files_that_were_not_simulated_are_not_replaced(tmp_path):
    (tmp_path / "tissue").mkdir()
    (tmp_path / "tissue" / "mine.txt").write_text("kept")
    with pytest.raises(DatasetError, match="files that were not simulated"):
        DemoTilesDataset(folder=str(tmp_path / "tissue"), simulation=SIMULATION).load()


def test_raw_data_are_never_written(parquet):
    with pytest.raises(DatasetError, match="read-only"):
        ReadyTilesDataset(filepath=parquet).save("x")
