import dataclasses

import numpy as np
import pandas as pd
import pytest

from tcga_coherent.diffusion.completion import tables
from tcga_coherent.diffusion.completion.tables import FLAG_COLUMNS
from tcga_coherent.diffusion.config import CoherenceConfig
from tcga_coherent.embedding.encoder import Encoder
from tests.completion.small_cohort import Cohort, some
from tests.pipelines.latent_cohort import SAMPLING, SIZES

PARTS = ("latent_draws", "latent_mean", "latent_sd", "decoded_mean", "decoded_sd")


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
