import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import mudata
import numpy as np
import pandas as pd
import pytest

from tcga_coherent.completion.completion import Completion
from tcga_coherent.datasets.completion_folder import CompletionFolderDataset
from tcga_coherent.datasets.raw.annotated import tables_of
from tests.completion.small_cohort import SETTINGS, Cohort
from tests.pipelines.latent_cohort import SAMPLING


@pytest.fixture(scope="module")
def patients(cohort: Cohort) -> pd.Index:
    return cohort.split.index[cohort.split["split"] == "test"][:4]


@pytest.fixture(scope="module")
def completion(cohort: Cohort, patients: pd.Index) -> Completion:
    """Of four patients, one of whom has outliers alone."""
    cna = cohort.tables["cna"].loc[patients].copy()
    cna.iloc[3] += 1e4
    rppa = cohort.tables["rppa"].loc[patients[1:2]]
    return cohort.completer.complete({"cna": cna, "rppa": rppa})


@pytest.fixture(scope="module")
def written(completion: Completion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "completed"

    def blocks() -> Iterator[Mapping[str, pd.DataFrame]]:
        yield completion.tables()
        yield {"provenance": pd.DataFrame([completion.provenance])}

    CompletionFolderDataset(folder=str(folder), h5mu=True).save(blocks)
    return folder


def test_a_completion_is_one_object_that_mudata_reads_back(
    completion: Completion, written: Path, patients: pd.Index
) -> None:
    found = mudata.read_h5mu(written / "completed.h5mu")
    assert list(found.mod) == list(SETTINGS)
    for name, annotated in found.mod.items():
        assert list(annotated.obs_names) == list(patients[:3])
        assert list(annotated.var_names) == list(completion.mean[name].columns)
        np.testing.assert_array_equal(annotated.X, completion.mean[name])
        np.testing.assert_array_equal(annotated.layers["sd"], completion.sd[name])
        np.testing.assert_array_equal(annotated.obsm["latent_mean"], completion.latent_mean[name])
        draws = annotated.obsm["latent_draws"]
        assert draws.shape[:2] == (3, SAMPLING.n_draws)
        np.testing.assert_array_equal(draws[1], completion.draws[name].loc[patients[1]])
    generated = {name: part.layers["generated"].all(axis=1) for name, part in found.mod.items()}
    assert generated["cna"].tolist() == [False, False, False]
    assert generated["rppa"].tolist() == [True, False, True]
    assert generated["rnaseq"].tolist() == [True, True, True]
    assert found["rnaseq"].obs["sources"].tolist() == ["cna", "cna+rppa", "cna"]
    assert found["rnaseq"].obs["accepted"].dtype == bool
    lost = found.uns["flags"].query("status == 'impossible'")
    assert set(lost["patient_id"]) == {patients[3]}
    assert len(found.uns["predictions"]) == len(completion.predictions)
    assert json.loads(found.uns["provenance"])["n_draws"] == SAMPLING.n_draws


def test_a_completion_that_is_completed_again_has_what_was_measured_and_no_more(
    cohort: Cohort, completion: Completion, written: Path, patients: pd.Index
) -> None:
    found = mudata.read_h5mu(written / "completed.h5mu")
    tables = tables_of(found)
    assert tables["rnaseq"].isna().all(axis=None)
    again = cohort.completer.complete({name: tables[name] for name in ("cna", "rppa")})
    for name in SETTINGS:
        np.testing.assert_allclose(
            again.latent_mean[name], completion.latent_mean[name], rtol=1e-4, atol=1e-5
        )
    of_object = cohort.completer.complete(completion.to_mudata())
    pd.testing.assert_frame_equal(of_object.mean["rnaseq"], again.mean["rnaseq"])


def test_the_folder_lists_the_file_and_takes_its_place_again(
    completion: Completion, written: Path
) -> None:
    listed = json.loads((written / "completion.json").read_text())["sha256"]
    assert "completed.h5mu" in listed
    CompletionFolderDataset(folder=str(written)).load()
    provenance = pd.read_parquet(written / "provenance.parquet")
    assert provenance.to_dict(orient="records") == [completion.provenance]
