"""Two stages, double and add, run on files: what does not belong together is refused or made again."""

import json

import pandas as pd
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.io.core import DatasetError
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner

from tcga_coherent.datasets.atomic import AtomicParquetDataset, AtomicPartitionedDataset
from tcga_coherent.datasets.identity import Raw, read_identity
from tcga_coherent.hooks.identity import IdentityHooks


def frame(value):
    return pd.DataFrame({"x": [value]})


def double(value):
    return {"a": frame(2 * value), "b": frame(2.0)}


def pick(doubled):
    return doubled["a"]()


def add(picked, summand):
    return picked + summand


def show(total):
    return total * 10


@pytest.fixture
def files(tmp_path):
    parts = AtomicPartitionedDataset(
        path=str(tmp_path / "doubled"),
        dataset="tcga_coherent.datasets.atomic.AtomicParquetDataset",
        filename_suffix=".parquet",
    )
    total, shown = (
        AtomicParquetDataset(filepath=str(tmp_path / f"{name}.parquet"))
        for name in ("total", "shown")
    )
    return {"doubled": parts, "total": total, "shown": shown}


STAGES = {
    "first": [Node(double, "params:value", "doubled", name="double")],
    "from raw": [Node(double, "value", "doubled", name="double")],
    # What lies between two nodes in memory has no file.
    "second": [
        Node(pick, "doubled", "picked", name="pick"),
        Node(add, ["picked", "params:summand"], "total", name="add"),
    ],
    "third": [Node(show, "total", "shown", name="show")],
    "fourth": [Node(show, "shown", "later", name="later")],
}
ALL = ("first", "second", "third")


def run(files, stages=ALL, value=1, summand=5, only_missing=False):
    ran = []
    if isinstance(value, RawNumber):
        stages = ("from raw", *stages[1:])

    def wrapped(node):
        def run_and_note(*args):
            ran.append(node.name)
            return node.func(*args)

        return Node(run_and_note, node.inputs, node.outputs[0], name=node.name)

    pipeline = sum(
        (
            Pipeline(
                Pipeline([wrapped(node) for node in STAGES[stage]]),
                namespace=stage.split()[0],
                prefix_datasets_with_namespace=False,
            )
            for stage in stages
        ),
        Pipeline([]),
    )
    for dataset in files.values():
        dataset.outdated = False
    catalog = DataCatalog(
        {
            **files,
            "value": value if isinstance(value, RawNumber) else MemoryDataset(value),
            "params:value": MemoryDataset(None if isinstance(value, RawNumber) else value),
            "params:summand": MemoryDataset(summand),
        }
    )
    manager = _create_hook_manager()
    manager.register(IdentityHooks())
    run_params = {"env": "demo", "only_missing_outputs": only_missing}
    manager.hook.before_pipeline_run(run_params=run_params, pipeline=pipeline, catalog=catalog)
    SequentialRunner().run(
        pipeline, catalog, hook_manager=manager, only_missing_outputs=only_missing
    )
    return ran


def test_what_was_made_from_a_former_result_is_refused_with_the_way_out(files):
    run(files)
    run(files, ["first"], value=3)
    with pytest.raises(
        DatasetError,
        match=r"total.parquet does not belong to what lies beside it: it was made from other doubled than "
        r"those at hand. Run `kedro run --env demo --pipelines second` again, or restore those",
    ):
        run(files, ["third"])
    run(files, ["second", "third"])
    assert files["shown"].load()["x"].tolist() == [110]


def test_a_former_result_further_back_is_refused_too(files, tmp_path):
    extra = {**files, "later": AtomicParquetDataset(filepath=str(tmp_path / "later.parquet"))}
    run(extra)
    run(extra, ["first"], value=3)
    with pytest.raises(DatasetError, match=r"shown.parquet .* made from other doubled than those"):
        run(extra, ["fourth"])


def test_an_input_that_comes_out_the_same_again_is_the_same(files):
    run(files)
    before = read_identity(files["doubled"].identified_path)
    run(files, ["first"])
    assert read_identity(files["doubled"].identified_path) == before
    run(files, ["third"])
    assert files["shown"].load()["x"].tolist() == [70]


@pytest.mark.parametrize("harm", ["edit", "remove", "add"])
def test_files_that_are_not_as_written_are_named(files, tmp_path, harm):
    run(files)
    file = tmp_path / "doubled" / "b.parquet"
    if harm == "edit":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif harm == "remove":
        file.unlink()
    else:
        file = tmp_path / "doubled" / "c.parquet"
        file.write_bytes((tmp_path / "doubled" / "a.parquet").read_bytes())
    with pytest.raises(
        DatasetError,
        match=rf"doubled is not as it was written \({file.stem}\): .* or run `kedro run --env demo "
        r"--pipelines first` again",
    ):
        run(files, ["second"])


