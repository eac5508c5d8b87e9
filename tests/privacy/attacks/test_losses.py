from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.linear_gaussian import LinearGaussian
from tcga_coherent.diffusion.noise import derive_keys, named_keys, normal_noise
from tcga_coherent.diffusion.sampling.consensus import measure_errors
from tcga_coherent.privacy.attacks import losses
from tcga_coherent.privacy.attacks.losses import (
    Noising,
    consensus_losses,
    denoising_losses,
    model_losses,
)
from tests.privacy.trained_denoisers import SIZE, make_patients, tensors, train_models

NOISING = Noising(timesteps=(100, 600), n_noises=16, seed=3)


@pytest.fixture(scope="module")
def trained():
    torch.set_num_threads(1)
    latents = make_patients(60, seed=0)
    patients = latents["cna"].index
    split = pd.Series(np.repeat(["train", "val"], [40, 20]), index=patients)
    return train_models(latents, split, steps=30), tensors(latents, patients)


def by_hand(denoiser, target, condition, masked=False) -> np.ndarray:
    """Return patients x levels, from the network in training form and the noise error."""
    schedule = denoiser.process
    keys = named_keys(NOISING.seed, "denoising losses", [str(i) for i in range(8)])
    losses = np.zeros((len(target), 2))
    mask = torch.tensor([[[not masked]]])
    for level, timestep in enumerate(NOISING.timesteps):
        alpha_bar = float(schedule.alphas_cumprod[timestep])
        for i, clean in enumerate(target):
            half = normal_noise(derive_keys(keys, timestep), SIZE).T
            for noise in (*half, *-half):
                noisy = alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise
                projected = denoiser.network.project([condition[i].view(1, -1, 1)], mask)
                velocity = denoiser.network(
                    noisy.view(1, -1, 1), torch.tensor([[timestep]]), projected
                )[0, :, 0]
                wanted = alpha_bar**0.5 * noise - (1 - alpha_bar) ** 0.5 * clean
                losses[i, level] += float((velocity - wanted).square().mean()) / 16
    return losses


@torch.no_grad()
def test_losses_are_squared_errors_of_the_velocity(trained) -> None:
    models, latents = trained
    some = {name: values[:3] for name, values in latents.items()}
    denoiser = models.single["cna_from_rnaseq"]
    (found,) = denoising_losses([denoiser], some["cna"], {"rnaseq": some["rnaseq"]}, NOISING)
    assert found == pytest.approx(by_hand(denoiser, some["cna"], some["rnaseq"]), rel=1e-3)


@torch.no_grad()
def test_a_patient_without_a_source_is_denoised_without_it(trained) -> None:
    models, latents = trained
    some = {name: values[:4] for name, values in latents.items()}
    (found,) = denoising_losses(
        [models.multi["cna"]],
        some["cna"],
        {"rnaseq": some["rnaseq"]},
        NOISING,
        masks={"rnaseq": torch.tensor([True, False, True, False])},
    )
    given, blind = (
        by_hand(models.multi["cna"], some["cna"], some["rnaseq"], masked)
        for masked in (False, True)
    )
    assert found[::2] == pytest.approx(given[::2], rel=1e-3)
    assert found[1::2] == pytest.approx(blind[1::2], rel=1e-3)


def test_losses_depend_on_neither_chunks_nor_company(trained, monkeypatch) -> None:
    models, latents = trained
    whole = model_losses(models, SamplingConfig(), latents, latents, NOISING)
    monkeypatch.setattr(losses, "CHUNK_ROWS", 5 * NOISING.n_noises)
    some = {name: values[7:] for name, values in latents.items()}
    parts = model_losses(models, SamplingConfig(), some, some, NOISING)
    for model, found in whole.items():
        assert parts[model] == pytest.approx(found[7:], rel=1e-3)


def test_the_control_is_the_standard_normal_and_nobody_else(trained) -> None:
    models, latents = trained
    found = model_losses(models, SamplingConfig(), latents, latents, NOISING, targets=("cna",))
    # It holds every velocity for zero: what is left are the squares of noise and latents.
    keys = named_keys(NOISING.seed, "denoising losses", [str(i) for i in range(8)])
    for level, timestep in enumerate(NOISING.timesteps):
        alpha_bar = float(LinearBeta().alphas_cumprod[timestep])
        noise = normal_noise(derive_keys(keys, timestep), SIZE).square().mean()
        expected = alpha_bar * noise + (1 - alpha_bar) * latents["cna"].square().mean(dim=1)
        assert found["standard_normal", "cna", ""][:, level] == pytest.approx(expected, rel=1e-3)
    # One source makes the ensemble its single denoiser.
    alone = found["single", "cna", "rnaseq"]
    assert found["coherent", "cna", "rnaseq"] == pytest.approx(alone, rel=1e-3)


