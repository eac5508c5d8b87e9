import json

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.completion_folder import CompletionFolderDataset

LAST = {"priorities": pd.DataFrame({"patient_id": []}), "provenance": pd.DataFrame([{"seed": 1}])}
SHOWN = {
    *("flags.parquet", "predictions.parquet", "priorities.parquet", "provenance.parquet"),
    "completion.html",
}


def batch(*patients, value=1.0):
    return {
        "latent_mean/cna": pd.DataFrame({"l0": value}, index=list(patients)),
        "flags": flags(*patients),
        "predictions": pd.DataFrame({"patient_id": []}),
    }


def flags(*patients):
    table = pd.DataFrame({"patient_id": list(patients), "modality": "cna"})
    return table.assign(status="observed", reason="")


def blocks(*parts):
    return lambda: iter((*parts, LAST))


def dataset(folder):
    return CompletionFolderDataset(folder=str(folder))


def test_a_completion_is_written_whole_with_the_list_of_its_files(tmp_path):
    out = tmp_path / "new" / "out"
    assert dataset(out).load().empty
    dataset(out).save(blocks(batch("A", "B")))
    assert pd.read_parquet(out / "latent_mean" / "cna.parquet").index.tolist() == ["A", "B"]
    assert dataset(out).load()["patient_id"].tolist() == ["A", "B"]
    manifest = json.loads((out / "completion.json").read_text())
    assert manifest["n_patients"] == 2
    assert set(manifest["sha256"]) == {"latent_mean/cna.parquet", *SHOWN}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_completion_takes_the_place_of_a_former_one_as_a_whole(tmp_path):
    dataset(tmp_path / "out").save(
        blocks({**batch("A"), "latent_sd/cna": pd.DataFrame({"l0": [0.0]})})
    )
    dataset(tmp_path / "out").save(blocks(batch("A", value=2.0)))
    assert not (tmp_path / "out" / "latent_sd").exists()
    assert pd.read_parquet(tmp_path / "out" / "latent_mean" / "cna.parquet")["l0"].tolist() == [2.0]


def test_a_write_that_fails_leaves_the_former_completion(tmp_path):
    dataset(tmp_path / "out").save(blocks(batch("A")))
    broken = {**batch("A", value=2.0), "latent_sd/cna": pd.DataFrame({"l0": [object()]})}
    with pytest.raises(Exception, match="object"):
        dataset(tmp_path / "out").save(blocks(broken))
    assert pd.read_parquet(tmp_path / "out" / "latent_mean" / "cna.parquet")["l0"].tolist() == [1.0]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_a_kill_left_half_exchanged_is_put_back(tmp_path):
    dataset(tmp_path / "out").save(blocks(batch("A")))
    (tmp_path / "out").rename(tmp_path / "out.former")
    dataset(tmp_path / "out").save(blocks(batch("A", value=2.0)))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("own", ["thesis.txt", "latent_mean/thesis.txt", "flags.csv"])
def test_files_of_the_users_own_are_never_replaced(tmp_path, own):
    dataset(tmp_path / "out").save(blocks(batch("A")))
    (tmp_path / "out" / own).write_text("my own")
    with pytest.raises(DatasetError, match=f"holds {own}, which no completion wrote"):
        dataset(tmp_path / "out").load()
    with pytest.raises(DatasetError, match=f"holds {own}"):
        dataset(tmp_path / "out").save(blocks(batch("A")))
    assert (tmp_path / "out" / own).read_text() == "my own"


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("", "completion.output_dir is empty"),
        ("  ", "completion.output_dir is empty"),
        ("$HOME/out", r"holds a \$: variables of the shell are not replaced"),
        ("a_file", "is a file: name a new folder"),
        ("data/06_models/demo/new", "lies among the project's own data"),
        ("data", "lies among the project's own data"),
        ("data/../data/01_raw/new_patients", "lies among the project's own data"),
        (".", r"holds .*, which no completion wrote"),
    ],
)
def test_places_that_are_no_folder_for_a_completion_are_refused(
    tmp_path, monkeypatch, folder, message
):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "x"\nproject_name = "x"\nkedro_init_version = "1.7.0"\n'
    )
    (tmp_path / "a_file").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match=message):
        dataset(folder).load()
    with pytest.raises(DatasetError, match=message):
        dataset(folder).save(blocks(batch("A")))


def test_results_of_an_environment_are_a_place_for_a_completion(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "x"\nproject_name = "x"\nkedro_init_version = "1.7.0"\n'
    )
    monkeypatch.chdir(tmp_path)
    dataset("data/07_model_output/demo/new_patients").save(blocks(batch("A")))
    folder = tmp_path / "data" / "07_model_output" / "demo" / "new_patients"
    assert (folder / "flags.parquet").is_file()


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    dataset("~/out").save(blocks(batch("A")))
    assert (tmp_path / "out" / "flags.parquet").is_file()


def test_blocks_of_patients_are_joined_also_where_nobody_has_a_modality(tmp_path):
    nobody = pd.DataFrame({"l0": pd.Series(dtype="float64")})
    first = {**batch("A"), "latent_mean/wsi": nobody, "latent_sd/wsi": nobody}
    second = {**batch("B", value=2.0), "latent_sd/wsi": nobody}
    second["latent_mean/wsi"] = pd.DataFrame({"l0": 3.0}, index=["B"])
    made = []

    def make():
        for block in (first, second):
            made.append(len(list(tmp_path.rglob("*.parquet"))))
            yield block
        yield LAST

    dataset(tmp_path / "out").save(make)
    assert made == [0, 2]
    read = {path: pd.read_parquet(tmp_path / f"out/{path}.parquet") for path in first}
    assert read["latent_mean/cna"]["l0"].to_dict() == {"A": 1.0, "B": 2.0}
    assert read["latent_mean/wsi"]["l0"].to_dict() == {"B": 3.0}
    assert read["latent_sd/wsi"].empty
    assert read["flags"]["patient_id"].tolist() == ["A", "B"]
    manifest = json.loads((tmp_path / "out" / "completion.json").read_text())
    assert manifest["n_patients"] == 2
    assert set(manifest["sha256"]) == {f"{path}.parquet" for path in first} | SHOWN


def test_an_index_of_two_names_is_joined_and_comes_back(tmp_path):
    index = ["patient_id", "draw"]
    frames = [
        pd.DataFrame({"patient_id": [name] * 2, "draw": [0, 1], "z00": [0.5, 1.5]}).set_index(index)
        for name in ("A", "B")
    ]
    parts = [
        {**batch(name), "latent_draws/cna": frame} for name, frame in zip("AB", frames, strict=True)
    ]
    dataset(tmp_path / "out").save(blocks(*parts))
    read = pd.read_parquet(tmp_path / "out/latent_draws/cna.parquet")
    pd.testing.assert_frame_equal(read, pd.concat(frames))
