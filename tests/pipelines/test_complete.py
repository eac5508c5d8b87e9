from pathlib import Path

import pandas as pd
import pytest

from tcga_coherent.completion import completer
from tcga_coherent.datasets.completion_folder import CompletionFolderDataset
from tcga_coherent.pipelines.complete.nodes import complete_new_patients
from tcga_coherent.pipelines.complete.pipeline import create_pipeline
from tests.completion.small_cohort import SETTINGS, Cohort, make_cohort
from tests.pipelines.latent_cohort import lazily

FORMER = pd.DataFrame({"patient_id": []})


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_cohort()


def matrix_of(cohort: Cohort, name: str = "rnaseq") -> pd.DataFrame:
    return cohort.tables[name].head(3).T.copy()


def complete(
    cohort: Cohort, files: dict[str, pd.DataFrame], former: pd.DataFrame = FORMER
) -> list[dict[str, pd.DataFrame]]:
    blocks = complete_new_patients(lazily(files), former, None, "cpu", cohort.bundle, cohort.split)
    *made, priorities = blocks()
    return [{**tables, **priorities} for tables in made]


def test_the_tables_of_a_completion_are_called_as_their_files(cohort: Cohort) -> None:
    (tables,) = complete(cohort, {"rnaseq.parquet": matrix_of(cohort)})
    parts = ("decoded_mean", "decoded_sd", "latent_draws", "latent_mean", "latent_sd")
    assert set(tables) == {
        *("flags", "predictions", "priorities", "provenance"),
        *(f"{part}/{name}" for part in parts for name in SETTINGS),
    }
    pd.testing.assert_frame_equal(
        tables["decoded_mean/rnaseq"], cohort.tables["rnaseq"].head(3), check_names=False
    )


def test_priorities_are_written_once_with_ranks_over_the_patients_of_all_blocks(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completer, "PATIENTS_PER_BLOCK", 2)
    test = cohort.split.index[cohort.split["split"] == "test"][:5]
    files = {
        "rnaseq.parquet": cohort.tables["rnaseq"].loc[test],
        "cna.parquet": cohort.tables["cna"].loc[test[:2]],
    }
    blocks = complete_new_patients(lazily(files), FORMER, cohort.bundle, "cpu")
    CompletionFolderDataset(folder=str(tmp_path / "out")).save(blocks)
    written = pd.read_parquet(tmp_path / "out" / "priorities.parquet")
    whole = completer.Completer.from_bundle(cohort.bundle, "cpu").complete(
        {"rnaseq": cohort.tables["rnaseq"].loc[test], "cna": cohort.tables["cna"].loc[test[:2]]}
    )
    assert len(written) == 3 * 2 + 2 * 1
    pd.testing.assert_frame_equal(written, whole.priorities, rtol=1e-4, atol=1e-6)
    assert written.loc[written["modality"] == "rppa", "variance_score_rank"].max() > 2
    predictions = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    pd.testing.assert_frame_equal(predictions, whole.predictions, rtol=1e-4, atol=1e-6)


def test_a_bundle_takes_the_place_of_the_environments_models(cohort: Cohort) -> None:
    files = {"rnaseq.parquet": matrix_of(cohort)}
    blocks = complete_new_patients(lazily(files), FORMER, cohort.bundle, "cpu")
    (given, _), (own,) = list(blocks()), complete(cohort, files)
    del own["priorities"], own["provenance"]
    for name, table in own.items():
        pd.testing.assert_frame_equal(given[name], table)


def test_without_models_there_is_nothing_to_complete_with(cohort: Cohort) -> None:
    files = lazily({"rnaseq.parquet": matrix_of(cohort)})
    with pytest.raises(ValueError, match=r"no models: name a bundle with completion\.models"):
        complete_new_patients(files, FORMER, None, "cpu")


def test_with_a_bundle_nothing_of_the_environment_is_read(lanes_of, monkeypatch) -> None:
    lanes_of(SETTINGS)
    from tcga_coherent import configuration

    known = configuration.configured().parameters["modalities"]
    inputs = {}
    for models in (None, "BUNDLE"):
        parameters = {"modalities": known, "completion": {"models": models}}
        parameters["evaluation"] = {"tasks": ["stage"]}
        monkeypatch.setattr(configuration, "_joined", configuration.Configured("", parameters))
        inputs[models] = create_pipeline().inputs()
    assert inputs["BUNDLE"] == {
        "new_patients/raw",
        "former_completion",
        "given_models",
        "params:compute.device",
    }
    assert {"split", "encoders/cna", "single/cna_from_rppa", "downstream/stage"} < inputs[None]
    assert not any(name.startswith("processed/") for name in inputs[None])


def test_patients_of_the_training_cohort_are_pointed_out(
    cohort: Cohort, caplog: pytest.LogCaptureFixture
) -> None:
    complete(cohort, {"rnaseq.parquet": matrix_of(cohort)})
    assert "3 of 3 patients are among those that the models were trained on" in caplog.text


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["proteome.parquet"],
            r"input_dir holds proteome\.parquet, but the modalities are cna, rnaseq, rppa\. Rename",
        ),
        (["RNASEQ.tsv"], r"input_dir holds RNASEQ\.tsv, but the modalities are"),
        (["rnaseq.tsv", "rnaseq.parquet"], r"holds rnaseq\.tsv and rnaseq\.parquet: keep one"),
        (["clinical.csv", "clinical.tsv", "cna.tsv"], r"clinical\.csv and clinical\.tsv: keep one"),
        (["notes.txt"], r"holds no file of cna, rnaseq, rppa, but notes\.txt"),
    ],
)
def test_a_file_of_no_modality_is_named(files: list[str], message: str, cohort: Cohort) -> None:
    with pytest.raises(ValueError, match=message):
        complete(cohort, dict.fromkeys(files, matrix_of(cohort)))


def test_a_clinical_table_beside_the_matrices_is_no_modality(
    cohort: Cohort, caplog: pytest.LogCaptureFixture
) -> None:
    files = {"clinical.csv": cohort.clinical, "rnaseq.csv": matrix_of(cohort)}
    (tables,) = complete(cohort, files)
    assert len(tables["latent_mean/cna"]) == 3
    assert "The clinical table is NOT read" in caplog.text


def test_a_file_with_other_features_is_named(cohort: Cohort) -> None:
    matrix = matrix_of(cohort)
    other = matrix.set_axis([f"gene{i}" for i in range(len(matrix))], axis=0)
    with pytest.raises(
        ValueError, match=r"rnaseq\.parquet holds none of the 8 features .* rnaseq_0, rnaseq_1"
    ):
        complete(cohort, {"rnaseq.parquet": other})


def test_a_text_beside_the_matrices_is_named_in_a_warning(
    cohort: Cohort, caplog: pytest.LogCaptureFixture
) -> None:
    matrix = matrix_of(cohort)
    (tables,) = complete(cohort, {"notes.txt": matrix, "rnaseq.csv": matrix})
    assert len(tables["latent_mean/cna"]) == 3
    assert "holds notes.txt, which is no modality: NOT read" in caplog.text


def test_a_folder_of_other_patients_completed_before_is_not_taken(cohort: Cohort) -> None:
    former = pd.DataFrame({"patient_id": ["Zoe"]})
    with pytest.raises(ValueError, match=r"holds other patients completed before, such as Zoe"):
        complete(cohort, {"rnaseq.parquet": matrix_of(cohort)}, former)
