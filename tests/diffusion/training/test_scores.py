import torch

from tcga_coherent.diffusion.training.scores import draw_mse, energy_score


def test_energy_score_equals_the_double_sum():
    torch.manual_seed(0)
    draws, truth = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4)
    got = energy_score(draws, truth)
    for m in range(2):
        for p in range(4):
            xs, y = draws[m, :, p], truth[m, :, p]
            to_truth = sum((xs[:, k] - y).norm() for k in range(5)) / 5
            between = sum((xs[:, k] - xs[:, j]).norm() for k in range(5) for j in range(5)) / 20
            torch.testing.assert_close(got[m, p], to_truth - 0.5 * between)


def test_energy_score_prefers_the_true_spread_where_mse_prefers_none():
    torch.manual_seed(0)
    truth = torch.randn(1, 4, 2000)
    scores = {
        spread: (
            energy_score(spread * torch.randn(1, 4, 2000, 8), truth).mean(),
            draw_mse(spread * torch.randn(1, 4, 2000, 8), truth).mean(),
        )
        for spread in (0.1, 1.0, 2.0)
    }
    assert scores[1.0][0] < min(scores[0.1][0], scores[2.0][0])
    assert scores[0.1][1] < scores[1.0][1]
