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
_LOW_24 = 0xFFFFFF


def _shift_right(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift; torch's own is arithmetic on signed integers."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: torch.Tensor) -> torch.Tensor:
    x = (x ^ _shift_right(x, 30)) * _MIX_1
    x = (x ^ _shift_right(x, 27)) * _MIX_2
    return x ^ _shift_right(x, 31)


def named_keys(seed: int, purpose: str, names: Sequence[str]) -> torch.Tensor:
    """Return one 64-bit key a name, shape (names,).

    Parameters
    ----------
    seed
        Seed of the run.
    purpose
        What the noise is for (the target modality, say); other purposes get independent noise.
    names
        Patients or models.
    """
    keys = [
        int.from_bytes(
            hashlib.blake2b(f"{seed}/{purpose}/{name}".encode(), digest_size=8).digest(),
            "little",
            signed=True,
        )
        for name in names
    ]
    return torch.tensor(keys, dtype=torch.int64)


def derive_keys(keys: torch.Tensor, index: torch.Tensor | int) -> torch.Tensor:
    """Return new keys for a sub-stream (draw, attempt or timestep) of `keys`."""
    counter = torch.as_tensor(index, dtype=torch.int64, device=keys.device) + 1
    return _mix(keys + counter * _GOLDEN)


def uniform_noise(keys: torch.Tensor) -> torch.Tensor:
    """Return one uniform number in (0, 1) a key, same shape, float32."""
    return _to_uniform(_mix(keys + _GOLDEN))


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
    radius = (-2.0 * _to_uniform(bits).log()).sqrt()
    angle = 2.0 * math.pi * _to_uniform(_shift_right(bits, 24))
    return torch.cat([radius * angle.cos(), radius * angle.sin()])[:n_features]


def _to_uniform(bits: torch.Tensor) -> torch.Tensor:
    # 24 bits fill the mantissa of a float; the half step keeps zero out, where log is not defined,
    # and one, to which float32 would round the last value.
    return ((bits & _LOW_24).float() + 0.5).clamp(max=_LOW_24) * 2.0**-24
