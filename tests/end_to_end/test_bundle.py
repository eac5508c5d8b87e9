"""Models passed on in one folder: patients completed elsewhere, and nobody's data in it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.end_to_end.projects import SMALL_FEATURES, Project
from tests.end_to_end.raw_files import read_raw_samples
from tests.end_to_end.test_checkpoints_hold_no_patients import numbers, rows_within

MODALITIES = tuple(SMALL_FEATURES)
BARCODE = re.compile(rb"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}")

# All that somebody does who was sent a bundle, in a process that finds nothing of Kedro's.
NOTEBOOK = """
import sys
import pandas as pd
from tcga_coherent import Completer
completer = Completer.load(sys.argv[1], device="cpu")
tables = {{name: pd.read_parquet(f"{{sys.argv[2]}}/{{name}}.parquet") for name in {modalities}}}
completion = completer.complete(tables)
for name, draws in completion.draws.items():
    draws.to_parquet(f"{{sys.argv[3]}}/{{name}}.parquet")
"""


@pytest.fixture(scope="module")
def trained(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo, whose bundle is written by its command."""
    project = demo.clone(
        tmp_path_factory.mktemp("trained") / "demo",
        "03_primary/demo",
        "05_model_input/demo",
        "06_models/demo",
    )
    printed = project.command("--pipelines", "bundle")
    assert "The bundle has no release card (there is none)" in printed
    return project


