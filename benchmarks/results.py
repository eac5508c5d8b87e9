"""Where results go, and what they say of the machine that made them."""

import json
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure

from tcga_coherent import __version__
from tcga_coherent.datasets.atomic import replace_when_whole

FOLDER = Path("benchmarks/results")

# Okabe and Ito: apart with red-green colour blindness. Styles differ in marker as well.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "v", "P", "D", "X")
PLAIN_COLOR, FAST_COLOR = "#D55E00", "#0072B2"


def machine(device: torch.device) -> dict[str, Any]:
    """Return the device, the versions and the date that results are to be read with."""
    return {
        "device": device_name(device),
        "cpu_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "tcga_coherent": __version__,
        "date": datetime.now(UTC).date().isoformat(),
    }


def device_name(device: torch.device) -> str:
    """Return the name of the card or of the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found.group(1).strip()
    return platform.processor() or platform.machine()


def write_table(name: str, table: pd.DataFrame) -> None:
    """Write ``<name>.csv`` to the folder of results."""
    with replace_when_whole(FOLDER / f"{name}.csv") as partial:
        table.round(5).to_csv(partial, index=False)


def write_json(name: str, content: Mapping[str, Any]) -> None:
    """Write ``<name>.json`` to the folder of results."""
    with replace_when_whole(FOLDER / f"{name}.json") as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_text(name: str, text: str) -> None:
    """Write a file of text to the folder of results."""
    with replace_when_whole(FOLDER / name) as partial:
        partial.write_text(text, encoding="utf-8")


def markdown_table(table: pd.DataFrame) -> str:
    """Return a table in Markdown, floats with four significant digits."""
    lines = [list(table.columns), ["---"] * table.shape[1]]
    for row in table.itertuples(index=False):
        lines.append([f"{v:.4g}" if isinstance(v, float) else str(v) for v in row])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_figure(name: str, figure: Figure) -> None:
    """Write ``<name>.png`` to the folder of results."""
    with replace_when_whole(FOLDER / f"{name}.png") as partial:
        figure.savefig(partial, format="png", dpi=150)
