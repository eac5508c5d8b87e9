"""Seconds and memory of each node of a run of the project, in a process and a project of its own."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SECONDS_BETWEEN_LOOKS = 0.05
GIB = 2**30


def copy_project(root: Path) -> None:
    """Make a project in `root` with the configuration of this one, and no data.

    Raises
    ------
    SystemExit
        When `root` holds a project already.
    """
    if (root / "conf").exists():
        raise SystemExit(f"{root} holds a project already: delete it, or name another --scratch.")
    shutil.copytree(ROOT / "conf", root / "conf", ignore=shutil.ignore_patterns("local"))
    # Kedro looks for it, whatever it holds.
    (root / "conf" / "local").mkdir()
    (root / "src").mkdir()
    shutil.copy(ROOT / "pyproject.toml", root)


def run(
    root: Path, env: str, pipelines: str, parameters: Mapping[str, object]
) -> tuple[pd.DataFrame, float, float]:
    """Run pipelines in the project `root`.

    Returns
    -------
    table : DataFrame
        As :func:`join` returns it.
    seconds : float
        From the start of the process to its end.
    peak : float
        GiB resident at most.

    Raises
    ------
    SystemExit
        When the run fails; its output is in ``run.log``.
    """
    command = [sys.executable, "-m", "kedro", "run", "--env", env, "--pipelines", pipelines]
    if parameters:
        command += ["--params", ",".join(f"{key}={value}" for key, value in parameters.items())]
    environment = {"OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "1", "COLUMNS": "140"}
    start = time.time()
    with (root / "run.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=root, env={**os.environ, **environment}, stdout=log, stderr=log
        )
        looks = []
        while process.poll() is None:
            processes = with_descendants(process.pid)
            used = sum(map(processor_time, processes)), sum(map(resident, processes))
            looks.append((time.time(), *used))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    seconds = time.time() - start
    if process.returncode:
        raise SystemExit(f"The run failed after {seconds:.0f} s: see {root / 'run.log'}.")
    samples = pd.DataFrame(looks, columns=["time", "cpu_seconds", "bytes"])
    nodes = read_nodes(root / "data" / "08_reporting")
    return join(nodes, samples), seconds, float(samples["bytes"].max()) / GIB


def with_descendants(process: int) -> list[int]:
    """Return a process and all that it started, those that are still there."""
    found = [process]
    for number in found:
        try:
            for task in Path(f"/proc/{number}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="utf-8").split())
        except OSError:
            # Ended in the meantime.
            continue
    return found


def resident(process: int) -> int:
    """Return the bytes of a process that are in memory, 0 where it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def processor_time(process: int) -> float:
    """Return the seconds that a process and the ended ones that it started have computed."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    # Behind the name in parentheses, which may hold blanks: utime, stime, cutime and cstime.
    ticks = map(int, text.rpartition(")")[2].split()[11:15])
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def read_nodes(reporting: Path) -> pd.DataFrame:
    """Read what the nodes recorded: ``node``, ``start`` and ``end`` in seconds of the clock."""
    rows = []
    for file in reporting.glob("*/node_times/*.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        # The record gives whole seconds; it is written when the last output was saved.
        end = file.stat().st_mtime
        rows.append((record["node"], end - record["seconds"], end))
    return pd.DataFrame(rows, columns=["node", "start", "end"]).sort_values(
        ["start", "end"], ignore_index=True
    )


def join(nodes: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Find the memory of each node.

    Parameters
    ----------
    nodes
        ``node``, ``start`` and ``end``.
    samples
        ``time``, ``cpu_seconds`` up to then, and ``bytes``.

    Returns
    -------
    DataFrame
        ``node``, ``seconds``, ``cpu_seconds`` and ``peak_gib``, missing where a node was too short for a
        look at it; in the order of `nodes`.
    """
    peaks = [
        samples.loc[samples["time"].between(node.start, node.end), "bytes"].max() / GIB
        for node in nodes.itertuples()
    ]
    start, end = (
        np.interp(nodes[when], samples["time"], samples["cpu_seconds"]) for when in ("start", "end")
    )
    return pd.DataFrame(
        {
            "node": nodes["node"],
            "seconds": nodes["end"] - nodes["start"],
            "cpu_seconds": end - start,
            "peak_gib": peaks,
        }
    )
