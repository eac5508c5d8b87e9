import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.impute import KNNImputer

from tcga_coherent.completion import completer as module
from tcga_coherent.completion.completer import Completer
from tcga_coherent.diffusion.completion.tables import FLAG_COLUMNS
from tests.completion.small_cohort import SETTINGS, Cohort, make_cohort, some
from tests.pipelines.latent_cohort import SAMPLING, SIZES

TYPICAL = ["latent_percentile", "feature_percentile", "known_features"]
TABLES = ("flags", "predictions", "priorities")
PARTS = ("mean", "sd", "draws", "latent_mean", "latent_sd")


@pytest.fixture(scope="module")
def completer(cohort: Cohort) -> Completer:
    return cohort.completer


@pytest.fixture(scope="module")
def strangers(cohort: Cohort) -> pd.Index:
    """Patients whom no model has seen."""
    return cohort.split.index[cohort.split["split"] == "test"]


def test_patients_get_every_modality_and_the_latents_of_the_cohort(
    cohort: Cohort, completer: Completer, strangers: pd.Index
) -> None:
    rows = {"cna": strangers[:3], "rppa": strangers[2:5]}
    found = completer.complete(
        {name: cohort.tables[name].loc[index] for name, index in rows.items()}
    )
    everyone = list(strangers[:5])
    assert list(found.mean) == list(SETTINGS)
    for name in SETTINGS:
        assert list(found.mean[name].columns) == list(cohort.tables[name].columns)
        for part in ("mean", "sd", "latent_mean", "latent_sd"):
            frame = getattr(found, part)[name]
            assert list(frame.index) == everyone
            assert np.isfinite(frame).all(axis=None)
        assert len(found.draws[name]) == 5 * SAMPLING.n_draws
    for name, index in rows.items():
        expected = cohort.latents[name].loc[index]
        np.testing.assert_allclose(found.latent_mean[name].loc[index], expected, atol=1e-5)
        pd.testing.assert_frame_equal(
            found.mean[name].loc[index], cohort.tables[name].loc[index], check_freq=False
        )
        assert (found.sd[name].loc[index] == 0).all(axis=None)
    flags = found.flags.set_index(["patient_id", "modality"])
    assert flags.loc[(strangers[0], "rppa"), "sources"] == "cna"
    assert flags.loc[(strangers[2], "rnaseq"), "sources"] == "cna+rppa"


