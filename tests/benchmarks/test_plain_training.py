import numpy as np
import pytest
import torch
from torch.nn import functional

import plain_training
from plain_denoiser import PlainDenoiser
from plain_training import PairRows, PlainBudget, train_plain
from tcga_coherent.diffusion.denoiser import DenoiserShape
from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.training.tasks import DenoiserTask, Rows

SHAPE = DenoiserShape(
    target_dim=2,
    condition_dims=(2,),
    hidden_dim=32,
    n_layers=2,
    time_dim=8,
    condition_dim=4,
    prediction="noise",
)
SCHEDULE = LinearBeta(n_timesteps=50, beta_start=1e-3, beta_end=0.2)
CPU = torch.device("cpu")


def make_rows(n_rows: int, seed: int) -> Rows:
    condition = np.random.default_rng(seed).standard_normal((n_rows, 2)).astype(np.float32)
    return Rows(condition[:, ::-1].copy(), (condition,), np.ones((n_rows, 1), dtype=bool))


@pytest.fixture
def task() -> DenoiserTask:
    return DenoiserTask("b_from_a", "b", ("a",), make_rows(200, 0), make_rows(50, 1))


def noise_error(model: PlainDenoiser, rows: Rows) -> float:
    """Error of the noise estimate at a low noise level, where the condition tells all."""
    generator = torch.Generator().manual_seed(0)
    clean = torch.from_numpy(rows.target)
    noise = torch.randn(clean.shape, generator=generator)
    timesteps = torch.full((len(clean),), 25)
    noisy = SCHEDULE.add_noise(clean, noise, timesteps.unsqueeze(1))
    with torch.no_grad():
        predicted = model(noisy, timesteps, torch.from_numpy(rows.conditions[0]))
    return float(functional.mse_loss(predicted, noise))


def test_rows_are_handed_out_one_at_a_time(task: DenoiserTask) -> None:
    rows = PairRows(task.train)
    target, condition = rows[7]
    assert len(rows) == 200
    assert target.tolist() == task.train.target[7].tolist()
    assert condition.tolist() == task.train.conditions[0][7].tolist()


def test_the_plain_loop_learns_the_noise(task: DenoiserTask) -> None:
    budget = PlainBudget(max_steps=600, every=100, patience=10)
    run = train_plain(
        task, SHAPE, SCHEDULE, budget, lambda m: noise_error(m, task.validation), CPU, seed=0
    )
    # The noise is all that is unknown: an estimate of nothing has an error of 1.
    assert run.best_score < 0.2
    assert noise_error(run.model, task.validation) == run.best_score


def test_training_stops_when_patience_is_spent(task: DenoiserTask) -> None:
    scores = iter([3.0, 1.0, 2.0, 2.0, 0.0])
    budget = PlainBudget(max_steps=1000, every=5, patience=2)
    run = train_plain(task, SHAPE, SCHEDULE, budget, lambda _: next(scores), CPU, seed=0)
    assert [step for step, _, _ in run.curve] == [5, 10, 15, 20]
    assert run.best_score == 1.0
    assert run.seconds_to_best == run.curve[1][1]


def test_training_stops_when_its_steps_are_spent(task: DenoiserTask) -> None:
    budget = PlainBudget(max_steps=7, every=5, patience=9)
    run = train_plain(task, SHAPE, SCHEDULE, budget, lambda _: 1.0, CPU, seed=0)
    assert [step for step, _, _ in run.curve] == [5, 7]


def test_the_time_of_validation_is_not_counted(
    task: DenoiserTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock that reading advances by one second, and a validation by a hundred.
    now = [0.0]

    def tick(_: torch.device) -> float:
        now[0] += 1.0
        return now[0]

    def slow_score(_: PlainDenoiser) -> float:
        now[0] += 100.0
        return 1.0

    monkeypatch.setattr(plain_training, "seconds", tick)
    budget = PlainBudget(max_steps=4, every=1, patience=9)
    run = train_plain(task, SHAPE, SCHEDULE, budget, slow_score, CPU, seed=0)
    assert [spent for _, spent, _ in run.curve] == [1.0, 2.0, 3.0, 4.0]


def test_the_best_weights_are_kept_not_the_last(task: DenoiserTask) -> None:
    kept = []

    def score(model: PlainDenoiser) -> float:
        kept.append({name: value.clone() for name, value in model.state_dict().items()})
        return [2.0, 1.0, 3.0][len(kept) - 1]

    budget = PlainBudget(max_steps=9, every=3, patience=9)
    run = train_plain(task, SHAPE, SCHEDULE, budget, score, CPU, seed=0)
    for name, value in run.model.state_dict().items():
        assert torch.equal(value, kept[1][name])
    assert not torch.equal(run.model.output.weight, kept[2]["output.weight"])
