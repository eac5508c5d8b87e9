import base64
import os
import subprocess
import sys
from xml.etree import ElementTree

import pandas as pd
import pytest
from kedro.io.core import DatasetError
from matplotlib.figure import Figure

from tcga_coherent.datasets.atomic import (
    AtomicCSVDataset,
    AtomicFigureDataset,
    AtomicParquetDataset,
    AtomicPartitionedDataset,
    AtomicTextDataset,
    replace_when_whole,
)

FRAME = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index(["P1", "P2"], name="patient_id"))


def partitioned(path):
    dataset = {"type": "tcga_coherent.datasets.atomic.AtomicParquetDataset"}
    return AtomicPartitionedDataset(path=str(path), dataset=dataset, filename_suffix=".parquet")


def test_frames_and_figures_come_back(tmp_path):
    parquet = AtomicParquetDataset(filepath=str(tmp_path / "deep" / "x.parquet"))
    parquet.save(FRAME)
    pd.testing.assert_frame_equal(parquet.load(), FRAME)
    csv = AtomicCSVDataset(filepath=str(tmp_path / "x.csv"), save_args={"index": False})
    csv.save(FRAME)
    assert csv.load()["x"].tolist() == [1.0, 2.0]
    text = AtomicTextDataset(filepath=str(tmp_path / "x.html"))
    text.save("± 1")
    assert text.load() == "± 1"
    assert (tmp_path / "x.html").read_bytes() == "± 1".encode()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "x.csv", "x.html"]


def small_figure() -> Figure:
    figure = Figure(figsize=(2, 1))
    axes = figure.add_subplot()
    axes.plot([0, 1], [1, 0], marker="o")
    axes.set_title("R²")
    # A clip path has a name that would be made up anew by each process.
    axes.set_xlim(0.2, 0.8)
    return figure


def draw(folder):
    dataset = AtomicFigureDataset(filepath=str(folder / "x.png"), save_args={"format": "png"})
    dataset.save(small_figure)
    return dataset


def test_a_figure_is_a_png_and_an_svg_that_needs_no_font(tmp_path):
    dataset = draw(tmp_path)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.png", "x.svg"]
    svg = ElementTree.fromstring(dataset.load())
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert svg.findall(".//{*}text") == []
    assert dataset.preview() == base64.b64encode((tmp_path / "x.png").read_bytes()).decode()


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    code = (
        "import sys, pathlib; from tests.datasets.test_atomic import draw; "
        "draw(pathlib.Path(sys.argv[1]))"
    )
    draw(tmp_path / "here")
    subprocess.run([sys.executable, "-c", code, tmp_path / "there"], check=True)
    for name in ("x.png", "x.svg"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def nothing_to_draw() -> Figure:
    raise ValueError("no patient is left")


def broken_formula() -> Figure:
    figure = Figure()
    figure.add_subplot().set_xlim(0, 1)
    figure.savefig = lambda *args, **kwargs: 1 / 0  # type: ignore[method-assign]
    return figure


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [(nothing_to_draw, "no patient is left"), (broken_formula, "ZeroDivisionError")],
)
def test_a_figure_that_cannot_be_drawn_says_why_and_ends_no_run(tmp_path, caplog, drawing, reason):
    dataset = AtomicFigureDataset(filepath=str(tmp_path / "x.png"), save_args={"format": "png"})
    dataset.save(drawing)
    assert f"The figure x could not be made: {reason}" in caplog.text
    assert ElementTree.fromstring(dataset.load()).findall(".//{*}path")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.png", "x.svg"]


def test_a_figure_that_cannot_be_written_ends_the_run(tmp_path):
    (tmp_path / "blocked").write_text("")
    dataset = AtomicFigureDataset(filepath=str(tmp_path / "blocked" / "x.png"))
    with pytest.raises(DatasetError, match=r"Cannot write .*blocked/x\.svg"):
        dataset.save(small_figure)


def test_text_is_utf8_whatever_the_locale(tmp_path):
    code = (
        "import sys; from tcga_coherent.datasets.atomic import AtomicTextDataset;"
        "d = AtomicTextDataset(filepath=sys.argv[1]); d.save('R\\u00b2'); assert d.load() == 'R\\u00b2'"
    )
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    path = tmp_path / "x.html"
    subprocess.run([sys.executable, "-c", code, path], check=True, env=environment)
    assert path.read_bytes() == "R²".encode()


def test_a_figure_without_its_svg_does_not_exist(tmp_path):
    dataset = draw(tmp_path)
    assert dataset.exists()
    (tmp_path / "x.svg").unlink()
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"x.svg does not exist: run the node that draws it"):
        dataset.load()


def test_a_failed_write_leaves_the_former_file(tmp_path):
    target = tmp_path / "x.txt"
    target.write_text("former")

    def write_half() -> None:
        with replace_when_whole(target) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert target.read_text() == "former"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_partitions_are_replaced_as_a_whole(tmp_path):
    dataset = partitioned(tmp_path / "tables")
    dataset.save({"a": FRAME, "b": FRAME})
    dataset.save({"b": FRAME, "deep/c": lambda: FRAME})
    assert sorted(dataset.load()) == ["b", "deep/c"]
    pd.testing.assert_frame_equal(dataset.load()["deep/c"](), FRAME)


def test_a_partition_that_fails_leaves_all_former_partitions(tmp_path):
    dataset = partitioned(tmp_path / "tables")
    dataset.save({"a": FRAME})

    def fail():
        raise RuntimeError("no frame")

    with pytest.raises(DatasetError, match="no frame"):
        dataset.save({"a": FRAME * 2, "b": fail})
    assert sorted(dataset.load()) == ["a"]
    pd.testing.assert_frame_equal(dataset.load()["a"](), FRAME)
    assert [p.name for p in tmp_path.iterdir()] == ["tables"]


def test_an_unwritable_output_is_named_with_the_way_out(tmp_path):
    # A file in the place of the folder: permissions do not stop root.
    (tmp_path / "blocked").write_text("")
    target = tmp_path / "blocked" / "x.parquet"
    with pytest.raises(DatasetError, match=r"Cannot write .*blocked/x.parquet: .*Make the folder"):
        AtomicParquetDataset(filepath=str(target)).save(FRAME)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DatasetError, match=r"Cannot write .*: Permission denied"):
        AtomicParquetDataset(filepath=str(tmp_path / "x.parquet")).save(FRAME)