def test_blocks_of_any_size_give_the_same(
    cohort: Cohort, completer: Completer, strangers: pd.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {"cna": cohort.tables["cna"].loc[strangers[:7]]}
    tables["rnaseq"] = cohort.tables["rnaseq"].loc[strangers[5:9]].rename({strangers[8]: "X-11A"})
    whole = completer.complete(tables)
    monkeypatch.setattr(module, "PATIENTS_PER_BLOCK", 2)
    blocks = list(completer.complete_blocks(completer.screen(tables)))
    assert [len(block.flags["patient_id"].unique()) for block in blocks] == [2, 2, 2, 2, 1]
    in_blocks = completer.complete(tables)
    for part in PARTS:
        for name in SETTINGS:
            pd.testing.assert_frame_equal(
                getattr(in_blocks, part)[name], getattr(whole, part)[name], rtol=1e-5, atol=1e-5
            )
    for table in TABLES:
        pd.testing.assert_frame_equal(
            getattr(in_blocks, table), getattr(whole, table), rtol=1e-4, atol=1e-6
        )


def test_what_a_clinic_knows_of_new_patients_counts_as_it_does_of_the_cohort(
    strangers: pd.Index, caplog: pytest.LogCaptureFixture
) -> None:
    cohort = make_cohort(("age",))
    completer = cohort.completer
    assert completer.covariates == ["age"]
    rows = {"rppa": strangers[:6]}
    tables = some(cohort.tables, **rows)
    of_some = cohort.clinical.loc[strangers[:5]].rename(index=lambda name: f"{name}-01A")
    found = completer.complete(tables, clinical=of_some.astype(str))
    assert "age is not known of 1 of 6 new patients" in caplog.text
    expected = cohort.complete(tables, some(cohort.latents, **rows))["latent_mean"]
    blind = completer.complete(tables).latent_mean
    for name in ("cna", "rnaseq"):
        known = strangers[:5]
        np.testing.assert_allclose(
            found.latent_mean[name].loc[known], expected[name].loc[known], atol=1e-4
        )
        np.testing.assert_allclose(found.latent_mean[name].iloc[5], blind[name].iloc[5], atol=1e-4)
        assert (found.latent_mean[name] - blind[name]).loc[known].abs().max(axis=None) > 0.02


def test_flags_say_how_far_out_a_patient_lies_and_how_much_was_measured(
    cohort: Cohort, completer: Completer, strangers: pd.Index, caplog: pytest.LogCaptureFixture
) -> None:
    table = cohort.tables["cna"].loc[strangers[:5]].copy()
    table.iloc[0, :3] = np.nan
    found = completer.complete({"cna": table}).flags.set_index(["modality", "patient_id"])
    shares = found.loc["cna", "known_features"]
    np.testing.assert_allclose(shares, [1 - 3 / 7, 1, 1, 1, 1])
    assert found.loc["rnaseq", TYPICAL].isna().all(axis=None)
    assert found.loc["cna", ["latent_percentile", "feature_percentile"]].notna().all(axis=None)
    assert "lie farther" not in caplog.text
    # The same mean of features, of which single ones stray.
    stray = np.where(np.arange(7) % 2, 4.0, -4.0).astype(np.float32)
    far = completer.complete({"cna": table + stray}).flags.set_index(["modality", "patient_id"])
    percentile = far.loc["cna", "feature_percentile"]
    assert (percentile >= found.loc["cna", "feature_percentile"]).all()
    n_validation = (cohort.split["split"] == "val").sum()
    assert percentile.max() == pytest.approx(100 * n_validation / (n_validation + 1))


def test_a_clinical_table_for_models_without_covariates_is_named(
    cohort: Cohort, completer: Completer, strangers: pd.Index, caplog: pytest.LogCaptureFixture
) -> None:
    completer.screen({"cna": cohort.tables["cna"].loc[strangers[:2]]}, clinical=cohort.clinical)
    assert "The clinical table is NOT read: the models know no covariates." in caplog.text


def test_number_of_draws_and_seed_can_be_chosen(
    cohort: Cohort, completer: Completer, strangers: pd.Index
) -> None:
    tables = {"cna": cohort.tables["cna"].loc[strangers[:2]]}
    some = completer.complete(tables)
    again = completer.complete(tables, device="cpu")
    pd.testing.assert_frame_equal(again.draws["rppa"], some.draws["rppa"])
    more = completer.complete(tables, n_draws=6, seed=5)
    assert len(more.draws["rppa"]) == 12
    assert set(more.flags.loc[more.flags["status"] == "generated", "n_draws"]) == {6}
    assert (more.provenance["n_draws"], more.provenance["seed"]) == (6, 5)
    other = completer.complete(tables, seed=5).draws["rppa"]
    assert np.abs(other.to_numpy() - some.draws["rppa"].to_numpy()).min() > 1e-6
    with pytest.raises(ValueError, match="antithetic draws come in pairs"):
        completer.complete(tables, n_draws=5)


def test_what_is_predicted_is_the_mean_over_the_draws_of_the_forest(
    cohort: Cohort, completer: Completer, strangers: pd.Index, caplog: pytest.LogCaptureFixture
) -> None:
    tables = {name: cohort.tables[name].loc[strangers] for name in ("rnaseq", "rppa")}
    tables["cna"] = cohort.tables["cna"].loc[strangers[20:]]
    found = completer.complete(tables)
    forest = completer.predictors["stage"].forest
    rows = found.predictions.set_index(["patient_id", "output"])
    for patient in strangers:
        profiles = np.hstack([frame.loc[patient].to_numpy() for frame in found.draws.values()])
        expected = forest.predict(profiles)
        for number, name in enumerate(("I", "II")):
            row = rows.loc[(patient, name)]
            assert row["value"] == pytest.approx(expected[:, number].mean())
            assert row["high"] == pytest.approx(np.quantile(expected[:, number], 0.95))
    assert rows.loc[(strangers[0], "I"), ["generated", "held_out_change"]].tolist() == ["cna", -0.4]
    assert rows.loc[(strangers[20], "I"), "generated"] == ""
    priorities = found.priorities
    assert priorities["patient_id"].tolist() == list(strangers[:20])
    scores = priorities["variance_score"]
    assert scores.nunique() > 3
    above = [1 + (scores > score).sum() for score in scores]
    assert priorities["variance_score_rank"].tolist() == above
    below = [(np.linspace(0, 1, 25, dtype=np.float32) < score).sum() for score in scores]
    np.testing.assert_allclose(priorities["variance_score_percentile"], 100 * np.array(below) / 26)
    assert set(cohort.completer.predictors) == {"stage"}
    assert "No predictions of survival, as all 110 patients are censored" in caplog.text


def test_models_without_downstream_models_complete_and_say_so(
    cohort: Cohort, strangers: pd.Index, caplog: pytest.LogCaptureFixture
) -> None:
    kept = {n: c for n, c in cohort.bundle.checkpoints.items() if not n.startswith("downstream")}
    found = Completer.from_bundle(dataclasses.replace(cohort.bundle, checkpoints=kept), "cpu")
    assert "no downstream models with them: nothing is predicted or prioritised" in caplog.text
    completed = found.complete({"cna": cohort.tables["cna"].loc[strangers[:2]]})
    assert completed.predictions.empty
    assert completed.priorities.empty
    assert len(completed.latent_mean["rppa"]) == 2


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"cna": 1.0, "rnaseq": 2.0}, "no cost of rppa"),
        ({"cna": 1.0, "rnaseq": 2.0, "rppa": 3.0, "mri": 4.0}, "a cost of mri"),
    ],
)
def test_costs_are_of_all_modalities_or_none(
    completer: Completer, costs: dict[str, float], said: str
) -> None:
    settings = dataclasses.replace(completer.settings, costs=costs)
    with pytest.raises(
        ValueError, match=rf"completion\.costs gives {said}, .* cna, rnaseq, rppa: g"
    ):
        dataclasses.replace(completer, settings=settings)


