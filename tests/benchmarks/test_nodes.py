import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nodes


def test_a_node_has_the_memory_and_processor_time_between_its_start_and_its_end() -> None:
    records = pd.DataFrame(
        [("a", 10.0, 12.0), ("b", 12.5, 14.0), ("c", 14.01, 14.02)],
        columns=["node", "start", "end"],
    )
    samples = pd.DataFrame(
        {
            "time": [9.5, 10.5, 11.5, 12.25, 13.0, 15.0],
            "cpu_seconds": [0, 1, 2, 2, 2, 4],
            "bytes": np.array([9, 1, 3, 8, 2, 7]) * 2**30,
        }
    )
    table = nodes.join(records, samples)
    assert table["node"].tolist() == ["a", "b", "c"]
    assert table["seconds"].tolist() == pytest.approx([2, 1.5, 0.01])
    assert table["cpu_seconds"].tolist() == pytest.approx([1.5, 1.0, 0.01])
    np.testing.assert_array_equal(table["peak_gib"], [3, 2, np.nan])


def test_nodes_end_when_their_record_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "base" / "node_times"
    folder.mkdir(parents=True)
    for node, seconds, end in (("later", 5.0, 107.0), ("first", 90.0, 100.0)):
        file = folder / f"{node}.json"
        file.write_text(json.dumps({"node": node, "seconds": seconds}), encoding="utf-8")
        os.utime(file, (end, end))
    assert nodes.read_nodes(tmp_path).to_numpy().tolist() == [
        ["first", 10.0, 100.0],
        ["later", 102.0, 107.0],
    ]


def test_memory_and_time_are_those_of_a_process_and_what_it_started() -> None:
    work = "x = bytearray(80 * 2**20)\nwhile True: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    with subprocess.Popen([sys.executable, "-c", parent]) as process:
        try:
            deadline = time.monotonic() + 20
            memory = used = 0.0
            while (memory < 80 * 2**20 or used < 0.2) and time.monotonic() < deadline:
                time.sleep(0.05)
                family = nodes.with_descendants(process.pid)
                memory = sum(map(nodes.resident, family))
                used = sum(map(nodes.processor_time, family))
        finally:
            for number in reversed(nodes.with_descendants(process.pid)):
                os.kill(number, 9)
    assert 80 * 2**20 < memory < 400 * 2**20
    assert used >= 0.2
    assert nodes.resident(process.pid) == 0
    assert nodes.processor_time(process.pid) == 0