def test_the_consensus_is_that_of_the_weights(trained) -> None:
    models, latents = trained
    # Two denoisers of one target: that of the source, and the multi model without conditions.
    members = [models.single["cna_from_rnaseq"], models.multi["cna"]]
    conditions = {"rnaseq": latents["rnaseq"]}
    halves = np.arange(len(latents["cna"])) % 2
    errors = measure_errors(
        members[:1], [], members[1], latents["cna"], conditions, halves, NOISING.timesteps, seed=0
    )
    with pytest.raises(ValueError, match="No consensus weights were learned"):
        consensus_losses(members, None, "composed", latents["cna"], conditions, NOISING)
    *single, consensus, control = consensus_losses(
        members, errors, "equal", latents["cna"], conditions, NOISING
    )
    # Errors are averaged before they are squared: never above the mean of the squares.
    assert (consensus <= np.mean(single, axis=0) + 1e-6).all()
    assert (consensus < np.mean(single, axis=0)).mean() > 0.9
    assert control.shape == consensus.shape == (60, 2)


def test_linear_experts_are_attacked_beside_denoisers(trained) -> None:
    models, latents = trained
    random = np.random.default_rng(0)
    spread = random.standard_normal((SIZE, SIZE))
    expert = LinearGaussian(
        "cna",
        ("rnaseq",),
        {"rnaseq": random.standard_normal((SIZE, SIZE)).astype(np.float32)},
        random.standard_normal(SIZE).astype(np.float32),
        spread @ spread.T / SIZE + 0.1 * np.eye(SIZE),
        60,
    )
    code = latents["rnaseq"] ** 2
    given = {**latents, "rnaseq": torch.cat([latents["rnaseq"], code], dim=1)}
    denoiser, multi = models.single["cna_from_rnaseq"], models.multi["cna"]
    halves = np.arange(len(code)) % 2
    conditions = {"rnaseq": given["rnaseq"]}
    errors = measure_errors(
        [denoiser], [expert], multi, latents["cna"], conditions, halves, NOISING.timesteps, seed=0
    )
    known = replace(models, errors={"cna": errors}, linear={expert.name: expert})
    found = model_losses(
        known, SamplingConfig(weights="equal"), latents, given, NOISING, targets=("cna",)
    )
    mean = expert.mean({"rnaseq": code.numpy()})
    keys = named_keys(NOISING.seed, "denoising losses", [str(i) for i in range(8)])
    for level, timestep in enumerate(NOISING.timesteps):
        alpha, sigma = LinearBeta().level(timestep)
        half = normal_noise(derive_keys(keys, timestep), SIZE).numpy().T
        law = alpha**2 * expert.covariance + sigma**2 * np.eye(SIZE)
        losses = []
        for noise in (half, -half):
            noisy = alpha * latents["cna"].numpy()[:, None] + sigma * noise
            estimate = sigma * np.linalg.solve(law, (noisy - alpha * mean[:, None])[..., None])
            losses.append(np.square(estimate[..., 0] - noise).mean(axis=(1, 2)) / alpha**2)
        expected = np.mean(losses, axis=0)
        np.testing.assert_allclose(found["linear", "cna", "rnaseq"][:, level], expected, rtol=1e-3)
    # It takes part in the consensus: errors are averaged before they are squared.
    alone = [found[method, "cna", "rnaseq"] for method in ("single", "linear")]
    assert (found["coherent", "cna", "rnaseq"] <= np.mean(alone, axis=0) + 1e-5).all()
    # Attacked is what is released.
    without = SamplingConfig(weights="equal", linear_experts=False)
    bare = model_losses(known, without, latents, given, NOISING, targets=("cna",))
    assert ("linear", "cna", "rnaseq") not in bare
    np.testing.assert_allclose(bare["coherent", "cna", "rnaseq"], alone[0], rtol=1e-5)