@pytest.fixture(scope="module")
def bundle(trained: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, moved to where nothing else is."""
    return Path(
        shutil.copytree(
            trained.path("06_models", "bundle"), tmp_path_factory.mktemp("elsewhere") / "models"
        )
    )


@pytest.fixture(scope="module")
def given(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Matrices of test patients, each of whom lacks some modality, and of whom proteins have gaps."""
    split = pd.read_parquet(demo.path("05_model_input", "split.parquet"))["split"]
    test = split.index[split == "test"]
    folder = tmp_path_factory.mktemp("given")
    for number, name in enumerate(MODALITIES):
        raw = read_raw_samples(demo, name)
        having = test[[at % len(MODALITIES) != number for at in range(len(test))]]
        raw[raw.index.str.slice(0, 12).isin(having)].T.to_parquet(folder / f"{name}.parquet")
    return folder


def complete(project: Project, given: Path, out: Path, *others: str) -> pd.DataFrame:
    parameters = [f"completion.input_dir={given}", f"completion.output_dir={out}", *others]
    project.command("--pipelines", "complete", "--params", ",".join(parameters))
    return pd.read_parquet(out / "flags.parquet")


def test_completing_with_the_bundle_elsewhere_equals_completing_in_the_environment(
    demo: Project, trained: Project, bundle: Path, given: Path, tmp_path: Path
) -> None:
    empty = Project.copy(demo.root, tmp_path / "empty", "demo")
    assert not (empty.root / "data").exists()
    flags = complete(empty, given, tmp_path / "there", f"completion.models={bundle}")
    expected = complete(trained, given, tmp_path / "here")
    pd.testing.assert_frame_equal(flags, expected)
    assert set(flags["status"]) == {"observed", "generated"}
    files = [path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.parquet")]
    assert len(files) == 4 + 5 * len(MODALITIES)
    for file in files:
        there, here = (pd.read_parquet(tmp_path / place / file) for place in ("there", "here"))
        pd.testing.assert_frame_equal(there, here)
    predictions = pd.read_parquet(tmp_path / "here" / "predictions.parquet")
    assert set(predictions["patient_id"]) == set(flags["patient_id"])
    probabilities = predictions[predictions["task"] == "stage"].groupby("patient_id")["value"]
    np.testing.assert_allclose(probabilities.sum(), 1)
    curves = predictions[predictions["output"] == "survival"].sort_values("years")
    assert (curves.groupby("patient_id")["value"].diff().dropna() <= 1e-12).all()
    assert predictions["held_out_change"].notna().all()
    assert set(predictions["metric"]) == {"macro_f1", "c_index"}
    priorities = pd.read_parquet(tmp_path / "here" / "priorities.parquet")
    generated = flags.loc[flags["status"] == "generated", ["patient_id", "modality"]]
    assert len(priorities) == 2 * len(generated)
    assert set(priorities["variance_score_above_random"]) <= {"yes", "no", "undecided"}
    assert priorities["expected_change_percentile"].between(0, 100).all()
    # Nothing but the log of times came of it.
    kept = {
        path.relative_to(empty.root / "data").parts[0] for path in (empty.root / "data").rglob("*")
    }
    assert kept == {"08_reporting"}
    # Patients of the test split are no training patients, and nobody was said to be one.
    changed = complete(
        empty,
        given,
        tmp_path / "again",
        f"completion.models={bundle}",
        "coherent_sampling.n_draws=6",
    )
    assert set(changed.loc[changed["status"] == "generated", "n_draws"]) == {6}


def test_a_bundle_that_was_changed_stops_the_run_with_one_sentence(
    demo: Project, bundle: Path, given: Path, tmp_path: Path
) -> None:
    empty = Project.copy(demo.root, tmp_path / "empty", "demo")
    damaged = Path(shutil.copytree(bundle, tmp_path / "damaged"))
    file = damaged / "encoders/rppa.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    process = empty.start(
        "--pipelines",
        "complete",
        "--params",
        f"completion.input_dir={given},completion.output_dir={tmp_path / 'out'},completion.models={damaged}",
    )
    printed, _ = process.communicate()
    assert process.returncode != 0
    assert (
        "damaged is not as it was written (encoders/rppa.safetensors): copy the bundle anew."
        in printed
    )
    assert not (tmp_path / "out").exists()


def test_the_class_gives_the_draws_of_the_pipeline_from_a_plain_script(
    trained: Project, bundle: Path, given: Path, tmp_path: Path
) -> None:
    complete(trained, given, tmp_path / "here")
    (tmp_path / "draws").mkdir()
    code = NOTEBOOK.format(modalities=MODALITIES)
    subprocess.run(
        [sys.executable, "-c", code, str(bundle), str(given), str(tmp_path / "draws")],
        check=True,
        cwd=tmp_path,
    )
    for name in MODALITIES:
        found = pd.read_parquet(tmp_path / f"draws/{name}.parquet")
        expected = pd.read_parquet(tmp_path / f"here/latent_draws/{name}.parquet")
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def contents(bundle: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every array of every file, and the numbers of what is written as text."""
    from safetensors import safe_open

    for path in sorted(bundle.rglob("*")):
        if path.suffix == ".json":
            yield path.name, np.array(list(numbers(json.loads(path.read_text(encoding="utf-8")))))
        elif path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                header = json.loads(file.metadata()["json"])
                yield f"{path.name} header", np.array(list(numbers(header)))
                for name in file.keys():  # noqa: SIM118
                    array = file.get_tensor(name)
                    if array.dtype != bool:
                        yield f"{path.name} {name}", array


def test_no_patient_of_the_cohort_is_in_it(demo: Project, bundle: Path) -> None:
    """Nobody's name in the bytes, nobody's values of a modality, in input units, processed or as latents or codes."""
    split = pd.read_parquet(demo.path("05_model_input", "split.parquet"))
    everyone = {str(patient).encode() for patient in split.index}
    assert len(everyone) > 200
    assert all(BARCODE.fullmatch(patient) for patient in everyone)
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert len(files) > 30
    assert {path.stem for path in (bundle / "downstream").iterdir()} == {"stage", "survival"}
    for path in files:
        content = path.read_bytes()
        assert not [who for who in everyone if who in content], path
        assert BARCODE.search(content) is None, path
    rows = {}
    for kind in (
        "05_model_input/{}/latents",
        "05_model_input/{}/codes",
        "03_primary/{}/processed",
        "02_intermediate/{}/modality_tables",
    ):
        for name in MODALITIES:
            table = pd.read_parquet(demo.root / "data" / kind.format("demo") / f"{name}.parquet")
            # Features that some patients miss would hide these patients from the search.
            rows[kind, name] = table.loc[:, table.notna().mean() > 0.95].dropna()
    assert all(len(table) > 20 < 7 * table.shape[1] for table in rows.values())
    found = [
        (where, kind, who)
        for where, array in contents(bundle)
        for kind, table in rows.items()
        for who in rows_within(array[np.isfinite(array)], table)
    ]
    assert found == []
