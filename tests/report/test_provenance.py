import platform

import pandas as pd
import pytest

import tcga_coherent
from tcga_coherent.report.provenance import (
    format_duration,
    seeds,
    time_by_pipeline,
    versions,
)


def test_versions_are_those_that_run():
    found = versions("cpu")
    assert found["Python"] == platform.python_version()
    assert found["pandas"] == pd.__version__
    assert found["tcga_coherent"] == tcga_coherent.__version__
    assert found["device"] == "cpu"


def test_every_seed_is_found_with_its_full_name():
    parameters = {
        "evaluation": {"seed": 3, "umap": {"seed": 4, "n": 5}},
        "seed": 6,
        "rows": [{"seed": 7}],
    }
    assert seeds(parameters) == {"evaluation.seed": 3, "evaluation.umap.seed": 4, "seed": 6}


def test_times_are_summed_over_the_nodes_of_a_pipeline():
    times = pd.DataFrame({"pipeline": ["b", "a", "b"], "seconds": [3000.0, 5.04, 600.0]})
    assert time_by_pipeline(times) == {"b": "1 h 00 min", "a": "5.0 s"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (61, "1 min"), (3599, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert format_duration(seconds) == text
