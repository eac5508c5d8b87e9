import numpy as np
import pytest
import torch

from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.sampling.samplers import DDIMSampler, DDPMSampler, DPMSolverSampler

SCHEDULE = LinearBeta()
MEAN, SD = 1.5, 0.4


def exact_noise(noisy: torch.Tensor, timestep: int) -> torch.Tensor:
    """Return E[eps | x_t] for data that are N(MEAN, SD^2)."""
    alpha_bar = SCHEDULE.alphas_cumprod[timestep].item()
    variance = alpha_bar * SD**2 + 1 - alpha_bar
    return (1 - alpha_bar) ** 0.5 * (noisy - alpha_bar**0.5 * MEAN) / variance


def run(sampler, rows: int = 20_000) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, generator=generator, dtype=torch.float64)
    for i, timestep in enumerate(sampler.timesteps):
        noise = torch.randn(rows, generator=generator, dtype=torch.float64)
        x = sampler.step(i, x, exact_noise(x, timestep), noise)
    return x


@pytest.mark.parametrize(
    ("sampler", "tolerance"),
    [
        (DDPMSampler(SCHEDULE), 0.02),
        (DDIMSampler(SCHEDULE, 1000, eta=1.0), 0.02),
        (DDIMSampler(SCHEDULE, 1000, eta=0.0), 0.02),
        (DDIMSampler(SCHEDULE, 50, eta=1.0, power=2.5), 0.08),
        (DDIMSampler(SCHEDULE, 50, eta=0.0, power=2.5), 0.04),
        (DPMSolverSampler(SCHEDULE, 40, power=2.5), 0.03),
        (DPMSolverSampler(SCHEDULE, 20, power=2.5, eta=0.0), 0.03),
    ],
    ids=["ddpm", "ddim-1000", "ddim-1000-ode", "ddim-50", "ddim-50-ode", "dpm-40", "dpm-20-ode"],
)
def test_samplers_draw_the_gaussian_whose_noise_they_are_given(sampler, tolerance):
    x = run(sampler)
    assert abs(x.mean().item() - MEAN) < tolerance
    assert abs(x.std().item() / SD - 1) < tolerance


def test_ddpm_step_is_the_papers_formula():
    t, noisy, estimate, noise = 500, torch.tensor(0.7), torch.tensor(-0.2), torch.tensor(1.1)
    alphas = 1 - SCHEDULE.betas
    alpha, alpha_bar = alphas[t].item(), alphas[: t + 1].prod().item()
    expected = (noisy - (1 - alpha) / (1 - alpha_bar) ** 0.5 * estimate) / alpha**0.5
    expected = expected + (1 - alpha) ** 0.5 * noise
    got = DDPMSampler(SCHEDULE).step(999 - t, noisy, estimate, noise)
    torch.testing.assert_close(got, expected)


def test_the_last_ddpm_step_alone_adds_no_noise():
    sampler = DDPMSampler(SCHEDULE)
    assert sampler.timesteps[-1] == 0
    noisy, estimate = torch.tensor([0.5]), torch.tensor([0.1])
    for visit, adds_noise in ((998, True), (999, False)):
        steps = [sampler.step(visit, noisy, estimate, torch.tensor([n])) for n in (-3.0, 3.0)]
        assert (steps[0] != steps[1]).item() == adds_noise


def test_ddim_with_all_steps_has_the_posterior_mean_and_variance_of_ho_et_al():
    sampler = DDIMSampler(SCHEDULE, 1000, eta=1.0)
    t = 400
    betas, alphas_cumprod = SCHEDULE.betas, SCHEDULE.alphas_cumprod
    noisy, clean = torch.tensor(0.3).double(), torch.tensor(-1.2).double()
    estimate = (noisy - alphas_cumprod[t].sqrt() * clean) / (1 - alphas_cumprod[t]).sqrt()
    # Ho et al. (2020), eq. 7.
    before = alphas_cumprod[t - 1]
    mean = (before.sqrt() * betas[t] * clean + (1 - betas[t]).sqrt() * (1 - before) * noisy) / (
        1 - alphas_cumprod[t]
    )
    variance = (1 - before) / (1 - alphas_cumprod[t]) * betas[t]
    zero, one = torch.tensor(0.0).double(), torch.tensor(1.0).double()
    got_mean = sampler.step(999 - t, noisy, estimate, zero)
    got_sd = sampler.step(999 - t, noisy, estimate, one) - got_mean
    torch.testing.assert_close(got_mean, mean)
    torch.testing.assert_close(got_sd**2, variance)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_a_dpm_solver_step_solves_the_reverse_process_of_a_clean_estimate_linear_in_lambda(eta):
    # Uneven strides, so that the slope must be taken over the right one.
    sampler = DPMSolverSampler(SCHEDULE, 6, power=2.5, eta=eta)
    alpha_bar = SCHEDULE.alphas_cumprod[sampler.timesteps]
    log_snr = (0.5 * (alpha_bar / (1 - alpha_bar)).log()).tolist()
    alpha, sigma = alpha_bar.sqrt().tolist(), (1 - alpha_bar).sqrt().tolist()
    noisy, noise = torch.tensor(0.4).double(), torch.tensor(-0.9).double()

    def step(i: int, noise: torch.Tensor) -> float:
        clean = 0.7 + 0.2 * log_snr[i]
        return sampler.step(i, noisy, (noisy - alpha[i] * clean) / sigma[i], noise).item()

    step(0, noise)
    step(1, noise)
    expected_clean = 0.7 + 0.2 * (log_snr[2] + log_snr[3]) / 2
    # dy = (-eta^2 y + (1 + eta^2) e^lambda x_0) dlambda + sqrt(2) eta dw, with y = x / sigma and
    # the clean estimate of the middle of the step.
    stride = log_snr[3] - log_snr[2]
    grid = np.linspace(0.0, stride, 20_001)
    decay = np.exp(-(eta**2) * (stride - grid))
    drift = np.trapezoid(decay * (1 + eta**2) * np.exp(log_snr[2] + grid) * expected_clean, grid)
    variance = np.trapezoid(2 * eta**2 * decay**2, grid)
    y = decay[0] * noisy.item() / sigma[2] + drift + variance**0.5 * noise.item()
    assert step(2, noise) == pytest.approx(sigma[3] * y, rel=1e-6)


def test_a_deterministic_sampler_ignores_noise():
    for sampler in (DDIMSampler(SCHEDULE, 5, eta=0.0), DPMSolverSampler(SCHEDULE, 5, eta=0.0)):
        noisy, estimate = torch.tensor([0.5]), torch.tensor([0.1])
        steps = [sampler.step(0, noisy, estimate, torch.tensor([n])) for n in (-3.0, 3.0)]
        torch.testing.assert_close(steps[0], steps[1], rtol=0, atol=0)
