from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.tiles.slide_folder import SlideFolderDataset
from tcga_coherent.histology.tiles import decode
from tcga_coherent.histology.tiling.figure import draw_slides
from tcga_coherent.histology.tiling.parameters import TileFilters, TilingParameters
from tcga_coherent.histology.tiling.ready import ReadyTiles
from tcga_coherent.histology.tiling.slides import fault, resolution, tissue_mask

FREE = TilingParameters(
    tile_size=64, slide_mpp=0.5, diagnostic_only=False, patient_pattern="^[^-]+", jpeg_quality=100
)
RNG = np.random.default_rng(0)


def tissue(height, width):
    """Pink and violet grains of a few pixels."""
    grains = RNG.integers(60, 180, (height // 2, width // 2, 1)) + np.array([60, -20, 40])
    return grains.clip(0, 255).astype(np.uint8).repeat(2, 0).repeat(2, 1)


def write_slide(folder, name="P1-01Z-DX1", image=None):
    """A tiled TIFF, which openslide reads, without resolution."""
    import tifffile

    if image is None:
        image = np.full((256, 320, 3), 245, np.uint8)
        image[64:192, 64:256] = tissue(128, 192)
    folder.mkdir(exist_ok=True)
    tifffile.imwrite(folder / f"{name}.tif", image, tile=(64, 64), photometric="rgb")
    return image


@pytest.fixture
def slides(tmp_path):
    write_slide(tmp_path / "slides")
    return SlideFolderDataset(folder=str(tmp_path / "slides"))


def test_tiles_of_tissue_are_cut_where_they_lie_and_the_background_is_not(slides, tmp_path):
    image = write_slide(tmp_path / "slides")
    cut = slides.load().cut("P1-01Z-DX1", FREE)
    places = {(x, y) for x in (64, 128, 192) for y in (64, 128)}
    found = list(zip(cut.rows["y"], cut.rows["x"], strict=True))
    assert found == sorted((y, x) for x, y in places)
    assert cut.rows["patient_id"].eq("P1").all()
    for x, y, encoded in zip(cut.rows["x"], cut.rows["y"], cut.images, strict=True):
        shown = decode(encoded).astype(int)
        assert np.abs(shown - image[y : y + 64, x : x + 64]).mean() < 12
    assert cut.report["places"] == 20
    assert cut.report["background"] == 14
    assert cut.report["mpp_told_by"] == "parameter"


def test_tiles_have_the_resolution_asked_for(slides):
    cut = slides.load().cut("P1-01Z-DX1", replace(FREE, slide_mpp=0.25, tile_size=32))
    assert cut.rows["side"].eq(64).all()
    assert decode(cut.images[0]).shape == (32, 32, 3)


def test_of_too_many_tiles_some_are_drawn_by_the_seed_and_counted(slides):
    few = replace(FREE, max_tiles=2)
    first, again = (slides.load().cut("P1-01Z-DX1", few) for _ in range(2))
    assert len(first.images) == 2
    assert first.rows.equals(again.rows)
    assert first.report["not_drawn"] == 4
    others = {tuple(slides.load().cut("P1-01Z-DX1", replace(few, seed=s)).rows["x"]) for s in range(6)}  # fmt: skip
    assert len(others) > 1


def test_resolution_is_told_by_mpp_then_magnification_then_the_parameter():
    both = {"openslide.mpp-x": "0.499", "openslide.objective-power": "40"}
    assert resolution(both, FREE, "S") == (0.499, "mpp")
    assert resolution({"openslide.objective-power": "40"}, FREE, "S") == (0.25, "magnification")
    with pytest.raises(ValueError, match=r"slide S tells neither .*slide_tiling\.slide_mpp"):
        resolution({}, replace(FREE, slide_mpp=None), "S")


def test_a_frozen_section_and_a_slide_of_no_patient_are_refused(slides, tmp_path):
    write_slide(tmp_path / "slides", "P1-01A-TS1")
    source = slides.load()
    diagnostic = replace(FREE, diagnostic_only=True)
    assert source.cut("P1-01Z-DX1", diagnostic).images
    with pytest.raises(ValueError, match=r"P1-01A-TS1 has no DX .*diagnostic_only"):
        source.cut("P1-01A-TS1", diagnostic)
    with pytest.raises(ValueError, match=r"names no patient: .*patient_pattern"):
        source.cut("P1-01A-TS1", replace(FREE, patient_pattern="^TCGA"))


def test_a_truncated_slide_is_named(slides, tmp_path):
    (tmp_path / "slides" / "P2-DX1.svs").write_bytes(b"II*\x00\x08\x00")
    with pytest.raises(ValueError, match=r"P2-DX1\.svs cannot be read .*Copy it again"):
        slides.load().cut("P2-DX1", FREE)


def test_a_slide_that_is_tissue_all_over_is_not_half_background(tmp_path):
    filters = TileFilters()
    assert tissue_mask(tissue(64, 64), filters).all()
    half = np.full((64, 64, 3), 245, np.uint8)
    half[:, :32] = tissue(64, 32)
    mask = tissue_mask(half, filters)
    assert mask[:, :32].all()
    assert not mask[:, 32:].any()
    assert not tissue_mask(np.full((8, 8, 3), 250, np.uint8), filters).any()


def test_what_is_wrong_with_a_tile_is_named():
    filters, good = TileFilters(), tissue(64, 64)
    assert fault(good, filters) == ""
    assert fault(np.full((64, 64, 3), 200, np.uint8), filters) == "contrast"
    for pen in ((20, 60, 200), (10, 140, 60), (15, 15, 15)):
        marked = good.copy()
        marked[:10] = pen
        assert fault(marked, filters) == "pen"
    ramp = np.linspace(60, 200, 64).astype(np.uint8)
    smooth = np.broadcast_to(ramp[:, None, None], (64, 64, 3)).copy()
    assert fault(smooth, filters) == "blur"


def test_a_folder_without_slides_and_two_of_one_name_are_named(tmp_path):
    with pytest.raises(DatasetError, match=r"none holds no slide .*Take another"):
        SlideFolderDataset(folder=str(tmp_path / "none"), hint="Take another.").load()
    for folder in ("a", "b"):
        (tmp_path / "both" / folder).mkdir(parents=True)
        (tmp_path / "both" / folder / "S.svs").touch()
    with pytest.raises(DatasetError, match="are of one name"):
        SlideFolderDataset(folder=str(tmp_path / "both")).load()


def test_the_figure_shows_the_slide_with_a_square_a_tile(slides):
    source = slides.load()
    index = source.cut("P1-01Z-DX1", FREE).rows.assign(batch="P1-01Z-DX1")
    figure = draw_slides(source, index, FREE.filters)
    panel = figure.axes[0]
    assert panel.get_title() == "P1-01Z-DX1\n6 tiles"
    assert len(panel.collections[-1].get_paths()) == 6


def test_where_tiles_were_cut_elsewhere_the_figure_says_so():
    tiles = pd.DataFrame({"slide": ["S"], "patient_id": ["P"], "x": 0, "y": 0, "image": [b""]})
    figure = draw_slides(ReadyTiles(tiles), tiles.assign(batch="S"), TileFilters())
    assert "cut elsewhere" in figure.texts[0].get_text()


def test_both_real_slides_are_cut_the_second_only_with_its_parameter(shared_dir):
    source = SlideFolderDataset(folder=str(shared_dir / "histology" / "wsi")).load()
    settings = replace(FREE, tile_size=256, slide_mpp=None)
    cut = source.cut("CMU-1-Small-Region", settings)
    assert cut.report["mpp"] == 0.499
    assert 25 <= len(cut.images) <= 40
    with pytest.raises(ValueError, match="TCGA-CR-7395-01A-01-TS1 tells neither"):
        source.cut("TCGA-CR-7395-01A-01-TS1", settings)
    told = source.cut("TCGA-CR-7395-01A-01-TS1", replace(settings, slide_mpp=0.25))
    assert 25 <= len(told.images) <= 48
