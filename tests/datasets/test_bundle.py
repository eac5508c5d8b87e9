"""Folders of bundles: whole or refused, and nothing in them that could run."""

import json
import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.completion.completer import Completer
from tcga_coherent.datasets import bundle as module
from tcga_coherent.datasets.bundle import BundleDataset, GivenBundleDataset, read_bundle
from tcga_coherent.datasets.checkpoint import CheckpointDataset
from tcga_coherent.datasets.identity import Identity, hash_files, write_identity
from tests.completion.small_cohort import SETTINGS, Cohort, make_cohort


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_cohort()


@pytest.fixture(scope="module")
def environment(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models as an environment holds them, with identities and a release card, and their bundle."""
    models = tmp_path_factory.mktemp("06_models") / "demo"
    for name, checkpoint in cohort.bundle.checkpoints.items():
        file = models / f"{name}.safetensors"
        CheckpointDataset(filepath=str(file)).save(checkpoint)
        write(file, f"made {name}")
    (models / "RELEASE_CARD.md").write_text("# Card of the models\n", encoding="utf-8")
    write(models / "RELEASE_CARD.md", "release_card")
    BundleDataset(path=str(models / "bundle")).save(cohort.bundle)
    return models


def write(file: Path, node: str) -> None:
    files = hash_files({file.name: file})
    write_identity(file, Identity(file.stem, "p", node, "0.1.0", files, {}, {}))


@pytest.fixture
def bundle(environment: Path, tmp_path: Path) -> Path:
    """A copy elsewhere, with nothing beside it."""
    return Path(shutil.copytree(environment / "bundle", tmp_path / "passed_on"))


def test_a_bundle_read_elsewhere_is_what_was_gathered(cohort: Cohort, bundle: Path) -> None:
    found = read_bundle(bundle)
    assert found.parameters == json.loads(json.dumps(cohort.bundle.parameters))
    assert found.release_card == "# Card of the models\n"
    assert found.checkpoints.keys() == cohort.bundle.checkpoints.keys()
    for name, checkpoint in cohort.bundle.checkpoints.items():
        assert found.checkpoints[name].metadata == json.loads(json.dumps(checkpoint.metadata))
        for key, array in checkpoint.arrays.items():
            np.testing.assert_array_equal(found.checkpoints[name].arrays[key], array)


def test_checkpoints_are_those_of_the_environment_to_the_byte(environment: Path) -> None:
    files = list((environment / "bundle").rglob("*.safetensors"))
    assert len(files) == 1 + 5 * 3 + 6 + 3 + 2
    for file in files:
        own = environment / file.relative_to(environment / "bundle")
        assert file.read_bytes() == own.read_bytes()


def test_the_manifest_has_hash_and_identity_of_each_file_and_the_version(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    files = {
        path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*") if path.is_file()
    }
    del files["manifest.json"]
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == hash_files(files)
    assert manifest["version"] == module.__version__
    identity = manifest["files"]["encoders/cna.safetensors"]["identity"]
    assert identity["node"] == "made encoders/cna"
    assert manifest["files"]["parameters.json"]["identity"] is None
    assert len(manifest["content"]) == 64


def test_there_are_no_other_formats_than_safetensors_json_and_markdown(bundle: Path) -> None:
    suffixes = {path.suffix for path in bundle.rglob("*") if path.is_file()}
    assert suffixes == {".safetensors", ".json", ".md"}


def test_the_class_completes_from_the_folder_alone_as_with_the_models(
    cohort: Cohort, bundle: Path
) -> None:
    test = cohort.split.index[cohort.split["split"] == "test"][:6]
    tables = {
        "cna": cohort.tables["cna"].loc[test[:4]],
        "rppa": cohort.tables["rppa"].loc[test[2:]],
    }
    found = Completer.load(bundle, device="cpu").complete(tables)
    expected = cohort.completer.complete(tables)
    for name in SETTINGS:
        pd.testing.assert_frame_equal(found.draws[name], expected.draws[name])
        pd.testing.assert_frame_equal(found.mean[name], expected.mean[name])
    pd.testing.assert_frame_equal(found.flags, expected.flags)
    pd.testing.assert_frame_equal(found.predictions, expected.predictions)
    assert set(found.predictions["patient_id"]) == set(test)


def test_any_byte_that_changed_is_noticed(bundle: Path) -> None:
    rng = np.random.default_rng(0)
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    for file in files:
        content = file.read_bytes()
        at = int(rng.integers(len(content)))
        file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(DatasetError) as caught:
            read_bundle(bundle)
        message = str(caught.value)
        assert file.name in message or "version" in message
        assert re.search(r"(copy the bundle anew|by this one)\.$", message)
        assert message.count("\n") == 0
        file.write_bytes(content)
    read_bundle(bundle)


def test_a_manifest_that_was_edited_is_noticed(bundle: Path) -> None:
    text = (bundle / "manifest.json").read_text()
    (bundle / "manifest.json").write_text(text.replace("made encoders/cna", "made of others"))
    with pytest.raises(DatasetError, match=r"manifest\.json is not as it was written: copy"):
        read_bundle(bundle)


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "single/cna_from_rppa.safetensors").unlink()
    with pytest.raises(
        DatasetError, match=r"passed_on lacks single/cna_from_rppa\.safetensors: copy"
    ):
        Completer.load(bundle)


@pytest.mark.parametrize("version", ["1.0.0", "12.3"])
def test_a_bundle_of_another_major_version_is_refused(bundle: Path, version: str) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps({**manifest, "version": version}))
    with pytest.raises(DatasetError, match=rf"written by version {version} .* this is 0\."):
        Completer.load(bundle)


def test_a_folder_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no bundle: `kedro run --pipelines bundle`"):
        Completer.load(tmp_path)
    with pytest.raises(DatasetError, match=r"elsewhere does not exist"):
        Completer.load(tmp_path / "elsewhere")
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(DatasetError, match=r"manifest\.json is damaged"):
        Completer.load(tmp_path)


@pytest.mark.parametrize("name", ["../encoders/cna.safetensors", "/etc/passwd", "single/x.pkl"])
def test_no_file_outside_of_the_folder_and_of_no_other_kind_is_read(
    bundle: Path, name: str
) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    del manifest["seal"]
    manifest["files"][name] = {"sha256": "0" * 64, "identity": None}
    manifest["seal"] = module._seal(manifest)
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DatasetError, match="which is no file of a bundle"):
        read_bundle(bundle)


def test_a_release_card_of_other_models_stays_behind(
    cohort: Cohort, environment: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    models = Path(shutil.copytree(environment, tmp_path / "demo"))
    (models / "RELEASE_CARD.md").write_text("# Another card\n")
    dataset = BundleDataset(path=str(models / "bundle"))
    dataset.save(cohort.bundle)
    assert "no release card (changed since it was made)" in caplog.text
    assert not (models / "bundle" / "RELEASE_CARD.md").exists()
    assert dataset.load().release_card == ""
    (models / "RELEASE_CARD.md").unlink()
    dataset.save(cohort.bundle)
    assert "no release card (there is none)" in caplog.text


def test_a_run_may_be_given_other_parameters_than_the_bundles(bundle: Path) -> None:
    assert GivenBundleDataset(folder=None).load() is None
    own = GivenBundleDataset(folder=str(bundle), parameters={"coherent_sampling": None}).load()
    assert own.parameters == read_bundle(bundle).parameters
    changed = {"coherent_sampling": {"seed": 7, "coherence": {"max_attempts": 1}}}
    found = GivenBundleDataset(folder=str(bundle), parameters=changed).load().parameters
    assert found["coherent_sampling"]["seed"] == 7
    coherence = own.parameters["coherent_sampling"]["coherence"]
    assert found["coherent_sampling"]["coherence"] == {**coherence, "max_attempts": 1}
    assert found["completion"] == own.parameters["completion"]
    with pytest.raises(DatasetError, match="read-only"):
        GivenBundleDataset(folder=None).save(own)
