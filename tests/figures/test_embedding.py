import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from tcga_coherent.figures.embedding import draw_embedding
from tcga_coherent.modality import ModalityConfig

TABLE = pd.DataFrame(
    {
        "modality": ["cna", "wsi"],
        "encoder": ["autoencoder", "pca"],
        "features": [250, 768],
        "latent_size": [16, 32],
        "r2_test": [0.75, 0.5],
        "pca_r2_test": [0.625, 0.5],
    }
)
HISTORIES = {
    "cna": pd.DataFrame(
        {
            "epoch": [0, 1, 2],
            "train_mse": [0.40, 0.30, 0.20],
            "val_mse": [0.45, 0.36, 0.3599],
            "kept": [False, True, False],
        }
    ),
    "wsi": pd.DataFrame(columns=["epoch", "train_mse", "val_mse", "kept"]),
}
MODALITIES = {
    "cna": ModalityConfig(label="CNA", color="#0072b2", steps=()),
    "wsi": ModalityConfig(label="WSI", color="#cc79a7", steps=()),
}


@pytest.fixture
def panels():
    return draw_embedding(TABLE, HISTORIES, MODALITIES).axes


def test_only_trained_encoders_have_a_panel_of_curves(panels):
    curves, reconstruction = panels
    assert curves.get_title() == "CNA"
    assert "R²" in reconstruction.get_ylabel()


def test_curves_show_both_errors_the_kept_epoch_and_the_level_of_pca(panels):
    pca, training, validation, kept = panels[0].lines
    assert set(pca.get_ydata()) == {0.45}
    assert list(training.get_ydata()) == [0.40, 0.30, 0.20]
    assert list(validation.get_ydata()) == [0.45, 0.36, 0.3599]
    assert (list(kept.get_xdata()), list(kept.get_ydata())) == ([1], [0.36])
    assert {line.get_color() for line in (training, validation, kept)} == {"#0072b2"}


def test_bars_stand_beside_those_of_pca_in_the_colours_of_the_modalities(panels):
    encoders, rivals = panels[1].containers
    np.testing.assert_allclose([bar.get_height() for bar in encoders], [0.75, 0.5])
    np.testing.assert_allclose([bar.get_height() for bar in rivals], [0.625, 0.5])
    assert [to_hex(bar.get_facecolor()) for bar in encoders] == ["#0072b2", "#cc79a7"]
    assert all(
        encoder.get_x() + encoder.get_width() == pytest.approx(rival.get_x())
        for encoder, rival in zip(encoders, rivals, strict=True)
    )
    labels = [label.get_text() for label in panels[1].get_xticklabels()]
    assert labels == ["CNA\nautoencoder\n16 of 250", "WSI\nPCA\n32 of 768"]


def test_a_reconstruction_worse_than_the_mean_is_in_view():
    table = TABLE.assign(r2_test=[-0.3, 0.5])
    panel = draw_embedding(table, HISTORIES, MODALITIES).axes[-1]
    assert panel.get_ylim()[0] <= -0.3


def test_pca_alone_needs_no_curves():
    figure = draw_embedding(TABLE[1:], HISTORIES, MODALITIES)
    assert len(figure.axes) == 1
    assert figure.legends == []
