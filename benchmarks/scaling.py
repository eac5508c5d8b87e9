"""Time and memory of coherent sampling against patients, draws, sources and latent size.

    python benchmarks/scaling.py [--max-patients 100000]

Latents are simulated and the denoisers are untrained networks of the default size: neither time nor
memory depends on what they have learned. Every point is measured in a process of its own, whose
peak is then that point's alone. Patients are drawn in blocks, of which the mean and the standard
deviation of each patient's draws are kept, as for a table of completed patients; ``working_mb`` is
what the process needed beyond these results and its inputs. On CPU the points take fewer draws and
steps, given in the table, so that a million patients end within minutes.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

import results
from clock import seconds
from tcga_coherent.diffusion.checkpoints import LoadedDenoiser
from tcga_coherent.diffusion.config import ArchitectureConfig, CoherenceConfig, SamplingConfig
from tcga_coherent.diffusion.denoiser import DenoiserShape, initialise_stack
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.sampling.ensemble import Ensemble

MEGABYTE = 2**20
# Rows (patients x draws) between two reductions to mean and standard deviation.
BLOCK_ROWS = 16_384


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes
    ----------
    axis
        What varies: ``patients``, ``draws``, ``sources`` or ``latent_size``.
    patients, draws, sources, latent_size, steps
        Size of the problem.
    device
        Where to compute.
    threads
        CPU threads.
    """

    axis: str
    patients: int
    draws: int
    sources: int
    latent_size: int
    steps: int
    device: str
    threads: int


def plan(device: torch.device, max_patients: int, threads: int) -> list[Point]:
    """Return the points to measure, the smallest first on each axis.

    Parameters
    ----------
    device
        Where to compute.
    max_patients
        Patients at most, of 1e3, 1e4, 1e5 and 1e6.
    threads
        CPU threads.
    """
    on_card = device.type == "cuda"
    base = Point(
        axis="patients",
        patients=10_000 if on_card else 5_000,
        draws=40 if on_card else 4,
        sources=3,
        latent_size=32,
        steps=40 if on_card else 5,
        device=str(device),
        threads=threads,
    )
    axes: dict[str, Sequence[int]] = {
        "patients": [n for n in (1_000, 10_000, 100_000, 1_000_000) if n <= max_patients],
        "draws": (4, 10, 40, 100),
        "sources": (1, 2, 3, 5, 8),
        "latent_size": (8, 16, 32, 64, 128, 256),
    }
    return [
        Point(**{**asdict(base), "axis": axis, axis: value})
        for axis, values in axes.items()
        for value in values
    ]


