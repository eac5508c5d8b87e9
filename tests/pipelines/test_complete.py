import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion import tables
from tcga_coherent.diffusion.completion.tables import FLAG_COLUMNS
from tcga_coherent.diffusion.config import CoherenceConfig, CompletionConfig, SamplingConfig
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import Encoder, fit_encoder
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.pipelines.complete.nodes import (
    complete_patients,
    decode_completion,
    embed_new_patients,
    gather_completion,
    tabulate_new_patients,
)
from tcga_coherent.pipelines.partitions import join_conditions
from tests.pipelines.latent_cohort import (
    MODALITIES,
    SAMPLING,
    SIZES,
    lazily,
    make_split,
    train_all,
)

FEATURES = {"cna": 7, "rnaseq": 8, "rppa": 6}
BOUNDS: dict[Any, float | None] = {"missing_share": 0.5, "level": 6.0, "distance": 5.0}
PARTS = ("latent_draws", "latent_mean", "latent_sd", "decoded_mean", "decoded_sd")
SETTINGS = {
    name: {**settings, "imputer": "knn" if name == "rppa" else "median", "encoder": {"kind": "pca"}}
    for name, settings in MODALITIES.items()
}


@dataclass(frozen=True)
class Cohort:
    """Tables in input units, and all that was fitted on them."""

    split: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    processed: dict[str, pd.DataFrame]
    latents: dict[str, pd.DataFrame]
    codes: dict[str, pd.DataFrame]
    preprocessors: dict[str, Checkpoint]
    encoders: dict[str, Checkpoint]
    models: dict[str, dict[str, Checkpoint]]

    def complete(
        self,
        tables: dict[str, pd.DataFrame],
        latents: dict[str, pd.DataFrame],
        sampling: SamplingConfig = SAMPLING,
        **completion: Any,
    ) -> dict[str, Any]:
        """Return the parts and ``flags``; a modality that nobody has needs no table."""
        everything = {name: tables.get(name, self.tables[name].iloc[:0]) for name in self.tables}
        observed = {name: latents.get(name, self.latents[name].iloc[:0]) for name in self.latents}
        draws, means, sds, flags = complete_patients(
            lazily({name: table[[]] for name, table in everything.items()}),
            lazily(observed),
            lazily({n: self.codes[n].loc[frame.index] for n, frame in observed.items()}),
            lazily(self.encoders),
            lazily(self.models["single"]),
            lazily(self.models["multi"]),
            lazily(self.models["consensus"]),
            lazily(self.models["linear"]),
            lazily(self.models["recalibration"]),
            self.models["fitted"]["agreement"],
            SETTINGS,
            sampling,
            CompletionConfig(**completion),
            "cpu",
        )
        decoded = {
            name: decode_completion(
                everything[name],
                observed[name],
                draws,
                self.preprocessors[name],
                self.encoders[name],
                name,
            )
            for name in draws
        }
        return {
            "latent_draws": draws,
            "latent_mean": means,
            "latent_sd": sds,
            "decoded_mean": {name: mean for name, (mean, _) in decoded.items()},
            "decoded_sd": {name: sd for name, (_, sd) in decoded.items()},
            "flags": flags,
        }


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    split = make_split()
    train_ids = split.index[split["split"] == "train"]
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((len(split), 3))
    tables, processed, latents, codes, preprocessors, encoders = {}, {}, {}, {}, {}, {}
    for number, (name, config) in enumerate(parse_modalities(SETTINGS).items()):
        size = FEATURES[name]
        values = 50 + 4 * (factor @ rng.standard_normal((3, size)) + rng.standard_normal(size))
        values += rng.standard_normal(values.shape)
        table = pd.DataFrame(values.astype(np.float32), split.index)
        table.columns = [f"{name}_{feature}" for feature in range(size)]
        # Every modality lacks ten training patients of its own.
        tables[name] = table.drop(split.index[10 * number : 10 * number + 10])
        preprocessor = Preprocessor.fit(
            tables[name], config, train_ids, modality=name, bounds=BOUNDS
        )
        processed[name] = preprocessor.impute_cohort(preprocessor.scale(tables[name]), train_ids)
        encoder = fit_encoder(
            name, processed[name], split, config, EmbeddingConfig(), torch.device("cpu")
        )
        latents[name] = encoder.encode(processed[name])
        codes[name] = encoder.code(processed[name])
        preprocessors[name] = Checkpoint(*preprocessor.state())
        encoders[name] = Checkpoint(*encoder.state())
    conditions = join_conditions(latents, lazily(codes))
    models = train_all(latents, split, encoders, conditions)
    return Cohort(split, tables, processed, latents, codes, preprocessors, encoders, models)


