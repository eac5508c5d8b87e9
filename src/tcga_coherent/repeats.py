"""Repeats of an experiment: over the machine's cores, each kept as soon as it is done."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import tcga_coherent

logger = logging.getLogger(__name__)

COMPLETE = "complete"
# What numbers are computed with, beside this package.
LIBRARIES = ("numpy", "pandas", "scikit-learn", "scikit-survival", "scipy", "torch")

# Packages that only show.
DRAWING = ("figures", "report")

Stored = Mapping[str, Callable[[], pd.DataFrame]]


def identity_of(*parts: Any) -> str:
    """Return a short hash of everything that determines the result of a repeat.

    The source code of this package and the versions of the libraries it computes with are part of it,
    whichever an experiment uses. An edit therefore computes the repeats of all studies anew: that costs
    time, where numbers of former code beside new ones would be wrong.

    Parameters
    ----------
    parts
        Frames, arrays, mappings, sequences, dataclasses of these, and what JSON can hold.
    """
    digest = hashlib.sha256(source_hash(Path(tcga_coherent.__file__).parent).encode())
    _add(digest, {library: version(library) for library in LIBRARIES})
    for part in parts:
        _add(digest, part)
    return digest.hexdigest()[:16]


@cache
def source_hash(package: Path) -> str:
    """Return a hash of the modules of a package and its sub-packages; those that only draw are left out.

    Parameters
    ----------
    package
        Folder of the package.
    """
    digest = hashlib.sha256()
    for module in sorted(package.rglob("*.py")):
        draws = module.stem.endswith("figure") or module.parent.name in DRAWING
        if not draws:
            code = module.read_bytes()
            digest.update(f"{module.relative_to(package).as_posix()}:{len(code)}:".encode())
            digest.update(code)
    return digest.hexdigest()


def run_repeats(
    experiment: Callable[[int], pd.DataFrame],
    repeats: Sequence[int],
    identity: str,
    stored: Stored,
    workers: int,
    name: str,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Run an experiment once for each repeat, in several processes.

    Parameters
    ----------
    experiment
        Function of the repeat's number, which seeds it; it must be possible to send it to another
        process, as a partial of a function of a module is.
    repeats
        Numbers of the repeats.
    identity
        Result of :func:`identity_of` for all that `experiment` depends on.
    stored
        Results of former runs by ``<identity>/<repeat>``; those of this identity are not run again.
    workers
        Processes; -1 for one a core. A single one is this one.
    name
        What is repeated, for the log.

    Yields
    ------
    dict
        ``<identity>/<repeat>`` to its result, once for each repeat that is done, and at last
        ``<identity>/complete`` to all of them with the column ``repeat``. Before the first repeat
        nothing at all where former repeats were complete and these are not: saved, it says so.

    Raises
    ------
    ValueError
        When `workers` is no number of processes.
    """
    if workers < 1 and workers != -1:
        raise ValueError(
            f"compute.workers must be -1, for one process a core, or at least 1, got {workers}."
        )
    done = {
        repeat: stored[f"{identity}/{repeat}"]()
        for repeat in repeats
        if f"{identity}/{repeat}" in stored
    }
    if done:
        logger.info("%s: %d of %d repeats are there already", name, len(done), len(repeats))
    open_repeats = [repeat for repeat in repeats if repeat not in done]
    if open_repeats and any(key.endswith(f"/{COMPLETE}") for key in stored):
        yield {}
    started = time.monotonic()
    running = joblib.Parallel(
        n_jobs=max(1, min(joblib.effective_n_jobs(workers), len(open_repeats))),
        return_as="generator_unordered",
    )(joblib.delayed(_run)(experiment, repeat, _flushes_denormals()) for repeat in open_repeats)
    for number, (repeat, result) in enumerate(running, start=1):
        done[repeat] = result
        left = (time.monotonic() - started) / number * (len(open_repeats) - number)
        logger.info("%s: repeat %d of %d, %.1f min left", name, len(done), len(repeats), left / 60)
        yield {f"{identity}/{repeat}": result}
    yield {
        f"{identity}/{COMPLETE}": pd.concat(
            [done[repeat].assign(repeat=repeat) for repeat in repeats], ignore_index=True
        )
    }


def all_repeats(stored: Stored, name: str) -> pd.DataFrame:
    """Return the results of all repeats, with the column ``repeat``.

    Parameters
    ----------
    stored
        What :func:`run_repeats` yielded, by name.
    name
        What is repeated, for the message.

    Raises
    ------
    ValueError
        When the repeats are not finished.
    """
    complete = [key for key in stored if key.endswith(f"/{COMPLETE}")]
    if len(complete) != 1:
        raise ValueError(
            f"The repeats of {name} are not finished. Run the same command again: it goes on after the "
            f"last finished one."
        )
    return stored[complete[0]]()


def _flushes_denormals() -> bool:
    """Return whether this process takes numbers too small for full precision as zero."""
    return bool(np.float32(1e-40) * np.float32(1.0) == 0.0)


def _run(
    experiment: Callable[[int], pd.DataFrame], repeat: int, flush_denormals: bool
) -> tuple[int, pd.DataFrame]:
    # A worker rounds as the process that started it does, so that numbers do not depend on workers.
    if flush_denormals != _flushes_denormals():
        import torch

        torch.set_flush_denormal(flush_denormals)
    # Processes beside each other must not wait for each other's threads.
    with threadpool_limits(1):
        return repeat, experiment(repeat)


def _add(digest: Any, part: Any) -> None:
    """Feed a value to a hash: its type, its size and its bytes."""
    digest.update(type(part).__name__.encode())
    if isinstance(part, pd.DataFrame | pd.Series | pd.Index):
        digest.update(str(part.shape).encode())
        digest.update(str(list(getattr(part, "columns", []))).encode())
        digest.update(pd.util.hash_pandas_object(part).to_numpy().tobytes())
    elif isinstance(part, np.ndarray):
        digest.update(f"{part.dtype}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    elif is_dataclass(part) and not isinstance(part, type):
        _add(digest, {name: getattr(part, name) for name in part.__dataclass_fields__})
    elif isinstance(part, Mapping):
        digest.update(f"{len(part)}:".encode())
        for key, value in part.items():
            _add(digest, key)
            _add(digest, value)
    elif isinstance(part, list | tuple):
        digest.update(f"{len(part)}:".encode())
        for value in part:
            _add(digest, value)
    else:
        text = json.dumps(part)
        digest.update(f"{len(text)}:{text}".encode())
