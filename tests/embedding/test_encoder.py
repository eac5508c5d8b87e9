import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score

from tcga_coherent.datasets.checkpoint import Checkpoint, CheckpointDataset
from tcga_coherent.embedding import encoder as module
from tcga_coherent.embedding.encoder import Encoder, fit_encoder

KINDS = ["autoencoder", "pca"]


@pytest.fixture(params=KINDS)
def encoder(request, processed, split, settings, modality, cpu):
    return fit_encoder("rppa", processed, split, modality(request.param), settings, cpu)


def test_latents_are_standardised_over_the_training_patients_alone(encoder, processed, split):
    latents = encoder.encode(processed)
    assert latents.columns.tolist() == ["z00", "z01", "z02", "z03", "z04", "z05", "z06", "z07"]
    assert latents.index.equals(processed.index)
    assert (latents.dtypes == np.float32).all()
    train = latents[:320].astype(float)
    np.testing.assert_allclose(train.mean(), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(ddof=0), 1, atol=1e-5)
    assert (latents[320:].astype(float).mean().abs() > 1e-3).any()


def test_pca_latents_are_the_standardised_scores_of_scikit_learn(
    processed, split, settings, modality, cpu
):
    encoder = fit_encoder("wsi", processed, split, modality("pca"), settings, cpu)
    oracle = PCA(8).fit(processed[:320])
    scores = oracle.transform(processed)
    expected = scores / scores[:320].std(axis=0)
    np.testing.assert_allclose(encoder.encode(processed).abs(), np.abs(expected), atol=2e-3)
    np.testing.assert_allclose(
        encoder.decode(encoder.encode(processed)), oracle.inverse_transform(scores), atol=2e-3
    )


