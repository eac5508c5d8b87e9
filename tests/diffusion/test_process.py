from dataclasses import asdict, replace
from typing import Literal

import numpy as np
import pytest
import torch
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion import config as config_module
from tcga_coherent.diffusion.checkpoints import describe_denoiser, load_denoiser
from tcga_coherent.diffusion.config import SamplingConfig, TrainingConfig, parse_process
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.noise import named_keys
from tcga_coherent.diffusion.process import Process
from tcga_coherent.diffusion.sampling.ensemble import Ensemble
from tcga_coherent.diffusion.sampling.samplers import DDIMSampler, DDPMSampler, DPMSolverSampler
from tcga_coherent.diffusion.training.tasks import single_tasks
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape

CPU = torch.device("cpu")
SAMPLERS = [
    pytest.param(DDPMSampler, id="ddpm"),
    pytest.param(lambda process: DDIMSampler(process, 1000, eta=1.0), id="ddim"),
    pytest.param(lambda process: DDIMSampler(process, 1000, eta=0.0), id="ddim-ode"),
    pytest.param(lambda process: DPMSolverSampler(process, 40, power=1.5), id="dpm"),
    pytest.param(lambda process: DPMSolverSampler(process, 40, power=1.5, eta=0.0), id="dpm-ode"),
]


def test_betas_rise_linearly_between_the_papers_limits():
    betas = LinearBeta().betas
    assert len(betas) == 1000
    assert betas[0].item() == 1e-4
    assert betas[-1].item() == 0.02
    torch.testing.assert_close(betas.diff(), torch.full((999,), (0.02 - 1e-4) / 999).double())


def test_adding_noise_step_by_step_equals_the_direct_formula():
    process = LinearBeta(n_timesteps=5, beta_start=0.1, beta_end=0.3)
    # Means and variances of repeated x <- sqrt(1 - beta) x + sqrt(beta) eps.
    signal, variance = 1.0, 0.0
    for beta in process.betas.tolist():
        signal, variance = signal * (1 - beta) ** 0.5, variance * (1 - beta) + beta
    last = torch.tensor([[4]])
    one, zero = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    assert abs(process.add_noise(one, zero, last).item() - signal) < 1e-12
    assert abs(process.add_noise(zero, one, last).item() ** 2 - variance) < 1e-12


def test_a_process_whose_noise_falls_is_refused():
    with pytest.raises(ValueError, match=r"beta_start is 0\.5 and beta_end 0\.02.*must not fall"):
        LinearBeta(beta_start=0.5, beta_end=0.02)
    assert LinearBeta(beta_start=0.02, beta_end=0.02).beta_end == 0.02


def test_a_learning_rate_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        TrainingConfig(learning_rate=float("inf"))


@dataclass(frozen=True)
class StraightLine(Process):
    """A path of one's own, that of flow matching."""

    n_timesteps: int = 1000
    kind: Literal["straight_line"] = "straight_line"

    @property
    def sigma(self) -> torch.Tensor:
        return torch.arange(1, self.n_timesteps + 1).double() / (self.n_timesteps + 1)

    @property
    def alpha(self) -> torch.Tensor:
        return 1.0 - self.sigma


PROCESSES = pytest.mark.parametrize("process", [LinearBeta(), StraightLine()], ids=lambda p: p.kind)


@PROCESSES
def test_noise_follows_from_velocity_and_the_noisy_sample(process):
    clean, noise = torch.randn(2, 4, 3, dtype=torch.float64)
    for timestep in (0, 300, 999):
        at = torch.tensor([[timestep]])
        noisy, velocity = process.add_noise(clean, noise, at), process.velocity(clean, noise, at)
        torch.testing.assert_close(process.noise_of(velocity, noisy, timestep), noise)


@PROCESSES
def test_the_noise_expected_of_standard_normal_data_is_their_regression(process):
    rng = np.random.default_rng(0)
    clean, noise = (torch.from_numpy(values) for values in rng.standard_normal((2, 200_000)))
    for timestep in (50, 500, 950):
        noisy = process.add_noise(clean, noise, torch.tensor(timestep))
        slope = float(noisy @ noise / (noisy @ noisy))
        expected = process.expected_noise(torch.ones(1), timestep).item()
        assert slope == pytest.approx(expected, abs=0.01)


def test_the_sum_of_squares_of_the_papers_path_is_one():
    process = LinearBeta()
    torch.testing.assert_close(process.alpha**2 + process.sigma**2, torch.ones(1000).double())
    torch.testing.assert_close(process.alpha**2, process.alphas_cumprod)


@PROCESSES
@pytest.mark.parametrize("make", SAMPLERS)
def test_samplers_follow_any_path_to_the_data(make, process):
    """Data are N(1.5, 0.4^2), and so is what is drawn; the noise that is expected of them is known."""
    mean, sd = 1.5, 0.4
    sampler = make(process)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20_000, generator=generator, dtype=torch.float64)
    alpha, sigma = process.level(sampler.timesteps[0])
    x = alpha * mean + (alpha**2 * sd**2 + sigma**2) ** 0.5 * x
    for i, timestep in enumerate(sampler.timesteps):
        alpha, sigma = process.level(timestep)
        estimate = sigma * (x - alpha * mean) / (alpha**2 * sd**2 + sigma**2)
        noise = torch.randn(20_000, generator=generator, dtype=torch.float64)
        x = sampler.step(i, x, estimate, noise)
    assert abs(x.mean().item() - mean) < 0.03
    assert abs(x.std().item() / sd - 1) < 0.06


def test_a_path_of_ones_own_is_named_in_parameters_and_checkpoints(
    monkeypatch, latents, split, quick
):
    """From the parameters through training, checkpoint and sampling."""
    monkeypatch.setitem(config_module.PROCESSES, "straight_line", StraightLine)
    config = TrainingConfig(
        **{**vars(quick), "process": {"kind": "straight_line", "n_timesteps": 400}}
    )
    assert config.process == StraightLine(n_timesteps=400)
    ((shape, tasks),) = group_by_shape(
        single_tasks(latents, split, ["a"]), replace(config, max_steps=600, batch_size=128)
    ).items()
    trainer = StackTrainer(tasks, shape, replace(config, max_steps=600, batch_size=128), CPU)
    for _ in trainer.train():
        pass
    prints = dict.fromkeys("abc", "")
    loaded = []
    for trained in trainer.results():
        description = describe_denoiser(trained, config, prints, prints)
        assert description["process"] == asdict(config.process)
        loaded.append(load_denoiser(trained.weights, description, "latents", prints, CPU))
    patients = split.index[split == "test"]
    values = {name: torch.from_numpy(latents[name].loc[patients].to_numpy()) for name in "abc"}
    drawn = Ensemble(loaded, SamplingConfig(n_draws=20, weights="equal", recalibrate=False)).draw(
        {name: values[name] for name in "bc"}, named_keys(0, "a", list(patients))
    )
    error = (drawn.latents.mean(dim=1) - values["a"]).square().mean()
    assert error < 0.6 * values["a"].square().mean()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "cubic"}, r"process\.kind: cubic is none of linear_beta"),
        ({"n_timesteps": 1}, r"process\.n_timesteps: .*greater than or equal to 2"),
        ({"beta_stop": 1}, r"process\.beta_stop: Unexpected"),
        (5, "process must be a mapping, got 5"),
    ],
)
def test_a_bad_process_is_refused_by_its_key(settings, message):
    with pytest.raises(ValueError, match=message):
        parse_process(settings)
