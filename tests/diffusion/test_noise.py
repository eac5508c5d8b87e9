import numpy as np
import torch
from scipy import stats

from tcga_coherent.diffusion.noise import derive_keys, named_keys, normal_noise, uniform_noise


def test_noise_of_a_patient_does_not_depend_on_the_batch():
    together = normal_noise(named_keys(0, "rnaseq", ["P1", "P2", "P3"]), 7)
    alone = normal_noise(named_keys(0, "rnaseq", ["P2"]), 7)
    torch.testing.assert_close(together[:, 1:2], alone, rtol=0, atol=0)


def test_seed_purpose_patient_draw_and_step_give_different_noise():
    base = named_keys(0, "rnaseq", ["P1"])
    others = [
        named_keys(1, "rnaseq", ["P1"]),
        named_keys(0, "wsi", ["P1"]),
        named_keys(0, "rnaseq", ["P2"]),
        derive_keys(base, 0),
        derive_keys(base, 1),
    ]
    noises = torch.cat([normal_noise(k, 1) for k in [base, *others]], dim=1)
    assert len(torch.unique(noises)) == 6


def test_noise_is_standard_normal_and_uncorrelated():
    keys = derive_keys(named_keys(0, "x", ["P1"]), torch.arange(40_000))
    noise = normal_noise(keys, 4).numpy()
    assert stats.kstest(noise.ravel(), "norm").pvalue > 0.01
    correlation = np.corrcoef(noise) - np.eye(4)
    assert np.abs(correlation).max() < 0.02
    lagged = np.corrcoef(noise[0, :-1], noise[0, 1:])[0, 1]
    assert abs(lagged) < 0.02
    assert np.isfinite(noise).all()


def test_uniform_noise_is_uniform_and_open():
    uniform = uniform_noise(torch.arange(100_000)).numpy()
    assert uniform.min() > 0
    assert uniform.max() < 1
    assert stats.kstest(uniform, "uniform").pvalue > 0.01
