"""What lies in a models folder is safe to load and holds no patient."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests.end_to_end.projects import SMALL_FEATURES, Project

# Far below the spacing of a checkpoint's numbers, above the error of another way to compute a row.
TOLERANCE = 1e-6

BARCODE = re.compile(rb"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}")

# Loading these runs code that the file brings along.
UNSAFE_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "jsonpickle"}
UNSAFE_CALLS = {("joblib", "load"), ("torch", "load"), ("pd", "read_pickle"), ("np", "load")}


def rows_within(values: np.ndarray, rows: pd.DataFrame) -> list[str]:
    """Return the patients all of whose values are among `values`, in whatever arrangement."""
    if values.size < rows.shape[1]:
        return []
    known = np.sort(values.astype(float).ravel())
    wanted = rows.to_numpy(float)
    at = np.searchsorted(known, wanted).clip(1, len(known) - 1)
    nearest = np.minimum(np.abs(known[at] - wanted), np.abs(known[at - 1] - wanted))
    found = (nearest <= TOLERANCE * np.maximum(1, np.abs(wanted))).all(axis=1)
    return list(rows.index[found])


def numbers(content: Any) -> Iterator[float]:
    """Yield every number of a JSON document."""
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from numbers(part)
    elif isinstance(content, int | float):
        yield float(content)


@pytest.fixture(scope="module")
def files(demo: Project) -> list[Path]:
    return [path for path in demo.path("06_models").rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def patients(demo: Project) -> dict[str, pd.DataFrame]:
    """Every patient's latents and processed values, by layer and modality."""
    folders = {"latents of": "05_model_input/{}/latents", "processed": "03_primary/{}/processed"}
    data = demo.root / "data"
    return {
        f"{kind} {name}": pd.read_parquet(
            data / folder.format(demo.environment) / f"{name}.parquet"
        )
        for kind, folder in folders.items()
        for name in SMALL_FEATURES
    }


def test_models_are_safetensors_and_json_alone(demo: Project, files: list[Path]) -> None:
    assert {path.suffix for path in files} == {".safetensors", ".json"}
    assert {"encoders", "preprocessors", "single", "multi", "consensus", "training_state"} <= {
        path.relative_to(demo.path("06_models")).parts[0] for path in files
    }


def test_no_checkpoint_holds_the_values_of_a_patient(
    files: list[Path], patients: dict[str, pd.DataFrame]
) -> None:
    leaks = []
    n_arrays = 0
    for path in files:
        if path.suffix == ".safetensors":
            arrays = {name: array for name, array in load_file(path).items() if array.dtype != bool}
        else:
            arrays = {"": np.array(list(numbers(json.loads(path.read_text(encoding="utf-8")))))}
        for name, array in arrays.items():
            n_arrays += 1
            for kind, rows in patients.items():
                leaks += [(path.name, name, kind, who) for who in rows_within(array, rows)]
    assert leaks == []
    assert n_arrays > 500


def test_no_checkpoint_names_a_patient(
    files: list[Path], patients: dict[str, pd.DataFrame]
) -> None:
    everyone = {who.encode() for rows in patients.values() for who in rows.index}
    assert len(everyone) > 200
    assert all(BARCODE.fullmatch(who) for who in everyone)
    for path in files:
        # Names stand as they are in JSON and in the header of safetensors.
        assert everyone & set(BARCODE.findall(path.read_bytes())) == set(), path


def test_a_planted_patient_would_be_found(patients: dict[str, pd.DataFrame]) -> None:
    rng = np.random.default_rng(0)
    for rows in patients.values():
        hidden = rng.standard_normal((rows.shape[1], 50)).astype(np.float32)
        assert rows_within(hidden, rows) == []
        hidden[::-1, 17] = rows.iloc[3].to_numpy(np.float32)
        assert rows_within(hidden, rows) == [rows.index[3]]


def test_no_code_loads_a_format_that_can_run_code(repo_root: Path) -> None:
    found = []
    modules = sorted((repo_root / "src").rglob("*.py"))
    assert len(modules) > 100
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found += [f"{path}:{node.lineno} {what}" for what in unsafe(node)]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from dill import load",
        "from joblib import load",
        "joblib.load(path)",
        "torch.load(path)",
        "torch.load(path, weights_only=True)",
        "pd.read_pickle(path)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_such_code_would_be_found(code: str) -> None:
    assert any(list(unsafe(node)) for node in ast.walk(ast.parse(code)))


def unsafe(node: ast.AST) -> Iterator[str]:
    """Yield what a statement or call has to do with unsafe formats."""
    if isinstance(node, ast.Import):
        yield from (a.name for a in node.names if a.name.split(".")[0] in UNSAFE_MODULES)
    elif isinstance(node, ast.ImportFrom):
        module = (node.module or "").split(".")[0]
        calls = {name for owner, name in UNSAFE_CALLS if owner == module}
        yield from (a.name for a in node.names if module in UNSAFE_MODULES or a.name in calls)
    elif isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            pair = (called.value.id, called.attr)
            if pair in UNSAFE_CALLS:
                yield ".".join(pair)
        yield from (k.arg for k in node.keywords if k.arg == "allow_pickle")