def test_a_table_of_no_modality_is_named(cohort: Cohort, completer: Completer) -> None:
    with pytest.raises(ValueError, match=r"a table of proteome, .* are cna, rnaseq, rppa"):
        completer.complete({"proteome": cohort.tables["rppa"]})


def test_a_missing_protein_is_expected_from_the_others_and_from_nobody(
    cohort: Cohort, completer: Completer, strangers: pd.Index
) -> None:
    """Hidden entries come out nearer to the truth than by training medians, as by neighbours or nearer."""
    rng = np.random.default_rng(0)
    preprocessor, encoder = completer.preprocessors["rppa"], completer.encoders["rppa"]
    truth = preprocessor.scale(cohort.tables["rppa"].loc[strangers])
    hidden = rng.random(truth.shape) < 0.15
    hidden[hidden.all(axis=1)] = False
    table = cohort.tables["rppa"].loc[strangers].mask(hidden)
    found = preprocessor.transform(table, encoder.impute)
    assert np.array_equal(found.to_numpy()[~hidden], truth.to_numpy()[~hidden])
    train = cohort.processed["rppa"][
        cohort.split["split"].reindex(cohort.processed["rppa"].index) == "train"
    ]
    neighbours = KNNImputer(n_neighbors=5).fit(train).transform(truth.mask(hidden))
    errors = {
        name: np.sqrt(np.mean((np.asarray(filled)[hidden] - truth.to_numpy()[hidden]) ** 2))
        for name, filled in {"mean": found, "knn": neighbours, "none": 0 * truth}.items()
    }
    assert errors["mean"] < min(1.05 * errors["knn"], 0.8 * errors["none"])
    completed = completer.complete({"rppa": table})
    assert completed.mean["rppa"].isna().to_numpy().sum() == hidden.sum()