@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_the_scores_of_scikit_learn_on_as_many_axes_as_asked_for(
    kind, processed, split, settings, modality, cpu
):
    wide = replace(settings, principal_axes=10, code_size=15)
    encoder = fit_encoder("rppa", processed, split, modality(kind), wide, cpu)
    oracle = PCA(15, svd_solver="full").fit(processed[:320]).transform(processed)
    code = encoder.code(processed)
    assert list(code.columns)[::14] == ["c000", "c014"]
    np.testing.assert_allclose(code.abs(), np.abs(oracle), atol=2e-3)
    # They are no standardised latents: leading axes have more variance.
    assert code.iloc[:320].var().is_monotonic_decreasing
    # There are no more axes than features.
    everything = replace(settings, code_size=500)
    encoder = fit_encoder("rppa", processed, split, modality(kind), everything, cpu)
    lengths = np.linalg.norm(encoder.code(processed), axis=1)
    centred = processed - processed[:320].mean()
    np.testing.assert_allclose(lengths, np.linalg.norm(centred, axis=1), rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_latents_is_that_of_what_they_are_decoded_to(
    kind, processed, split, settings, modality, cpu
):
    wide = replace(settings, principal_axes=10, code_size=15)
    encoder = fit_encoder("rppa", processed, split, modality(kind), wide, cpu)
    latents = encoder.encode(processed)
    code = encoder.code_of_latents(latents.to_numpy())
    assert code.shape == (len(processed), 15)
    np.testing.assert_allclose(code, encoder.code(encoder.decode(latents)), atol=2e-3)


def test_a_wider_code_leaves_latents_as_they_are(processed, split, settings, modality, cpu):
    for kind in KINDS:
        narrow, wide = (
            fit_encoder("rppa", processed, split, modality(kind), changed, cpu).encode(processed)
            for changed in (
                replace(settings, principal_axes=10, code_size=1),
                replace(settings, principal_axes=10, code_size=24),
            )
        )
        np.testing.assert_allclose(narrow, wide, atol=1e-3)


def test_as_many_dimensions_as_features_lose_nothing(processed, split, settings, modality, cpu):
    encoder = fit_encoder("rppa", processed, split, modality("pca", 24), settings, cpu)
    np.testing.assert_allclose(encoder.decode(encoder.encode(processed)), processed, atol=1e-3)


def test_decoding_gives_processed_features_back_better_than_pca(encoder, processed):
    test = processed[360:]
    decoded = encoder.decode(encoder.encode(test))
    assert decoded.columns.equals(processed.columns)
    assert decoded.index.equals(test.index)
    assert (decoded.dtypes == np.float32).all()
    error = ((decoded - test) ** 2).to_numpy().mean()
    rival = encoder.pca.reconstruct(encoder.pca.project(test.to_numpy()))
    assert error <= ((rival - test) ** 2).to_numpy().mean() * 1.001


def test_history_is_the_error_of_decoded_features(processed, split, settings, modality, cpu):
    encoder = fit_encoder("rppa", processed, split, modality("autoencoder"), settings, cpu)
    val = processed[320:360]
    history = encoder.history.set_index("epoch")
    kept = history.loc[history["kept"], "val_mse"].item()
    decoded = encoder.decode(encoder.encode(val))
    assert kept == pytest.approx(((decoded - val) ** 2).to_numpy().mean(), rel=1e-4)
    oracle = PCA(8).fit(processed[:320])
    rival = oracle.inverse_transform(oracle.transform(val))
    assert history["val_mse"][0] == pytest.approx(((rival - val) ** 2).to_numpy().mean(), rel=1e-4)


def test_history_counts_what_the_principal_axes_leave_out(
    processed, split, settings, modality, cpu
):
    few = settings.__class__(principal_axes=10, max_epochs=2)
    encoder = fit_encoder("rppa", processed, split, modality("autoencoder"), few, cpu)
    assert encoder.n_axes == 10
    oracle = PCA(8).fit(processed[:320])
    rival = oracle.inverse_transform(oracle.transform(processed[:320]))
    error = ((rival - processed[:320]) ** 2).to_numpy().mean()
    assert encoder.history["train_mse"][0] == pytest.approx(error, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_what_latents_lose_is_of_the_size_of_validation_and_the_shape_of_training(
    kind, processed, split, settings, modality, cpu
):
    encoder = fit_encoder("rppa", processed, split, modality(kind), settings, cpu)
    lost = (processed - encoder.decode(encoder.encode(processed))) ** 2
    train, val = lost[:320].mean(), lost[320:360].mean()
    np.testing.assert_allclose(
        encoder.residual_sd**2, train * val.sum() / train.sum(), rtol=1e-3, atol=1e-6
    )


def test_without_validation_patients_training_says_what_latents_lose(
    processed, split, settings, modality, cpu
):
    nobody = split.replace({"split": {"val": "test"}})
    encoder = fit_encoder("wsi", processed, nobody, modality("pca"), settings, cpu)
    lost = (processed - encoder.decode(encoder.encode(processed))) ** 2
    np.testing.assert_allclose(encoder.residual_sd**2, lost[:320].mean(), rtol=1e-3, atol=1e-6)


def test_test_patients_have_no_influence(processed, split, settings, modality, cpu):
    changed = processed.copy()
    changed.iloc[360:] *= 5
    for kind in KINDS:
        first, second = (
            fit_encoder("rppa", table, split, modality(kind), settings, cpu).state()[0]
            for table in (processed, changed)
        )
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name], err_msg=name)


def test_features_may_come_in_any_order(encoder, processed):
    reversed_columns = processed[processed.columns[::-1]]
    pd.testing.assert_frame_equal(encoder.encode(reversed_columns), encoder.encode(processed))


def test_chunks_make_no_difference(encoder, processed, monkeypatch):
    whole = encoder.encode(processed)
    decoded = encoder.decode(whole)
    monkeypatch.setattr(module, "CHUNK_ROWS", 37)
    np.testing.assert_allclose(encoder.encode(processed), whole, atol=1e-5)
    np.testing.assert_allclose(encoder.decode(whole), decoded, atol=1e-5)


def test_no_patients_give_no_latents_and_no_features(encoder, processed):
    latents = encoder.encode(processed[:0])
    assert latents.shape == (0, 8)
    assert encoder.decode(latents).shape == (0, 24)


def test_draws_keep_their_index(encoder, processed):
    latents = encoder.encode(processed[:3])
    latents.index = pd.MultiIndex.from_product([["TCGA-AA-0000"], range(3)], names=["p", "draw"])
    assert encoder.decode(latents).index.equals(latents.index)