def test_files_of_another_folder_are_told_by_their_content_though_their_identity_comes_along(
    files, tmp_path
):
    run(files)
    total, identity = tmp_path / "total.parquet", tmp_path / ".identity" / "total.parquet.json"
    former = total.read_bytes(), identity.read_text()
    run(files, value=3)
    total.write_bytes(former[0])
    identity.write_text(former[1])
    with pytest.raises(DatasetError, match=r"total.parquet .* made from other doubled"):
        run(files, ["third"])


def test_what_was_not_made_yet_is_said_to_be_absent(files):
    run(files, ["first"])
    with pytest.raises(DatasetError, match=r"total.parquet does not exist: run `kedro run"):
        run(files, ["third"])


@pytest.mark.parametrize("missing", [True, False])
def test_a_run_goes_on_without_what_is_optional_and_not_of_what_is_at_hand(files, missing, caplog):
    if not missing:
        run(files, ["first", "second"])
        run(files, ["first"], value=3)
    files["total"].optional = True
    files["total"].load = lambda: frame(0 if files["total"].outdated else 1)
    run(files, ["third"])
    assert files["shown"].load()["x"].tolist() == [0]
    reason = "does not exist: run" if missing else "made from other doubled than"
    assert f"Left out: {files['total'].identified_path} " in caplog.text
    assert reason in caplog.text


def test_what_is_optional_and_made_again_by_a_run_is_read_by_it(files):
    run(files, ["first", "second"])
    files["total"].optional = True
    files["total"].load = lambda: frame(0 if files["total"].outdated else 1)
    assert run(files, summand=7, only_missing=True) == ["pick", "add", "show"]
    assert files["shown"].load()["x"].tolist() == [10]


def test_a_run_of_missing_outputs_makes_a_damaged_file_again(files, tmp_path):
    run(files)
    (tmp_path / "total.parquet").write_bytes(b"damaged")
    assert run(files, only_missing=True) == ["pick", "add", "show"]
    assert files["shown"].load()["x"].tolist() == [70]


def test_a_file_of_which_nothing_is_known_is_refused(files, tmp_path):
    run(files)
    (tmp_path / ".identity" / "total.parquet.json").unlink()
    with pytest.raises(DatasetError, match=r"Nothing is known of what \S*total.parquet was made"):
        run(files, ["third"])


def test_an_identity_that_cannot_be_read_is_named(files, tmp_path):
    run(files)
    (tmp_path / ".identity" / "total.parquet.json").write_text("{")
    with pytest.raises(DatasetError, match=r"total.parquet.json is damaged"):
        run(files, ["third"])


def test_a_run_of_missing_outputs_does_nothing_where_all_is_current(files):
    run(files)
    assert run(files, only_missing=True) == []


def test_a_run_of_missing_outputs_makes_again_what_other_parameters_would_change(files, caplog):
    run(files)
    assert run(files, summand=7, only_missing=True) == ["pick", "add", "show"]
    assert files["shown"].load()["x"].tolist() == [90]
    assert "2 results were made from other data or parameters" in caplog.text


def test_a_run_that_was_killed_between_stages_is_finished_with_its_own_parameters(files):
    run(files)
    # The run with other parameters got no further than its first stage.
    run(files, ["first"], value=4)
    assert run(files, value=4, only_missing=True) == ["pick", "add", "show"]
    assert files["shown"].load()["x"].tolist() == [130]


def test_a_file_whose_identity_was_not_written_any_more_is_made_again(files, tmp_path):
    run(files)
    (tmp_path / ".identity" / "total.parquet.json").unlink()
    assert run(files, only_missing=True) == ["pick", "add", "show"]


class RawNumber(Raw, AbstractDataset):
    def __init__(self, path):
        self.path = path

    def raw_files(self):
        return {"number": self.path}

    def _load(self):
        return int(self.path.read_text())

    def _save(self, data):
        raise NotImplementedError

    def _describe(self):
        return {}


def test_a_run_of_missing_outputs_notices_other_raw_files(files, tmp_path):
    (tmp_path / "number").write_text("1")
    raw = RawNumber(tmp_path / "number")
    run(files, value=raw)
    assert run(files, value=raw, only_missing=True) == []
    (tmp_path / "moved").write_text("1")
    assert run(files, value=RawNumber(tmp_path / "moved"), only_missing=True) == []
    (tmp_path / "number").write_text("4")
    assert run(files, value=raw, only_missing=True) == ["double", "pick", "add", "show"]
    assert files["shown"].load()["x"].tolist() == [130]


def test_an_identity_says_what_made_it_and_from_what(files, tmp_path):
    run(files)
    stored = json.loads((tmp_path / ".identity" / "total.parquet.json").read_text())
    assert (stored["dataset"], stored["pipeline"], stored["node"]) == (
        "total",
        "second",
        "second.add",
    )
    assert stored["inputs"]["doubled"]["path"] == "doubled"
    assert set(stored["parameters"]) == {"params:summand"}