def test_everybody_who_is_given_is_in_the_flags(
    cohort: Cohort, completer: Completer, strangers: pd.Index, caplog: pytest.LogCaptureFixture
) -> None:
    """An outlier of one modality, one of all, one without any value, and one of whom there is normal tissue."""
    test = strangers[:5]
    matrices = {}
    for name in ("cna", "rnaseq"):
        table = cohort.tables[name].loc[test].copy()
        table.loc[test[1]] = np.nan
        table.loc[test[2]] += 1e6
        table = table.rename({test[3]: f"{test[3]}-11A"})
        matrices[name] = table.T
    matrices["cna"][test[4]] *= 1e30
    written = completer.complete(matrices).flags
    assert list(written.columns) == [*FLAG_COLUMNS, *TYPICAL]
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
    assert "3 new patients cannot be completed" in caplog.text


def test_where_every_measurement_is_an_outlier_the_rule_is_named(
    cohort: Cohort, completer: Completer, strangers: pd.Index
) -> None:
    with pytest.raises(ValueError, match=rf"of {strangers[0]}, cna, distance is .* bound 5\."):
        completer.complete({"cna": cohort.tables["cna"].loc[strangers[:1]] + 1e6})


def test_a_value_that_stops_the_last_block_stops_before_the_first(
    cohort: Cohort, completer: Completer, strangers: pd.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENTS_PER_BLOCK", 2)
    lenient = dataclasses.replace(
        completer,
        preprocessors={
            name: dataclasses.replace(
                fitted,
                usual=dataclasses.replace(fitted.usual, rules=(), bounds=fitted.usual.bounds[:0]),
            )
            for name, fitted in completer.preprocessors.items()
        },
    )
    table = cohort.tables["rppa"].loc[strangers[:5]].copy()
    table.iloc[4, 1] = 1e30
    with pytest.raises(ValueError, match=rf"feature rppa_1 of patient {strangers[4]} is 1e\+30"):
        lenient.screen({"rppa": table})


def test_a_matrix_may_lie_either_way(cohort: Cohort, completer: Completer) -> None:
    expected = cohort.tables["rnaseq"].head(3)
    for layout in (expected, expected.T):
        tables = completer.screen({"rnaseq": layout}).tables
        pd.testing.assert_frame_equal(tables["rnaseq"], expected, check_names=False)


def test_a_table_with_other_features_is_named(cohort: Cohort, completer: Completer) -> None:
    matrix = cohort.tables["rnaseq"].head(3)
    other = matrix.set_axis([f"gene{i}" for i in range(matrix.shape[1])], axis=1)
    message = r"holds none of the 8 features .* rnaseq_0, rnaseq_1"
    with pytest.raises(ValueError, match=f"^rnaseq {message}"):
        completer.complete({"rnaseq": other})
    with pytest.raises(ValueError, match=rf"^rnaseq\.tsv {message}"):
        completer.screen({"rnaseq": other}, {"rnaseq": "rnaseq.tsv"})


def test_the_models_say_which_they_are(cohort: Cohort, completer: Completer) -> None:
    assert completer.modalities == list(SIZES)
    assert completer.provenance["method"] == "coherent"
    identity = completer.provenance["models"]
    assert cohort.completer.identity == identity
    checkpoints = dict(cohort.bundle.checkpoints)
    first = checkpoints["encoders/cna"]
    arrays = {**first.arrays, "latent_sd": first.arrays["latent_sd"] * 2}
    checkpoints["encoders/cna"] = dataclasses.replace(first, arrays=arrays)
    assert dataclasses.replace(cohort.bundle, checkpoints=checkpoints).identity != identity


def test_denoisers_of_all_families_move_to_the_device_that_is_asked_for(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(module, "resolve_device", lambda n: asked.append(n) or torch.device("meta"))
    moved = cohort.completer.on("cuda:1").models
    assert set(asked) == {"cuda:1"}
    for denoiser in (*moved.single.values(), *moved.multi.values()):
        assert {weight.device.type for weight in denoiser.network.parameters()} == {"meta"}


def test_the_log_warns_where_more_patients_than_chance_allows_lie_far_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    far, near = 99.5, 50.0
    flags = pd.DataFrame(
        {
            "modality": ["cna"] * 20,
            "latent_percentile": [far] * 2 + [near] * 18,
            "feature_percentile": [far] + [near] * 19,
        }
    )
    module._warn_of_strangers(flags)
    assert "cna: 2 of 20 new patients lie farther" in caplog.text
    assert "latent_percentile" in caplog.text
    assert "feature_percentile" not in caplog.text