def test_a_saved_encoder_computes_the_same(encoder, processed, tmp_path):
    dataset = CheckpointDataset(filepath=str(tmp_path / "rppa.safetensors"))
    dataset.save(Checkpoint(*encoder.state()))
    loaded = dataset.load()
    again = Encoder.from_state(loaded.arrays, loaded.metadata)
    latents = encoder.encode(processed)
    pd.testing.assert_frame_equal(again.encode(processed), latents)
    pd.testing.assert_frame_equal(again.decode(latents), encoder.decode(latents))
    assert again.history.to_dict() == encoder.history.to_dict()
    assert again.modality == "rppa"


def test_no_patient_is_named_in_the_state(encoder, processed):
    arrays, metadata = encoder.state()
    assert "TCGA" not in json.dumps(metadata)
    assert all(len(processed) not in array.shape for array in arrays.values())
    assert all(320 not in array.shape for array in arrays.values())


@pytest.mark.parametrize("kind", KINDS)
def test_more_dimensions_than_features_are_an_error(
    kind, processed, split, settings, modality, cpu
):
    with pytest.raises(
        ValueError,
        match=r"modalities.rppa.latent_size is 32 but only 24 features are left: lower it",
    ):
        fit_encoder("rppa", processed, split, modality(kind, 32), settings, cpu)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dimension_without_spread_is_an_error(kind, processed, split, settings, modality, cpu):
    factors = processed.iloc[:, :5].to_numpy()
    weights = np.random.default_rng(0).normal(size=(5, 24))
    flat = pd.DataFrame(factors @ weights, index=processed.index, columns=processed.columns)
    with pytest.raises(
        ValueError,
        match=r"rppa: 3 of 8 latent dimensions have no spread .*z05, z06, z07.*latent_size to at most 5",
    ):
        fit_encoder("rppa", flat.astype(np.float32), split, modality(kind), settings, cpu)


def test_missing_values_are_named_by_modality_and_patient(
    encoder, processed, split, settings, modality, cpu
):
    processed.iloc[7, 3] = np.nan
    message = (
        r"processed table of rppa has missing or infinite values in 1 of 400 rows.*TCGA-AA-0007"
    )
    with pytest.raises(ValueError, match=message):
        fit_encoder("rppa", processed, split, modality("pca"), settings, cpu)
    with pytest.raises(ValueError, match=message):
        encoder.encode(processed)


def test_latents_that_are_not_finite_are_named(encoder, processed):
    latents = encoder.encode(processed)
    latents.iloc[2, 0] = np.inf
    with pytest.raises(ValueError, match=r"latents of rppa has .*TCGA-AA-0002"):
        encoder.decode(latents)


def test_latents_of_another_size_are_an_error(encoder, processed):
    with pytest.raises(ValueError, match=r"rppa must have the 8 columns z00 to z07, got 7"):
        encoder.decode(encoder.encode(processed).drop(columns="z03"))


def test_other_features_are_named(encoder, processed):
    other = processed.rename(columns={"gene3": "TP53"})
    with pytest.raises(
        ValueError,
        match=r"rppa: .* 24 features, of which 1 are absent .*gene3.* 1 of its columns are others .*TP53",
    ):
        encoder.encode(other)


def test_an_autoencoder_without_validation_patients_is_an_error(
    processed, split, settings, modality, cpu
):
    split["split"] = split["split"].replace("val", "test")
    with pytest.raises(ValueError, match=r"No validation patient has rppa.*encoder.kind to pca"):
        fit_encoder("rppa", processed, split, modality("autoencoder"), settings, cpu)
    fit_encoder("rppa", processed, split, modality("pca"), settings, cpu)


def test_fewer_training_patients_than_dimensions_are_an_error(
    processed, split, settings, modality, cpu
):
    few = processed[314:]
    with pytest.raises(
        ValueError, match=r"latent_size is 8 but only 6 training patients have rppa"
    ):
        fit_encoder("rppa", few, split, modality("pca"), settings, cpu)


