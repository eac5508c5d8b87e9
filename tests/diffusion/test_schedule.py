import pytest
import torch

from tcga_coherent.diffusion.config import ScheduleConfig, TrainingConfig
from tcga_coherent.diffusion.schedule import NoiseSchedule


def test_betas_rise_linearly_between_the_papers_limits():
    betas = NoiseSchedule().betas
    assert len(betas) == 1000
    assert betas[0].item() == 1e-4
    assert betas[-1].item() == 0.02
    torch.testing.assert_close(betas.diff(), torch.full((999,), (0.02 - 1e-4) / 999).double())


def test_adding_noise_step_by_step_equals_the_direct_formula():
    schedule = NoiseSchedule(n_timesteps=5, beta_start=0.1, beta_end=0.3)
    # Means and variances of repeated x <- sqrt(1 - beta) x + sqrt(beta) eps.
    signal, variance = 1.0, 0.0
    for beta in schedule.betas.tolist():
        signal, variance = signal * (1 - beta) ** 0.5, variance * (1 - beta) + beta
    last = torch.tensor([[4]])
    one, zero = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    assert abs(schedule.add_noise(one, zero, last).item() - signal) < 1e-12
    assert abs(schedule.add_noise(zero, one, last).item() ** 2 - variance) < 1e-12


def test_a_schedule_whose_noise_falls_is_refused():
    with pytest.raises(ValueError, match=r"beta_start is 0\.5 and beta_end 0\.02.*must not fall"):
        ScheduleConfig(beta_start=0.5, beta_end=0.02)
    assert ScheduleConfig(beta_start=0.02, beta_end=0.02).beta_end == 0.02


def test_a_learning_rate_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        TrainingConfig(learning_rate=float("inf"))


def test_noise_and_data_follow_from_velocity_and_the_noisy_sample():
    schedule, at = NoiseSchedule(), torch.tensor([[0, 300, 999]])
    clean, noise = torch.randn(2, 4, 3, dtype=torch.float64)
    noisy, velocity = schedule.add_noise(clean, noise, at), schedule.velocity(clean, noise, at)
    signal, rest = schedule.alphas_cumprod[at].sqrt(), (1 - schedule.alphas_cumprod[at]).sqrt()
    torch.testing.assert_close(signal * velocity + rest * noisy, noise)
    torch.testing.assert_close(signal * noisy - rest * velocity, clean)
