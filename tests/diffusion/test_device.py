import pytest
import torch

from tcga_coherent.diffusion.device import memory_advice, resolve_device, resolve_precision


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


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "avx2": True}, torch.float32),
    ],
)
def test_auto_takes_bfloat16_where_the_cpu_has_instructions_for_it(
    capabilities, expected, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    cpu = torch.device("cpu")
    assert resolve_precision("auto", cpu) == expected
    assert resolve_precision("float32", cpu) == torch.float32
    assert resolve_precision("bfloat16", cpu) == torch.bfloat16


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_takes_bfloat16_where_the_card_does_not_emulate_it(native, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert resolve_precision("auto", torch.device("cuda")) == expected


@memory_advice("coherent_sampling.chunk_rows")
def fail_with(error):
    raise error


def test_lack_of_memory_is_told_with_the_parameter_to_lower_and_other_errors_are_not():
    with pytest.raises(MemoryError, match=r"lower coherent_sampling\.chunk_rows"):
        fail_with(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        fail_with(RuntimeError("shapes differ"))