def test_fitting_leaves_the_processed_table_as_it_was(processed, split, settings, modality, cpu):
    before = processed.copy()
    fit_encoder("rppa", processed, split, modality("pca"), settings, cpu)
    pd.testing.assert_frame_equal(processed, before)


def test_reconstruction_is_scored_as_if_all_rows_were_in_memory(encoder, processed, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 37)
    test = processed[360:].to_numpy()
    decoded = encoder.decode(encoder.encode(processed[360:])).to_numpy()
    linear = PCA(8).fit(processed[:320])
    linear = linear.inverse_transform(linear.transform(test))
    own, rival = encoder.reconstruction_r2(processed, processed.index[360:])
    assert own == pytest.approx(r2_score(test.ravel(), decoded.ravel()), abs=1e-6)
    assert rival == pytest.approx(r2_score(test.ravel(), linear.ravel()), abs=1e-3)
    assert all(map(np.isnan, encoder.reconstruction_r2(processed, pd.Index(["nobody"]))))


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_are_filled_by_the_normal_distribution_along_the_axes(
    kind, processed, split, settings, modality, cpu
):
    """Against the mean conditional on the others, of a covariance of axes and residuals."""
    wide = replace(settings, principal_axes=12, code_size=15)
    encoder = fit_encoder("rppa", processed, split, modality(kind), wide, cpu)
    test = processed[360:]
    holed = test.copy()
    holed.iloc[3, [4, 7]] = np.nan
    holed.iloc[5, 0] = np.nan
    filled = encoder.impute(holed[processed.columns[::-1]])
    assert filled.columns.equals(processed.columns)
    assert (filled.dtypes == np.float32).all()
    pd.testing.assert_frame_equal(filled.where(holed.notna()), holed)
    axes = encoder.components.axes[: 8 if kind == "pca" else 12]
    variances = ((processed[:320] - encoder.components.mean).to_numpy() @ axes.T).var(axis=0)
    covariance = (axes.T * variances) @ axes + np.diag(np.maximum(encoder.residual_sd**2, 1e-3))
    o, m = [f for f in range(24) if f not in (4, 7)], [4, 7]
    gain = covariance[np.ix_(m, o)] @ np.linalg.inv(covariance[np.ix_(o, o)])
    mean = encoder.components.mean
    expected = mean[m] + gain @ (test.iloc[3, o].to_numpy() - mean[o])
    np.testing.assert_allclose(filled.iloc[3, m], expected, rtol=2e-3, atol=2e-3)
    hidden = test.mask(np.random.default_rng(0).random(test.shape) < 0.2)
    errors = [
        (frame - test).to_numpy()[hidden.isna()] for frame in (encoder.impute(hidden), 0 * test)
    ]
    assert np.square(errors[0]).mean() < 0.5 * np.square(errors[1]).mean()
    with pytest.raises(ValueError, match="rppa"):
        encoder.impute(holed.iloc[:, 1:])


@pytest.mark.parametrize("kind", KINDS)
def test_covariates_stand_in_the_code_and_survive_the_checkpoint(
    processed, split, settings, modality, cpu, kind
) -> None:
    random = np.random.default_rng(0)
    clinical = pd.DataFrame({"age": random.normal(60, 9, len(processed))}, index=processed.index)
    wanted = replace(settings, covariates=("age",))
    plain = fit_encoder("rppa", processed, split, modality(kind), settings, cpu)
    encoder = fit_encoder("rppa", processed, split, modality(kind), wanted, cpu, clinical)
    assert encoder.code_columns == [*plain.code_columns, "age"]
    pd.testing.assert_frame_equal(encoder.encode(processed), plain.encode(processed))
    code = encoder.code(processed, clinical)
    pd.testing.assert_frame_equal(code[plain.code_columns], plain.code(processed))
    assert np.corrcoef(code["age"], clinical["age"])[0, 1] == pytest.approx(1)
    again = Encoder.from_state(*encoder.state())
    pd.testing.assert_frame_equal(again.code(processed, clinical), code)
    pd.testing.assert_frame_equal(again.code(processed), encoder.code(processed))
    latents = encoder.encode(processed).to_numpy()
    assert encoder.code_of_latents(latents).shape == code.shape
