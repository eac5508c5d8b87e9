import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.completion import Generated
from tcga_coherent.diffusion.config import CoherenceConfig, CompletionConfig, SamplingConfig
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import Encoder, fit_encoder
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.preprocessor import Preprocessor
from tcga_coherent.pipelines.complete import nodes
from tcga_coherent.pipelines.complete.nodes import (
    FLAG_COLUMNS,
    complete_patients,
    embed_new_patients,
    tabulate_new_patients,
)
from tests.pipelines.latent_cohort import (
    MODALITIES,
    SAMPLING,
    SIZES,
    lazily,
    make_split,
    train_all,
)

FEATURES = {"cna": 7, "rnaseq": 8, "rppa": 6}
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
        """Return the parts and ``flags``."""
        found = complete_patients(
            tables,
            latents,
            lazily(self.preprocessors),
            lazily(self.encoders),
            lazily(self.models["single"]),
            lazily(self.models["multi"]),
            lazily(self.models["consensus"]),
            self.models["fitted"]["recalibration"],
            self.models["fitted"]["agreement"],
            SETTINGS,
            sampling,
            CompletionConfig(**completion),
            "cpu",
        )
        return dict(zip((*PARTS, "flags"), found, strict=True))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    split = make_split()
    train_ids = split.index[split["split"] == "train"]
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((len(split), 3))
    tables, processed, latents, preprocessors, encoders = {}, {}, {}, {}, {}
    for number, (name, config) in enumerate(parse_modalities(SETTINGS).items()):
        size = FEATURES[name]
        values = 50 + 4 * (factor @ rng.standard_normal((3, size)) + rng.standard_normal(size))
        values += rng.standard_normal(values.shape)
        table = pd.DataFrame(values.astype(np.float32), split.index)
        table.columns = [f"{name}_{feature}" for feature in range(size)]
        # Every modality lacks ten training patients of its own.
        tables[name] = table.drop(split.index[10 * number : 10 * number + 10])
        preprocessor = Preprocessor.fit(tables[name], config, train_ids, modality=name)
        processed[name] = preprocessor.impute_cohort(preprocessor.scale(tables[name]), train_ids)
        encoder = fit_encoder(
            name, processed[name], split, config, EmbeddingConfig(), torch.device("cpu")
        )
        latents[name] = encoder.encode(processed[name])
        preprocessors[name] = Checkpoint(*preprocessor.state())
        encoders[name] = Checkpoint(*encoder.state())
    models = train_all(latents, split, encoders)
    return Cohort(split, tables, processed, latents, preprocessors, encoders, models)


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
    np.testing.assert_allclose(found["decoded_sd"]["rppa"], by_patient.std(), rtol=0.02)
    assert abs(found["decoded_mean"]["rppa"].mean(axis=None) - 50) < 15


