import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from omegaconf import OmegaConf
from pydantic import TypeAdapter
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score

from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.embedding import create_pipeline
from tcga_coherent.pipelines.embedding.nodes import encode_modality, gather_encoders
from tests.pipelines.latent_cohort import lazily

SETTINGS = EmbeddingConfig(max_epochs=6, patience=3, batch_size=64, learning_rate=1e-3)


def modality(label, color, kind, latent_size):
    return {
        "label": label,
        "color": color,
        "steps": [],
        "encoder": {"kind": kind},
        "latent_size": latent_size,
    }


MODALITIES = {
    "cna": modality("CNA", "#0072B2", "autoencoder", 4),
    "rppa": modality("RPPA", "#009E73", "autoencoder", 5),
    "wsi": modality("WSI", "#CC79A7", "pca", 6),
    "methylation": modality("Methylation", "#E69F00", "autoencoder", 3),
    "unused": None,
}
FEATURES = {"cna": 30, "rppa": 12, "wsi": 20, "methylation": 16}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def split():
    patients = pd.Index([f"TCGA-AA-{number:04d}" for number in range(300)], name="patient_id")
    parts = ["test"] * 40 + ["val"] * 20 + ["train"] * 240
    return pd.DataFrame({"split": parts, "cancer_type": "BRCA"}, index=patients)


@pytest.fixture(scope="module")
def tables(split):
    """Four modalities of common curved factors; some training patients miss some."""
    rng = np.random.default_rng(3)
    factors = rng.normal(size=(300, 5))
    tables = {}
    for number, (name, n_features) in enumerate(FEATURES.items()):
        values = np.hstack([factors, factors**2]) @ rng.normal(size=(10, n_features))
        values += 0.3 * rng.normal(size=values.shape)
        frame = pd.DataFrame(
            (values - values.mean(axis=0)) / values.std(axis=0),
            index=split.index,
            columns=[f"{name}{feature}" for feature in range(n_features)],
            dtype=np.float32,
        )
        tables[name] = frame[: 300 - 20 * number]
    return tables


def encode(tables, split, modalities=MODALITIES, settings=SETTINGS, device="cpu"):
    """Return encoders and latents by modality, the table of all and the figure."""
    made = {
        name: encode_modality(
            tables[name].copy(),
            split.loc[tables[name].index],
            pd.DataFrame(index=split.index),
            config,
            settings,
            device,
            name,
        )
        for name, config in parse_modalities(modalities).items()
    }
    encoders, latents, _, rows, histories = (
        {name: found[part] for name, found in made.items()} for part in range(5)
    )
    return encoders, latents, *gather_encoders(lazily(rows), lazily(histories), modalities)


@pytest.fixture(scope="module")
def fitted(tables, split):
    return encode(tables, split)


def test_every_modality_has_an_encoder_latents_and_a_row(fitted, tables, split):
    encoders, latents, table, _ = fitted
    assert list(encoders) == list(latents) == table["modality"].tolist() == list(FEATURES)
    assert table["encoder"].tolist() == ["autoencoder", "autoencoder", "pca", "autoencoder"]
    assert table["features"].tolist() == [30, 12, 20, 16]
    assert table["latent_size"].tolist() == [4, 5, 6, 3]
    assert table["rows_train"].tolist() == [240, 220, 200, 180]
    assert (table["rows_val"] == 20).all()
    assert (table["rows_test"] == 40).all()
    for name, frame in latents.items():
        assert frame.index.equals(tables[name].index)
        train = frame[split["split"].loc[frame.index] == "train"].astype(float)
        np.testing.assert_allclose(train.mean(), 0, atol=1e-5)
        np.testing.assert_allclose(train.std(ddof=0), 1, atol=1e-5)


def test_saved_encoders_give_the_latents_and_the_r2_of_the_table(fitted, tables, split):
    encoders, latents, table, _ = fitted
    for row in table.itertuples():
        encoder = Encoder.from_state(encoders[row.modality].arrays, encoders[row.modality].metadata)
        frame = tables[row.modality]
        pd.testing.assert_frame_equal(encoder.encode(frame), latents[row.modality])
        for part in ("train", "val", "test"):
            truth = frame[split["split"].loc[frame.index] == part].to_numpy(float)
            decoded = encoder.decode(encoder.encode(frame))
            decoded = decoded[split["split"].loc[frame.index] == part].to_numpy()
            expected = r2_score(truth.ravel(), decoded.ravel())
            assert getattr(row, f"r2_{part}") == pytest.approx(expected, abs=1e-5)


