"""Nodes that are given a dataset of every lane as one argument."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator
from matplotlib.figure import Figure

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.pipelines.lanes import (
    Built,
    all_pairs,
    drawing,
    each,
    gather_rows,
    lane_node,
    pairs_of,
    study,
)

LANES = ["cna", "rppa"]
Loaders = Mapping[str, Callable[[], Any]]


def run(node: Node, contents: Mapping[str, Any]) -> dict[str, Any]:
    """Run a node on contents of datasets; return what it made."""
    catalog = DataCatalog(
        {name: MemoryDataset(content, copy_mode="assign") for name, content in contents.items()}
    )
    made = SequentialRunner().run(Pipeline([node]), catalog)
    return {name: dataset.load() for name, dataset in made.items()}


def test_datasets_are_called_after_kind_and_lane() -> None:
    assert each("latents", LANES) == {"cna": "latents/cna", "rppa": "latents/rppa"}
    assert pairs_of("rppa", ["cna", "rppa", "wsi"]) == ["rppa_from_cna", "rppa_from_wsi"]
    pairs = all_pairs(["cna", "rppa", "wsi"])
    assert len(pairs) == len(set(pairs)) == 3 * 2
    assert pairs[:2] == ["cna_from_rppa", "cna_from_wsi"]


def test_groups_are_given_as_loaders_by_lane_and_single_datasets_as_they_are() -> None:
    def add(numbers: Loaders, summand: int, factors: Loaders) -> dict[str, int]:
        return {name: (load() + summand) * factors[name]() for name, load in numbers.items()}

    node = lane_node(
        add,
        inputs=[each("numbers", LANES), "params:summand", each("factors", LANES)],
        outputs="sums",
        name="add",
    )
    assert node.inputs == [
        *("numbers/cna", "numbers/rppa", "params:summand"),
        *("factors/cna", "factors/rppa"),
    ]
    contents = {"numbers/cna": 1, "numbers/rppa": 2, "factors/cna": 10, "factors/rppa": 100}
    assert run(node, {**contents, "params:summand": 5}) == {"sums": {"cna": 60, "rppa": 700}}


def test_lanes_come_in_their_order_not_in_that_of_the_alphabet() -> None:
    node = lane_node(list, inputs=[each("x", ["wsi", "cna", "rppa"])], outputs="y", name="order")
    assert run(node, {f"x/{name}": 0 for name in [*LANES, "wsi"]})["y"] == ["wsi", "cna", "rppa"]


def test_a_dataset_that_is_partitioned_itself_is_joined_by_lane_and_partition() -> None:
    def collect(draws: Loaders) -> dict[str, str]:
        return {name: load() for name, load in draws.items()}

    node = lane_node(collect, inputs=[each("draws", LANES)], outputs="all", name="collect")
    contents = {
        "draws/cna": {"single/rppa": lambda: "a", "multi/rppa": lambda: "b"},
        "draws/rppa": {"single/cna": lambda: "c"},
    }
    assert run(node, contents)["all"] == {
        "cna/single/rppa": "a",
        "cna/multi/rppa": "b",
        "rppa/single/cna": "c",
    }


def test_a_group_of_no_lane_is_an_empty_mapping() -> None:
    def count(summand: int, made: Loaders) -> int:
        return summand + len(made)

    node = lane_node(count, inputs=["params:summand", {}], outputs="n", name="count")
    assert run(node, {"params:summand": 3}) == {"n": 3}


def test_results_by_lane_go_to_the_dataset_of_each() -> None:
    def split(value: int) -> tuple[dict[str, int], str]:
        # In another order than the lanes.
        return {"rppa": 2 * value, "cna": value}, "note"

    node = lane_node(split, ["value"], [each("parts", LANES), "note"], name="split")
    assert node.outputs == ["parts/cna", "parts/rppa", "note"]
    assert run(node, {"value": 4}) == {"parts/cna": 4, "parts/rppa": 8, "note": "note"}


def test_one_result_by_lane_goes_to_the_dataset_of_each_also_of_a_single_lane() -> None:
    def name_all(value: int) -> dict[str, int]:
        return {"cna": value, "rppa": -value}

    for lanes in (LANES, LANES[:1]):
        node = lane_node(name_all, ["value"], [each("parts", lanes)], name="name_all")
        made = run(node, {"value": 4})
        assert made == {f"parts/{name}": {"cna": 4, "rppa": -4}[name] for name in lanes}


def test_a_lane_that_the_function_forgot_is_an_error() -> None:
    node = lane_node(lambda value: {"cna": value}, ["value"], [each("parts", LANES)], name="forget")
    with pytest.raises(KeyError, match="rppa"):
        run(node, {"value": 4})


def test_a_node_about_a_lane_is_told_it_last() -> None:
    def describe(frames: Loaders, unit: str, lane: str) -> str:
        return f"{lane}: {frames[lane]()} {unit}"

    node = lane_node(
        describe,
        inputs=[each("frames", LANES), "unit"],
        outputs="text",
        name="describe",
        namespace="rppa",
        lane="rppa",
        tags=["words"],
    )
    assert (node.name, node.namespace, node.tags) == ("rppa.describe", "rppa", {"words"})
    contents = {"frames/cna": 1, "frames/rppa": 2, "unit": "cm"}
    assert run(node, contents) == {"text": "rppa: 2 cm"}


class KeptDataset(MemoryDataset):
    """Notes everything that is saved."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[Any] = []

    def save(self, data: Any) -> None:
        self.saved.append(data)
        super().save(data)