def some(frames: dict[str, pd.DataFrame], **patients: pd.Index) -> dict[str, pd.DataFrame]:
    return {name: frames[name].loc[rows] for name, rows in patients.items()}


@pytest.fixture(scope="module")
def people(cohort: Cohort) -> pd.Index:
    """Patients that have all modalities."""
    return cohort.split.index[40:48]


def test_missing_modalities_are_generated_and_observed_ones_kept(
    cohort: Cohort, people: pd.Index
) -> None:
    rows = {"cna": people[:4], "rnaseq": people[2:6], "rppa": people[[0, 7]]}
    found = cohort.complete(some(cohort.tables, **rows), some(cohort.latents, **rows))
    everyone = sorted(set().union(*rows.values()))
    for name, observed in rows.items():
        lacking = [patient for patient in everyone if patient not in observed]
        for part in PARTS[1:]:
            assert list(found[part][name].index) == everyone
            assert np.isfinite(found[part][name]).all(axis=None)
        pd.testing.assert_frame_equal(
            found["decoded_mean"][name].loc[observed], cohort.tables[name].loc[observed]
        )
        draws = found["latent_draws"][name].loc[lacking].to_numpy()
        draws = draws.reshape(len(lacking), SAMPLING.n_draws, SIZES[name])
        np.testing.assert_allclose(
            found["latent_mean"][name].loc[lacking], draws.mean(axis=1), atol=1e-5
        )
        np.testing.assert_allclose(
            found["latent_sd"][name].loc[lacking], draws.std(axis=1, ddof=1), atol=1e-5
        )
    flags = found["flags"].set_index(["patient_id", "modality"])
    for patient in everyone:
        for name in SIZES:
            sources = [source for source in SIZES if patient in rows[source]]
            row = flags.loc[(patient, name)]
            observed = patient in rows[name]
            assert row["status"] == ("observed" if observed else "generated")
            assert row["sources"] == ("" if observed else "+".join(sources))


def test_decoded_draws_are_in_input_units(cohort: Cohort, people: pd.Index) -> None:
    """Means near 50 and a spread of several units, not standard scores."""
    rows = {"cna": people, "rnaseq": people}
    found = cohort.complete(some(cohort.tables, **rows), some(cohort.latents, **rows))
    draws = found["latent_draws"]["rppa"]
    encoder = Encoder.from_state(cohort.encoders["rppa"].arrays, cohort.encoders["rppa"].metadata)
    decoded = encoder.decode(draws)
    train = cohort.tables["rppa"][: len(cohort.split) - 60]
    expected = decoded * train.std(ddof=0).to_numpy() + train.mean().to_numpy()
    by_patient = expected.groupby(level="patient_id")
    np.testing.assert_allclose(found["decoded_mean"]["rppa"], by_patient.mean(), rtol=0.01)
    lost = encoder.residual_sd * train.std(ddof=0).to_numpy()
    whole = np.sqrt(by_patient.var() + lost**2)
    np.testing.assert_allclose(found["decoded_sd"]["rppa"], whole, rtol=0.02)
    assert (whole > 1.01 * by_patient.std()).any(axis=None)
    assert abs(found["decoded_mean"]["rppa"].mean(axis=None) - 50) < 15