def test_the_rival_is_pca_of_the_same_size_fitted_on_training_patients(fitted, tables, split):
    table = fitted[2]
    for row in table.itertuples():
        frame = tables[row.modality]
        parts = split["split"].loc[frame.index]
        pca = PCA(row.latent_size).fit(frame[parts == "train"].to_numpy(float))
        for part in ("train", "val", "test"):
            truth = frame[parts == part].to_numpy(float)
            expected = r2_score(truth.ravel(), pca.inverse_transform(pca.transform(truth)).ravel())
            assert getattr(row, f"pca_r2_{part}") == pytest.approx(expected, abs=1e-4)
    wsi = table.set_index("modality").loc["wsi"]
    assert wsi["r2_test"] == pytest.approx(wsi["pca_r2_test"], abs=1e-6)
    assert (wsi["epochs"], wsi["kept_epoch"]) == (0, 0)


def test_a_second_run_gives_identical_tables_and_latents(fitted, tables, split):
    _, latents, table, _ = encode(tables, split)
    pd.testing.assert_frame_equal(table, fitted[2], check_exact=True)
    for name, frame in latents.items():
        pd.testing.assert_frame_equal(frame, fitted[1][name], check_exact=True)


def test_a_modality_without_patients_in_a_part_has_no_r2_there(tables, split):
    without_test = split.assign(split=split["split"].replace("test", "train"))
    two = {name: MODALITIES[name] for name in ("rppa", "wsi")}
    *_, table, _ = encode(tables, without_test, two)
    assert table["r2_test"].isna().all()
    assert (table["rows_test"] == 0).all()
    assert table["r2_val"].notna().all()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA card")
def test_a_card_that_is_not_there_is_an_error(tables, split):
    with pytest.raises(ValueError, match=r"compute.device is 'cuda'"):
        encode(tables, split, device="cuda")


def test_the_pipeline_runs_with_the_delivered_parameters(tables, split, repo_root, lanes_of):
    settings = OmegaConf.load(repo_root / "conf/base/parameters/embedding.yml").embedding
    delivered = TypeAdapter(EmbeddingConfig).validate_python(OmegaConf.to_container(settings))
    # An unused modality has no lane, so that nothing of it is read.
    lanes_of(MODALITIES)
    inputs = {
        **{f"processed/{name}": table for name, table in tables.items()},
        "clinical": pd.DataFrame(index=split.index),
        **{f"split/{name}": split.loc[table.index] for name, table in tables.items()},
        **{
            f"params:modalities.{name}": config
            for name, config in parse_modalities(MODALITIES).items()
        },
        "params:modalities": MODALITIES,
        "params:embedding": delivered,
        "params:compute.device": "cpu",
    }
    catalog = DataCatalog({name: MemoryDataset(content) for name, content in inputs.items()})
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    assert set(outputs) == {
        *(f"{kind}/{name}" for kind in ("encoders", "latents", "codes") for name in FEATURES),
        "embedding_table",
        "embedding_figure",
    }
    table = outputs["embedding_table"].load()
    assert table["modality"].tolist() == list(FEATURES)
    assert (table["r2_val"] >= table["pca_r2_val"] - 1e-6).all()


def test_real_protein_levels_are_reconstructed_better_than_by_pca(shared_dir):
    levels = pd.read_parquet(shared_dir / "cohort" / "rppa.parquet").T
    levels = levels.loc[:, levels.isna().mean() <= 0.1]
    levels = levels.fillna(levels.median())
    levels = ((levels - levels.mean()) / levels.std()).astype(np.float32)
    parts = np.random.default_rng(0).choice(
        ["train", "val", "test"], len(levels), p=[0.8, 0.05, 0.15]
    )
    split = pd.DataFrame({"split": parts}, index=levels.index)
    modalities = {
        "rppa": modality("RPPA", "#009E73", "autoencoder", 32),
        "pca": modality("RPPA by PCA", "#009E73", "pca", 32),
    }
    settings = EmbeddingConfig(max_epochs=15, learning_rate=1e-3)
    _, latents, table, _ = encode({"rppa": levels, "pca": levels}, split, modalities, settings)
    autoencoder, pca = table["r2_test"]
    assert autoencoder > pca + 0.01
    correlations = np.corrcoef(latents["rppa"].to_numpy().T) - np.eye(32)
    assert np.abs(correlations).max() < 0.3