def test_what_a_generator_yields_is_saved_at_once_each_time() -> None:
    seen: list[int] = []
    kept = KeptDataset()

    def count(numbers: Loaders, lane: str) -> Iterator[int]:
        for load in numbers.values():
            seen.append(len(kept.saved))
            yield load()

    node = lane_node(count, [each("numbers", LANES)], "state", name="count", lane="cna")
    assert inspect.isgeneratorfunction(node.func)
    catalog = DataCatalog(
        {"numbers/cna": MemoryDataset(7), "numbers/rppa": MemoryDataset(8), "state": kept}
    )
    SequentialRunner().run(Pipeline([node]), catalog)
    assert kept.saved == [7, 8]
    assert seen == [0, 1]


def test_kedro_makes_objects_of_parameters_behind_a_group() -> None:
    def draw(latents: Loaders, sampling: SamplingConfig, lane: str) -> SamplingConfig:
        return sampling

    node = lane_node(
        draw,
        inputs=[each("latents", LANES), "params:sampling"],
        outputs="drawn",
        name="draw",
        lane="cna",
    )
    validator = ParameterValidator({"__default__": Pipeline([node])})
    found = validator.validate_raw_params({"sampling": {"n_draws": 6}})["sampling"]
    assert isinstance(found, SamplingConfig)
    assert found.n_draws == 6
    with pytest.raises(Exception, match="n_drawz"):
        validator.validate_raw_params({"sampling": {"n_drawz": 3}})


def test_rows_of_all_lanes_are_joined_in_their_order() -> None:
    node = gather_rows("coherence", ["wsi", "cna"])
    assert node.outputs == ["coherence_table"]
    rows = {
        f"rows/coherence/{name}": pd.DataFrame({"target": [name, name], "n": [1, 2]})
        for name in ("cna", "wsi")
    }
    table = run(node, rows)["coherence_table"]
    assert table["target"].tolist() == ["wsi", "wsi", "cna", "cna"]
    assert table.index.tolist() == [0, 1, 2, 3]


def test_what_arguments_are_built_of_is_read_and_built_once() -> None:
    built = []

    def total(numbers: Loaders, offset: int) -> int:
        built.append("total")
        return sum(load() for load in numbers.values()) + offset

    def share(number: int, whole: int) -> float:
        return number / whole

    def tell(whole: int, part: float, offset: int) -> str:
        return f"{whole} {part} {offset}"

    whole = Built(total, (each("numbers", LANES), "params:offset"))
    # An equal one, as another call of the same function would return it.
    part = Built(share, ("numbers/cna", Built(total, (each("numbers", LANES), "params:offset"))))
    node = lane_node(tell, [whole, part, "params:offset"], "text")
    assert node.inputs == ["numbers/cna", "numbers/rppa", "params:offset"]
    contents = {"numbers/cna": 2, "numbers/rppa": 5, "params:offset": 1}
    assert run(node, contents) == {"text": "8 0.25 1"}
    assert built == ["total"]


def test_parameters_behind_what_is_built_get_their_type() -> None:
    def steps(config: SamplingConfig, scale: int) -> int:
        return config.n_steps * scale

    node = lane_node(
        lambda n: n, [Built(steps, ("params:sampling", "params:scale"))], "n", name="n"
    )
    validator = ParameterValidator({"all": Pipeline([node])})
    parameters = validator.validate_raw_params({"sampling": {"n_steps": 7}, "scale": 3})
    assert parameters["sampling"] == SamplingConfig(n_steps=7)
    contents = {"params:sampling": parameters["sampling"], "params:scale": 3}
    assert run(node, contents) == {"n": 21}


def test_a_study_is_a_box_of_nodes_named_after_what_they_call() -> None:
    def measure(number: int) -> int:
        return 2 * number

    def draw(number: int, title: str) -> Figure:
        figure = Figure()
        figure.suptitle(f"{title} {number}")
        return figure

    nodes = study(
        "calibration",
        ["calibration", "statistics"],
        (measure, ["number"], "table"),
        (drawing(draw), ["table", "title"], "figure"),
    ).nodes
    assert [node.name for node in nodes] == ["calibration.measure", "calibration.draw"]
    assert all(node.tags == {"calibration", "statistics"} for node in nodes)
    # Drawn where it is saved, and not before.
    made = run(nodes[1], {"table": 4, "title": "Twice"})["figure"]
    assert made().get_suptitle() == "Twice 4"