def measure_point(point: Point) -> dict[str, Any]:
    """Draw and return time and memory; to be called in a process that does nothing else."""
    torch.set_num_threads(point.threads)
    torch.set_flush_denormal(True)
    device = torch.device(point.device)
    ensemble = untrained_ensemble(point, device)
    generator = np.random.default_rng(0)
    conditions = {
        f"source{i}": torch.from_numpy(
            generator.standard_normal((point.patients, point.latent_size), dtype=np.float32)
        )
        for i in range(point.sources)
    }
    # Filled, so that they are resident before the peak is read.
    mean, deviation = torch.full((2, point.patients, point.latent_size), torch.nan)
    # Libraries set themselves up in the first draws: that is neither time nor memory of the others.
    draw_block(ensemble, conditions, slice(0, 8))
    before = peak_resident()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    per_block = max(1, BLOCK_ROWS // point.draws)
    started = seconds(device)
    for start in range(0, point.patients, per_block):
        block = slice(start, start + per_block)
        draws = draw_block(ensemble, conditions, block)
        mean[block] = draws.mean(dim=1)
        deviation[block] = draws.std(dim=1)
    spent = seconds(device) - started
    outputs = mean.nbytes + deviation.nbytes
    return {
        **asdict(point),
        "seconds": spent,
        "peak_mb": peak_resident() / MEGABYTE,
        "working_mb": (peak_resident() - before) / MEGABYTE,
        "inputs_mb": sum(values.nbytes for values in conditions.values()) / MEGABYTE,
        "outputs_mb": outputs / MEGABYTE,
        "device_mb": torch.cuda.max_memory_allocated(device) / MEGABYTE
        if device.type == "cuda"
        else 0.0,
    }


def untrained_ensemble(point: Point, device: torch.device) -> Ensemble:
    """Return an ensemble of networks with initial weights, one a source."""
    size = ArchitectureConfig()
    shape = DenoiserShape(
        target_dim=point.latent_size,
        condition_dims=(point.latent_size,),
        hidden_dim=size.hidden_dim,
        n_layers=size.n_layers,
        time_dim=size.time_dim,
        condition_dim=size.condition_dim,
        prediction="velocity",
    )
    denoisers = [
        LoadedDenoiser(
            name=f"target_from_source{i}",
            target="target",
            sources=(f"source{i}",),
            network=initialise_stack([f"target_from_source{i}"], shape, seed=0).to(device).eval(),
            process=LinearBeta(),
            mse=1.0,
        )
        for i in range(point.sources)
    ]
    on_card = device.type == "cuda"
    defaults = SamplingConfig()
    config = SamplingConfig(
        n_draws=point.draws,
        n_steps=point.steps,
        weights="equal",
        # Untrained networks do not agree: nothing is to be rejected and drawn again.
        coherence=CoherenceConfig(threshold=2.0),
        precision="auto" if on_card else defaults.precision,
        chunk_rows=131_072 if on_card else defaults.chunk_rows,
    )
    return Ensemble(denoisers, config)


def draw_block(
    ensemble: Ensemble, conditions: dict[str, torch.Tensor], block: slice
) -> torch.Tensor:
    """Return the draws of some patients, shape (patients, draws, latent_size)."""
    part = {source: values[block] for source, values in conditions.items()}
    n_patients = len(next(iter(part.values())))
    names = [str(block.start + i) for i in range(n_patients)]
    return ensemble.draw(part, named_keys(0, "target", names)).latents


def peak_resident() -> int:
    """Return the largest resident memory that this process has had, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        # getrusage would count what the parent held when it started this process.
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, others kibibytes.
    return peak if sys.platform == "darwin" else peak * 1024


def run(device: torch.device, max_patients: int, threads: int) -> pd.DataFrame:
    """Measure all points, each in a fresh process; return one row a point.

    Parameters
    ----------
    device, max_patients, threads
        As in :func:`plan`.

    Raises
    ------
    RuntimeError
        When a point fails; the message holds what its process said.
    """
    rows = []
    for point in plan(device, max_patients, threads):
        done = subprocess.run(
            [sys.executable, __file__, "--point", json.dumps(asdict(point))],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{point} failed: {done.stderr}")
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append(row)
        print(
            f"{point.axis} {row[point.axis]}: {row['seconds']:.2f} s, {row['peak_mb']:.0f} MB at peak, "
            f"of which {row['working_mb']:.0f} MB beyond inputs, results and libraries",
            flush=True,
        )
    return pd.DataFrame(rows)


def sizes_and_costs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a page shows, those of the card only where there is one.

    Parameters
    ----------
    table
        Result of :func:`run`.
    """
    hidden = (
        ["device", "threads"] if table["device_mb"].any() else ["device", "threads", "device_mb"]
    )
    return table.drop(columns=hidden)


def time_exponent(table: pd.DataFrame) -> float:
    """Return the slope of log time over log patients from 10,000 patients on; 1 is linear.

    Fewer patients take so short that starting costs count.

    Parameters
    ----------
    table
        Result of :func:`run`.
    """
    rows = table[(table["axis"] == "patients") & (table["patients"] >= 10_000)]
    if len(rows) < 2:
        return float("nan")
    return float(np.polyfit(np.log(rows["patients"]), np.log(rows["seconds"]), 1)[0])


def draw_scaling(table: pd.DataFrame) -> Figure:
    """Draw time and working memory over each axis, all on logarithmic scales.

    Parameters
    ----------
    table
        Result of :func:`run`.
    """
    axes = list(dict.fromkeys(table["axis"]))
    memory = "device_mb" if table["device_mb"].any() else "working_mb"
    figure = Figure(figsize=(3.4 * len(axes), 5.6), layout="constrained")
    panels = figure.subplots(2, len(axes), sharex="col", sharey="row", squeeze=False)
    for column, axis in enumerate(axes):
        rows = table[table["axis"] == axis]
        fixed = [f"{name} {rows[name].iloc[0]}" for name in (*axes, "steps") if name != axis]
        panels[0, column].set_title(", ".join(fixed).replace("_", " "), fontsize=8)
        proportional = rows["seconds"].iloc[-1] * rows[axis] / rows[axis].iloc[-1]
        panels[0, column].plot(
            rows[axis], proportional, color="grey", linestyle=":", label="proportional"
        )
        panels[0, column].plot(rows[axis], rows["seconds"], color=results.COLORS[0], marker="o")
        panels[1, column].plot(
            rows[axis], rows[memory].clip(lower=1.0), color=results.COLORS[1], marker="s"
        )
        panels[1, column].set_xlabel(axis.replace("_", " "))
        for panel in panels[:, column]:
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_xticks(rows[axis], [f"{value:,}" for value in rows[axis]])
            panel.minorticks_off()
            panel.spines[["top", "right"]].set_visible(False)
    panels[1, 0].set_ylim(1, max(1000, 2 * table[memory].max()))
    panels[0, 0].set_ylabel("time (s)")
    panels[1, 0].set_ylabel(
        "memory of the card (MB)" if memory == "device_mb" else "working memory (MB)"
    )
    panels[0, 0].legend(fontsize=8, frameon=False)
    return figure


def main() -> None:
    """Run the benchmark, or measure one point of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-patients", type=int, default=1_000_000, help="patients at most")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        print(json.dumps(measure_point(Point(**json.loads(arguments.point)))))
        return
    device = resolve_device(arguments.device)
    table = run(device, arguments.max_patients, arguments.threads)
    name = f"scaling_{device.type}"
    results.write_table(name, table)
    results.write_figure(name, draw_scaling(table))
    results.write_json(name, results.machine(device))
    print(f"time_exponent={time_exponent(table):.3f}")


if __name__ == "__main__":
    main()