def test_patients_are_decoded_alike_in_chunks_of_any_size(
    cohort: Cohort, people: pd.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {"cna": people}
    arguments = some(cohort.tables, **rows), some(cohort.latents, **rows)
    whole = cohort.complete(*arguments)
    monkeypatch.setattr(nodes, "PATIENTS_PER_CHUNK", 3)
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


def test_an_outlier_keeps_its_reason_beside_others(people: pd.Index) -> None:
    flags = pd.DataFrame({"patient_id": people[:3], "reason": ["sources disagree", "", ""]})
    found = nodes._flags(
        "cna", people[:0], people[:2], Generated(pd.DataFrame(), flags), people[:3]
    ).set_index("patient_id")["reason"]
    assert list(found[people[:3]]) == [
        "measured, but removed as an outlier; sources disagree",
        "measured, but removed as an outlier",
        "",
    ]


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


def test_new_patients_get_the_latents_of_the_cohort(cohort: Cohort) -> None:
    test = cohort.split.index[cohort.split["split"] == "test"][:4]
    matrices = {name: lambda name=name: cohort.tables[name].loc[test].T for name in ("cna", "rppa")}
    tables = tabulate_new_patients(matrices, lazily(cohort.preprocessors), SETTINGS)
    latents = embed_new_patients(
        tables,
        lazily(cohort.preprocessors),
        lazily(cohort.encoders),
        lazily(cohort.processed),
        cohort.split,
        SETTINGS,
    )
    assert list(latents) == ["cna", "rppa"]
    for name, frame in latents.items():
        np.testing.assert_allclose(frame, cohort.latents[name].loc[test], atol=1e-5)


def test_a_missing_protein_of_a_new_patient_is_imputed_from_training_patients(
    cohort: Cohort,
) -> None:
    test = cohort.split.index[cohort.split["split"] == "test"][:4]
    matrix = cohort.tables["rppa"].loc[test].T
    matrix.iloc[2, 1] = np.nan
    tables = tabulate_new_patients({"rppa": lambda: matrix}, lazily(cohort.preprocessors), SETTINGS)
    embedded = [
        embed_new_patients(
            tables,
            lazily(cohort.preprocessors),
            lazily(cohort.encoders),
            lazily(processed),
            cohort.split,
            SETTINGS,
        )["rppa"]
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


def test_a_matrix_may_lie_either_way_and_name_its_features_in_a_column(cohort: Cohort) -> None:
    matrix = matrix_of(cohort)
    expected = cohort.tables["rnaseq"].head(3)
    for layout in (matrix, matrix.T, matrix.reset_index()):
        tables = tabulate_new_patients(
            {"rnaseq": lambda layout=layout: layout}, lazily(cohort.preprocessors), SETTINGS
        )
        pd.testing.assert_frame_equal(tables["rnaseq"], expected, check_names=False)


def test_samples_are_reduced_to_patients_and_names_of_ones_own_are_kept(cohort: Cohort) -> None:
    matrix = matrix_of(cohort)
    for names, patients in (
        (
            ["TCGA-AA-0001-01A", "TCGA-AA-0001-11A", "TCGA-AA-0002-06A"],
            ["TCGA-AA-0001", "TCGA-AA-0002"],
        ),
        (["Anna", "Bert", "Carl"], ["Anna", "Bert", "Carl"]),
    ):
        named = matrix.set_axis(names, axis=1)
        tables = tabulate_new_patients(
            {"rnaseq": lambda named=named: named}, lazily(cohort.preprocessors), SETTINGS
        )
        assert list(tables["rnaseq"].index) == patients


def write_text(matrix: pd.DataFrame) -> pd.DataFrame:
    matrix = matrix.astype(object)
    matrix.iloc[1, 2] = "high"
    return matrix


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        (
            "proteome",
            lambda matrix: matrix,
            r"input_dir holds proteome\.parquet, but the modalities are cna, rnaseq, rppa\. Rename",
        ),
        (
            "rnaseq",
            lambda matrix: matrix.set_axis([f"gene{i}" for i in range(len(matrix))], axis=0),
            r"rnaseq\.parquet holds none of the 8 features .* such as rnaseq_0, rnaseq_1",
        ),
        (
            "rnaseq",
            lambda matrix: matrix.iloc[:, [0, 1, 1]],
            r"rnaseq\.parquet holds the sample 'TCGA-AA-0001' more than once\. Keep one",
        ),
        (
            "rnaseq",
            lambda matrix: pd.concat([matrix, matrix.iloc[:1]]),
            r"rnaseq\.parquet holds the feature 'rnaseq_0' more than once\. Keep one",
        ),
        (
            "rnaseq",
            write_text,
            r"the text 'high' for sample 'TCGA-AA-0002', feature 'rnaseq_1'\. Leave the cell empty",
        ),
    ],
)
def test_a_bad_file_of_new_patients_is_named(
    name: str, spoil: Any, message: str, cohort: Cohort
) -> None:
    matrix = spoil(matrix_of(cohort))
    with pytest.raises(ValueError, match=message):
        tabulate_new_patients({name: lambda: matrix}, lazily(cohort.preprocessors), SETTINGS)
