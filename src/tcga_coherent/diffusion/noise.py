"""Gaussian noise that belongs to a patient, whatever batch the patient is in.

A counter-based generator: the noise is a pure function of a key and a counter, so it does not
depend on batch composition, chunk size or order, and a rejected draw can be given new noise alone.
The mixing function is SplitMix64 (Steele, Lea and Flood, 2014), the normals are Box-Muller's.
"""

import hashlib
import math
from collections.abc import Sequence

import torch

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)
_LOW_32 = 0xFFFFFFFF


def _shift_right(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift; torch's own is arithmetic on signed integers."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: torch.Tensor) -> torch.Tensor:
    x = (x ^ _shift_right(x, 30)) * _MIX_1
    x = (x ^ _shift_right(x, 27)) * _MIX_2
    return x ^ _shift_right(x, 31)


def patient_keys(seed: int, purpose: str, patients: Sequence[str]) -> torch.Tensor:
    """Return one 64-bit key a patient, shape (patients,).

    Parameters
    ----------
    seed
        Seed of the run.
    purpose
        What the noise is for (the target modality); other purposes get independent noise.
    patients
        Patient identifiers.
    """
    keys = [
        int.from_bytes(
            hashlib.blake2b(f"{seed}/{purpose}/{patient}".encode(), digest_size=8).digest(),
            "little",
            signed=True,
        )
        for patient in patients
    ]
    return torch.tensor(keys, dtype=torch.int64)


def derive_keys(keys: torch.Tensor, index: torch.Tensor | int) -> torch.Tensor:
    """Return new keys for a sub-stream (draw, attempt or timestep) of `keys`."""
    return _mix(keys + (index + 1) * _GOLDEN)


def normal_noise(keys: torch.Tensor, n_features: int) -> torch.Tensor:
    """Return standard normal noise, shape (n_features, rows), float32, one column a key.

    Parameters
    ----------
    keys
        Shape (rows,), int64.
    n_features
        Normals wanted of each key.
    """
    counters = torch.arange(1, (n_features + 1) // 2 + 1, device=keys.device).unsqueeze(1)
    bits = _mix(keys.unsqueeze(0) + counters * _GOLDEN)
    # 2^-33 keeps the uniform above zero, where the logarithm is not defined.
    radius_uniform = (bits & _LOW_32).to(torch.float64) * 2.0**-32 + 2.0**-33
    angle_uniform = _shift_right(bits, 32).to(torch.float64) * 2.0**-32
    radius = (-2.0 * radius_uniform.log()).sqrt().float()
    angle = (2.0 * math.pi * angle_uniform).float()
    return torch.cat([radius * angle.cos(), radius * angle.sin()])[:n_features]