def test_patients_are_decoded_alike_in_chunks_of_any_size(
    cohort: Cohort, people: pd.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {"cna": people}
    arguments = some(cohort.tables, **rows), some(cohort.latents, **rows)
    whole = cohort.complete(*arguments)
    monkeypatch.setattr(tables, "PATIENTS_PER_CHUNK", 3)
    in_chunks = cohort.complete(*arguments)
    for part in PARTS:
        pd.testing.assert_frame_equal(
            in_chunks[part]["rppa"], whole[part]["rppa"], rtol=1e-5, atol=1e-5
        )


def test_cells_that_were_not_measured_stay_missing(cohort: Cohort, people: pd.Index) -> None:
    rows = {"cna": people[:2], "rnaseq": people[:2]}
    tables = some(cohort.tables, **rows)
    tables["cna"].iloc[1, 3] = np.nan
    found = cohort.complete(tables, some(cohort.latents, **rows))
    for part in ("decoded_mean", "decoded_sd"):
        missing = found[part]["cna"].isna()
        assert missing.to_numpy().sum() == 1
        assert missing.loc[people[1], "cna_3"]


def test_a_measurement_removed_as_an_outlier_is_generated_with_its_reason(
    cohort: Cohort, people: pd.Index
) -> None:
    measured = {"cna": people[:3], "rnaseq": people[:3], "rppa": people[:3]}
    kept = {**measured, "cna": people[:2]}
    lenient = dataclasses.replace(
        SAMPLING, recalibrate=False, coherence=CoherenceConfig(threshold=2.0)
    )
    found = cohort.complete(some(cohort.tables, **measured), some(cohort.latents, **kept), lenient)
    flags = found["flags"].set_index(["patient_id", "modality"])
    row = flags.loc[(people[2], "cna")]
    assert row["status"] == "generated"
    assert row["reason"] == "measured, but removed as an outlier"
    assert row["accepted"]
    assert (found["decoded_sd"]["cna"].loc[people[2]] > 0).all()


@pytest.mark.parametrize("allow_unconditional", [False, True])
def test_a_patient_of_whom_nothing_is_left_is_flagged_and_nothing_else(
    cohort: Cohort, people: pd.Index, allow_unconditional: bool
) -> None:
    measured = {"cna": people[:3], "rnaseq": people[:2]}
    kept = dict.fromkeys(measured, people[:2])
    found = cohort.complete(
        some(cohort.tables, **measured),
        some(cohort.latents, **kept),
        dataclasses.replace(SAMPLING, allow_unconditional=allow_unconditional),
    )
    flags = found["flags"]
    row = flags[flags["patient_id"] == people[2]]
    assert row[["modality", "status", "accepted"]].to_numpy().tolist() == [
        ["cna", "impossible", False]
    ]
    assert row["reason"].item().startswith("every measured modality was removed as an outlier")
    for part in PARTS:
        assert people[2] not in found[part]["cna"].index.get_level_values("patient_id")
    assert flags["n_draws"].dtype == int


def test_where_nothing_is_missing_nothing_is_generated(cohort: Cohort, people: pd.Index) -> None:
    rows = dict.fromkeys(SIZES, people[:2])
    found = cohort.complete(some(cohort.tables, **rows), some(cohort.latents, **rows))
    assert list(found["flags"].columns) == FLAG_COLUMNS
    assert set(found["flags"]["status"]) == {"observed"}
    for name in SIZES:
        pd.testing.assert_frame_equal(
            found["latent_mean"][name], cohort.latents[name].loc[people[:2]]
        )


def test_incoherent_draws_are_flagged_with_their_number(cohort: Cohort, people: pd.Index) -> None:
    strict = CoherenceConfig(threshold=1e-6, max_incoherent_share=0.0, max_attempts=2)
    config = dataclasses.replace(SAMPLING, recalibrate=False, weights="equal", coherence=strict)
    rows = {"cna": people[:2], "rnaseq": people[:2]}
    found = cohort.complete(some(cohort.tables, **rows), some(cohort.latents, **rows), config)
    generated = found["flags"][found["flags"]["status"] == "generated"]
    assert not generated["accepted"].any()
    assert set(generated["reason"]) == {"4 of 4 draws stayed incoherent after 2 attempts"}
    # Flagged, yet there.
    assert np.isfinite(found["latent_mean"]["rppa"]).all(axis=None)


def test_generated_modalities_can_be_sources_of_later_ones(
    cohort: Cohort, people: pd.Index
) -> None:
    rows = {"cna": people[:3]}
    found = cohort.complete(
        some(cohort.tables, **rows), some(cohort.latents, **rows), condition_on_generated=True
    )
    generated = found["flags"][found["flags"]["status"] == "generated"]
    used = generated.groupby("modality")["sources"].agg(set)
    assert sorted(used.explode().str.count(r"\+")) == [0, 1]


def test_the_multi_model_completes_alone(cohort: Cohort, people: pd.Index) -> None:
    rows = {"cna": people[:3]}
    single = {k: v for k, v in cohort.models["single"].items() if not k.endswith("from_cna")}
    without = dataclasses.replace(cohort, models={**cohort.models, "single": single})
    found = without.complete(
        some(cohort.tables, **rows), some(cohort.latents, **rows), method="multi"
    )
    generated = found["flags"][found["flags"]["status"] == "generated"]
    assert len(generated) == 6
    assert generated["accepted"].all()
    with pytest.raises(ValueError, match=r"No trained denoiser \w+_from_cna"):
        without.complete(some(cohort.tables, **rows), some(cohort.latents, **rows))


FORMER = pd.DataFrame({"patient_id": []})


def tabulate(
    cohort: Cohort, matrices: dict[str, pd.DataFrame], scheme: str = "tcga"
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    tables, measured, notes = tabulate_new_patients(
        lazily({f"{name}.parquet": matrix for name, matrix in matrices.items()}),
        FORMER,
        lazily(cohort.preprocessors),
        SETTINGS,
        BarcodeRule(scheme=scheme),  # type: ignore[arg-type]
    )
    assert list(tables) == list(measured) == list(SETTINGS)
    for name, table in tables.items():
        assert list(measured[name].index) == list(table.index)
        assert name in matrices or table.empty
    return tables, notes


def embed(
    cohort: Cohort, tables: dict[str, pd.DataFrame], processed: dict[str, pd.DataFrame]
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], pd.DataFrame]:
    return embed_new_patients(
        lazily(tables),
        lazily(cohort.preprocessors),
        lazily(cohort.encoders),
        lazily(processed),
        cohort.split,
        SETTINGS,
    )


def test_new_patients_get_the_latents_of_the_cohort(cohort: Cohort) -> None:
    test = cohort.split.index[cohort.split["split"] == "test"][:4]
    tables, _ = tabulate(
        cohort, {name: cohort.tables[name].loc[test].T for name in ("cna", "rppa")}
    )
    latents, codes, notes = embed(cohort, tables, cohort.processed)
    assert list(latents) == list(SETTINGS)
    assert latents["rnaseq"].empty
    assert list(latents["rnaseq"].columns) == list(cohort.latents["rnaseq"].columns)
    assert notes.empty
    for name in ("cna", "rppa"):
        frame = latents[name]
        np.testing.assert_allclose(frame, cohort.latents[name].loc[test], atol=1e-5)
        np.testing.assert_allclose(codes[name], cohort.codes[name].loc[test], atol=1e-4)


def test_patients_of_the_training_cohort_are_pointed_out(
    cohort: Cohort, caplog: pytest.LogCaptureFixture
) -> None:
    train = cohort.split.index[cohort.split["split"] == "train"]
    tables, _ = tabulate(cohort, {"cna": cohort.tables["cna"].loc[cohort.tables["cna"].index[:2]]})
    embed(cohort, tables, cohort.processed)
    assert set(tables["cna"].index) <= set(train)
    assert "2 of 2 patients are among those that the models were trained on" in caplog.text


def test_everybody_in_the_folder_is_in_the_flags(cohort: Cohort) -> None:
    """An outlier of one modality, one of all, one without any value, and one of whom there is normal tissue."""
    test = cohort.split.index[cohort.split["split"] == "test"][:5]
    matrices = {}
    for name in ("cna", "rnaseq"):
        table = cohort.tables[name].loc[test].copy()
        table.loc[test[1]] = np.nan
        table.loc[test[2]] += 1e6
        table = table.rename({test[3]: f"{test[3]}-11A"})
        matrices[name] = table.T
    matrices["cna"][test[4]] *= 1e30
    tables, notes = tabulate(cohort, matrices)
    latents, _, more = embed(cohort, tables, cohort.processed)
    parts = cohort.complete(tables, latents)
    flags = parts.pop("flags")
    written = gather_completion(
        *(lazily(part) for part in parts.values()), flags, notes, more, SETTINGS
    )["flags"]
    assert list(written.columns) == FLAG_COLUMNS
    found = written.set_index(["patient_id", "modality"])
    assert sorted(found.index) == sorted((p, m) for p in test for m in SETTINGS)
    assert found.loc[(test[0], "cna"), "status"] == "observed"
    for patient, why in (
        (test[1], "the file holds no value of the patient"),
        (test[2], "robust standard deviations from training patients"),
        (test[3], f"{test[3]}-11A left out: normal or control sample"),
    ):
        assert set(found.loc[patient, "status"]) == {"impossible"}
        assert not found.loc[patient, "accepted"].any()
        assert all(why in found.loc[(patient, name), "reason"] for name in matrices)
    row = found.loc[(test[4], "cna")]
    assert row["status"] == "generated"
    assert row["sources"] == "rnaseq"
    assert "measured, but removed as an outlier" in row["reason"]
    assert "level is" in row["reason"]


def test_where_every_measurement_is_an_outlier_the_rule_is_named(cohort: Cohort) -> None:
    test = cohort.split.index[cohort.split["split"] == "test"][:1]
    tables, _ = tabulate(cohort, {"cna": cohort.tables["cna"].loc[test] + 1e6})
    with pytest.raises(ValueError, match=rf"of {test[0]}, cna, distance is .* bound 5\."):
        embed(cohort, tables, cohort.processed)


def test_a_missing_protein_of_a_new_patient_is_imputed_from_training_patients(
    cohort: Cohort,
) -> None:
    test = cohort.split.index[cohort.split["split"] == "test"][:4]
    matrix = cohort.tables["rppa"].loc[test].T
    matrix.iloc[2, 1] = np.nan
    tables, _ = tabulate(cohort, {"rppa": matrix})
    embedded = [
        embed(cohort, tables, processed)[0]["rppa"]
        for processed in (
            cohort.processed,
            # What test patients themselves were like must not matter.
            {"rppa": cohort.processed["rppa"].drop(test)},
        )
    ]
    pd.testing.assert_frame_equal(*embedded)
    expected = cohort.latents["rppa"].loc[test]
    np.testing.assert_allclose(embedded[0].iloc[[0, 2, 3]], expected.iloc[[0, 2, 3]], atol=1e-5)
    difference = (embedded[0] - expected).loc[test[1]].abs()
    assert 1e-6 < difference.max() < 1


def matrix_of(cohort: Cohort, name: str = "rnaseq") -> pd.DataFrame:
    return cohort.tables[name].head(3).T.copy()


def test_a_matrix_may_lie_either_way(cohort: Cohort) -> None:
    matrix = matrix_of(cohort)
    expected = cohort.tables["rnaseq"].head(3)
    for layout in (matrix, matrix.T):
        tables, _ = tabulate(cohort, {"rnaseq": layout})
        pd.testing.assert_frame_equal(tables["rnaseq"], expected, check_names=False)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["proteome.parquet"],
            r"input_dir holds proteome\.parquet, but the modalities are cna, rnaseq, rppa\. Rename",
        ),
        (["RNASEQ.tsv"], r"input_dir holds RNASEQ\.tsv, but the modalities are"),
        (["rnaseq.tsv", "rnaseq.parquet"], r"holds rnaseq\.tsv and rnaseq\.parquet: keep one"),
        (["notes.txt"], r"holds no file of cna, rnaseq, rppa, but notes\.txt"),
    ],
)
def test_a_file_of_no_modality_is_named(files: list[str], message: str, cohort: Cohort) -> None:
    matrix = matrix_of(cohort)
    with pytest.raises(ValueError, match=message):
        tabulate_new_patients(
            lazily(dict.fromkeys(files, matrix)),
            FORMER,
            lazily(cohort.preprocessors),
            SETTINGS,
            BarcodeRule(),
        )


