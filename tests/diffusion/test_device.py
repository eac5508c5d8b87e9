import pytest
import torch

from tcga_coherent.diffusion.device import resolve_device


def test_auto_uses_the_cpu_where_there_is_no_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


def test_cuda_without_a_card_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(
        ValueError, match=r"compute.device is 'cuda', but torch .* sees 0 CUDA cards"
    ):
        resolve_device("cuda")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "mps"])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(ValueError, match=f"compute.device is '{name}': use auto, cpu, cuda"):
        resolve_device(name)
