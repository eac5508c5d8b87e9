import time

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner, ThreadRunner

from tcga_coherent.datasets.node_times import NodeTimesDataset
from tcga_coherent.hooks import NodeTimeHooks


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def sleep_in_parts(seconds):
    for _ in range(2):
        time.sleep(seconds)
        yield seconds


def fail(seconds):
    raise RuntimeError("no result")


def run(nodes, runner, times, outputs=None):
    data = {**(outputs or {}), "seconds": MemoryDataset(0.05)}
    if times is not None:
        data["node_times"] = times
    manager = _create_hook_manager()
    manager.register(NodeTimeHooks())
    pipeline = Pipeline(Pipeline(nodes), namespace="waiting", prefix_datasets_with_namespace=False)
    runner.run(pipeline, DataCatalog(data), hook_manager=manager)


@pytest.fixture
def times(tmp_path):
    return NodeTimesDataset(path=str(tmp_path / "times"))


@pytest.mark.parametrize("runner", [SequentialRunner(), ThreadRunner()])
def test_every_node_has_the_time_until_its_last_output_is_saved(runner, times):
    nodes = [
        Node(sleep, "seconds", "a", name="sleep"),
        # A generator runs while it is saved.
        Node(sleep_in_parts, "seconds", "b", name="sleep_in_parts"),
    ]
    run(nodes, runner, times)
    table = times.load().set_index("node")
    assert set(table.index) == {"waiting.sleep", "waiting.sleep_in_parts"}
    assert (table["pipeline"] == "waiting").all()
    assert 0.05 <= table.loc["waiting.sleep", "seconds"] < 0.09
    assert 0.1 <= table.loc["waiting.sleep_in_parts", "seconds"] < 0.3


def test_a_node_that_fails_has_no_time(times):
    nodes = [Node(sleep, "seconds", "a", name="sleep"), Node(fail, "a", "b", name="fail")]
    with pytest.raises(RuntimeError, match="no result"):
        run(nodes, SequentialRunner(), times)
    assert list(times.load()["node"]) == ["waiting.sleep"]


def test_a_catalog_without_times_runs_and_gets_none(tmp_path):
    result = MemoryDataset()
    run([Node(sleep, "seconds", "a", name="sleep")], SequentialRunner(), None, {"a": result})
    assert result.load() == 0.05
    assert list(tmp_path.iterdir()) == []
