import logging

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from tcga_coherent.embedding import autoencoder as module
from tcga_coherent.embedding.autoencoder import (
    Autoencoder,
    EmbeddingConfig,
    hidden_widths,
    train_autoencoder,
)


def curved_scores(n_rows, seed):
    """Two axes of which the second is a function of the first."""
    factor = torch.randn(n_rows, 1, generator=torch.Generator().manual_seed(seed))
    return torch.hstack([2 * factor, (factor**2 - 1) / 2**0.5])


def flat_scores(n_rows, seed):
    """Independent normal axes, which nothing compresses better than PCA."""
    scores = torch.randn(n_rows, 6, generator=torch.Generator().manual_seed(seed))
    return scores * torch.tensor([3.0, 2.5, 2.0, 1.0, 0.8, 0.6])


def squared_error(autoencoder, scores):
    with torch.no_grad():
        return (autoencoder(scores) - scores).square().sum(dim=1).mean().item()


def test_widths_narrow_geometrically_from_features_to_latent():
    assert hidden_widths(32768, 64, hidden_layers=2, max_width=5000) == [4096, 512]


def test_widths_narrow_geometrically_from_a_bounded_first_layer():
    assert hidden_widths(32768, 8, hidden_layers=2, max_width=512) == [512, 64]


def test_no_hidden_layers_have_no_widths():
    assert hidden_widths(100, 8, hidden_layers=0, max_width=512) == []


@pytest.mark.parametrize(("layers", "width"), [(-1, 512), (2, 31)])
def test_widths_that_cannot_narrow_are_an_error(layers, width):
    with pytest.raises(ValueError, match=rf"latent size 32, got {layers} and {width}"):
        hidden_widths(100, 32, layers, width)


def test_an_untrained_autoencoder_is_pca():
    scores = flat_scores(50, seed=0)
    autoencoder = Autoencoder(scores.std(dim=0), 4, [16, 8], dropout=0.2).eval()
    with torch.no_grad():
        latents, reconstructed = autoencoder.encode(scores), autoencoder(scores)
    torch.testing.assert_close(latents, scores[:, :4] / scores.std(dim=0)[:4])
    torch.testing.assert_close(reconstructed[:, :4], scores[:, :4])
    assert (reconstructed[:, 4:] == 0).all()


def test_hidden_layers_are_linear_batchnorm_relu_and_the_decoder_mirrors_them():
    autoencoder = Autoencoder(torch.ones(40), 8, [32, 16], dropout=0.1)
    widths = [
        [(layer.in_features, layer.out_features) for layer in part if hasattr(layer, "in_features")]
        for part in (autoencoder.encoder, autoencoder.decoder)
    ]
    assert widths == [[(40, 32), (32, 16), (16, 8)], [(8, 16), (16, 32), (32, 40)]]
    kinds = [type(layer).__name__ for layer in autoencoder.encoder]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU", "Dropout"] * 2 + ["Linear"]


def test_training_finds_a_curve_that_pca_cannot():
    settings = EmbeddingConfig(learning_rate=3e-3, batch_size=64, max_epochs=40, dropout=0.0)
    train, val = curved_scores(1000, 0), curved_scores(200, 1)
    autoencoder, history = train_autoencoder(train, val, 1, [32, 16], settings, "curve")
    # PCA loses the second axis, whose variance is one.
    assert history["val_error"][0] == pytest.approx(val[:, 1].square().mean().item(), rel=1e-4)
    assert squared_error(autoencoder, val) < 0.2


def test_pca_is_kept_where_nothing_compresses_better():
    train, val = flat_scores(500, 0), flat_scores(200, 1)
    settings = EmbeddingConfig(max_epochs=60, patience=5)
    autoencoder, history = train_autoencoder(train, val, 3, [16, 8], settings, "flat")
    assert history.loc[history["kept"], "epoch"].tolist() == [0]
    assert len(history) == 1 + settings.patience
    assert squared_error(autoencoder, val) == pytest.approx(
        val[:, 3:].square().sum(dim=1).mean().item(), rel=1e-5
    )


def test_kept_weights_have_the_validation_error_of_the_kept_epoch(settings):
    train, val = curved_scores(300, 0), curved_scores(100, 1)
    autoencoder, history = train_autoencoder(train, val, 1, [16], settings, "curve")
    kept = history[history["kept"]]
    assert not autoencoder.training
    assert kept["epoch"].item() > 0
    assert squared_error(autoencoder, val) == pytest.approx(kept["val_error"].item(), rel=1e-5)


def test_same_seed_gives_the_same_weights_and_another_seed_others(settings):
    train, val = curved_scores(300, 0), curved_scores(100, 1)

    def weights(seed):
        changed = EmbeddingConfig(max_epochs=3, batch_size=64, seed=seed)
        autoencoder, _ = train_autoencoder(train, val, 1, [16], changed, "curve")
        return torch.cat([w.flatten().float() for w in autoencoder.state_dict().values()])

    first = weights(0)
    torch.rand(7)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


def test_training_leaves_the_random_state_of_torch_alone(settings):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_autoencoder(curved_scores(100, 0), curved_scores(50, 1), 1, [8], settings, "curve")
    assert torch.equal(torch.rand(3), expected)


def test_progress_names_modality_epoch_losses_and_time_left(settings, caplog, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_REPORTS", -1.0)
    with caplog.at_level(logging.INFO):
        train_autoencoder(curved_scores(100, 0), curved_scores(50, 1), 1, [8], settings, "cna")
    assert caplog.messages[0].startswith("cna: epoch 1, training error")
    assert caplog.messages[0].endswith("s left")
    assert "cna: best validation error" in caplog.messages[-1]


def test_fewer_rows_than_a_batch_are_one_batch():
    settings = EmbeddingConfig(batch_size=128, max_epochs=2)
    train, val = curved_scores(20, 0), curved_scores(5, 1)
    _, history = train_autoencoder(train, val, 1, [8], settings, "small")
    assert np.isfinite(history[["train_error", "val_error"]].to_numpy()).all()
    assert history["train_error"][2] != history["train_error"][1]


@pytest.mark.parametrize(
    ("key", "value"), [("batch_size", 1), ("dropout", 1.0), ("learning_rate", 0), ("epochs", 3)]
)
def test_a_bad_setting_is_named(key, value):
    with pytest.raises(ValidationError, match=key):
        TypeAdapter(EmbeddingConfig).validate_python({key: value})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card on this machine")
def test_training_on_a_card_repeats_itself(settings):
    train, val = curved_scores(300, 0).cuda(), curved_scores(100, 1).cuda()
    first, _ = train_autoencoder(train, val, 1, [16], settings, "curve")
    second, _ = train_autoencoder(train, val, 1, [16], settings, "curve")
    for name, weight in first.state_dict().items():
        assert weight.is_cuda
        assert torch.equal(weight, second.state_dict()[name])
