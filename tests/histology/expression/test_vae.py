from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as torch_divergence

from tcga_coherent.histology.expression.parameters import ExpressionParameters
from tcga_coherent.histology.expression.vae import BetaVAE, draw_codes, kl_divergence, train_vae

SMALL = ExpressionParameters(
    code_size=2, hidden=(16, 8), batch_size=32, max_epochs=40, warm_up_epochs=5, learning_rate=1e-2
)


def factors(n, seed):
    """Genes that two factors make, and some noise."""
    generator = torch.Generator().manual_seed(seed)
    loadings = torch.randn(2, 12, generator=torch.Generator().manual_seed(0))
    return torch.randn(n, 2, generator=generator) @ loadings + 0.1 * torch.randn(n, 12, generator=generator)  # fmt: skip


def test_the_divergence_is_that_of_torch():
    mean, log_variance = torch.randn(2, 5, 3)
    normal = Normal(mean, (log_variance / 2).exp())
    expected = torch_divergence(normal, Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(kl_divergence(mean, log_variance), expected, atol=1e-5)


def test_codes_are_drawn_with_their_mean_and_variance():
    drawn = draw_codes(torch.full((50_000,), 3.0), torch.full((50_000,), 4.0).log())
    assert drawn.mean().item() == pytest.approx(3, abs=0.05)
    assert drawn.std().item() == pytest.approx(2, rel=0.02)


def test_two_factors_are_found_and_the_best_weights_kept():
    vae, history = train_vae(factors(400, 1), factors(100, 2), SMALL)
    held_out = factors(200, 3)
    with torch.no_grad():
        error = (vae.decode(vae.encode(held_out)[0]) - held_out).square().mean().item()
    assert error < 0.25 * held_out.var().item()
    val = factors(100, 2)
    with torch.no_grad():
        kept = (vae.decode(vae.encode(val)[0]) - val).square().mean().item()
    assert kept == pytest.approx(history["val_error"].min(), rel=1e-5)


def test_a_large_beta_leaves_nothing_in_the_code():
    strong = replace(SMALL, beta=100.0)
    bound, free = (train_vae(factors(400, 1), factors(100, 2), p)[0] for p in (strong, SMALL))
    with torch.no_grad():
        spread, usual = (vae.encode(factors(50, 4))[0].std() for vae in (bound, free))
    assert spread < 0.2 * usual


def test_the_same_seed_gives_the_same_weights_and_leaves_torchs_state():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first = train_vae(factors(64, 1), factors(32, 2), SMALL)[1]
    assert torch.equal(torch.rand(1), expected)
    assert first.equals(train_vae(factors(64, 1), factors(32, 2), SMALL)[1])


def test_training_stops_when_nothing_improves():
    still = replace(SMALL, learning_rate=1e-12, patience=3)
    assert len(train_vae(factors(64, 1), factors(32, 2), still)[1]) < 12


def test_a_loss_that_is_not_finite_names_the_key():
    with pytest.raises(FloatingPointError, match=r"expression_vae\.learning_rate"):
        train_vae(factors(64, 1) * 1e30, factors(32, 2), SMALL)


def test_the_output_knows_no_bounds():
    vae = BetaVAE(3, (4,), 2)
    vae.out.weight.data.fill_(0)
    vae.out.bias.data = torch.tensor([-7.0, 0.0, 9.0])
    assert vae.eval().decode(torch.zeros(1, 2)).tolist() == [[-7.0, 0.0, 9.0]]
