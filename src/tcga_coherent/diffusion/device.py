"""Choice of the device that numerical work runs on."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tcga_coherent.diffusion.config import Precision

BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")

logger = logging.getLogger(__name__)


def resolve_device(name: str) -> torch.device:
    """Return the device that the parameter ``compute.device`` asks for.

    Parameters
    ----------
    name
        ``auto`` (CUDA where there is a card, else CPU), ``cpu``, ``cuda`` or ``cuda:<index>``.

    Raises
    ------
    ValueError
        When the name is unknown, or asks for a CUDA card that is not there.
    """
    if name == "auto":
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        logger.info("compute.device is auto: using %s", device)
        return device
    if re.fullmatch(r"cpu|cuda(:\d+)?", name) is None:
        raise ValueError(f"compute.device is {name!r}: use auto, cpu, cuda or cuda:<index>.")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"compute.device is {name!r}, but torch {torch.__version__} sees "
            f"{torch.cuda.device_count()} CUDA cards here. Set compute.device to cpu or auto, or "
            f"install a torch build with CUDA."
        )
    return device


@contextmanager
def memory_advice(parameter: str) -> Iterator[None]:
    """Say which parameter to lower where the device has no memory for what is computed.

    Parameters
    ----------
    parameter
        Key of the parameter that decides how much is computed at a time.

    Raises
    ------
    MemoryError
        In place of torch's errors, of which that of the CPU has no type of its own.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate" not in str(error):
            raise
        raise MemoryError(
            f"The memory of the device is not enough: lower {parameter}, or use a machine with more."
        ) from error


def resolve_precision(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the type of matrix products.

    Parameters
    ----------
    precision
        ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the device has instructions for it.
    device
        Where they are computed.
    """
    if precision == "auto":
        if device.type == "cuda":
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            capabilities = torch.cpu.get_capabilities()
            fast = any(capabilities.get(name) for name in BFLOAT16_INSTRUCTIONS)
        precision = "bfloat16" if fast else "float32"
    return torch.bfloat16 if precision == "bfloat16" else torch.float32