def test_a_file_with_other_features_is_named(cohort: Cohort) -> None:
    matrix = matrix_of(cohort)
    other = matrix.set_axis([f"gene{i}" for i in range(len(matrix))], axis=0)
    with pytest.raises(
        ValueError, match=r"rnaseq\.parquet holds none of the 8 features .* rnaseq_0, rnaseq_1"
    ):
        tabulate(cohort, {"rnaseq": other})


def test_a_text_beside_the_matrices_is_named_in_a_warning(
    cohort: Cohort, caplog: pytest.LogCaptureFixture
) -> None:
    matrix = matrix_of(cohort)
    tables, *_ = tabulate_new_patients(
        lazily({"notes.txt": matrix, "rnaseq.csv": matrix}),
        FORMER,
        lazily(cohort.preprocessors),
        SETTINGS,
        BarcodeRule(),
    )
    assert [name for name, table in tables.items() if len(table)] == ["rnaseq"]
    assert "holds notes.txt, which is no modality: NOT read" in caplog.text


def test_a_folder_of_other_patients_completed_before_is_not_taken(cohort: Cohort) -> None:
    with pytest.raises(ValueError, match=r"holds other patients completed before, such as Zoe"):
        tabulate_new_patients(
            lazily({"rnaseq.parquet": matrix_of(cohort)}),
            pd.DataFrame({"patient_id": ["Zoe"]}),
            lazily(cohort.preprocessors),
            SETTINGS,
            BarcodeRule(),
        )
