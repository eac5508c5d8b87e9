"""Random numbers that do not depend on what else is simulated."""

from zlib import crc32

import numpy as np


def random_stream(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of one named part of the simulation.

    Parts draw from generators of their own, so that a further modality leaves the values of the
    others as they are.

    Parameters
    ----------
    seed
        Seed of the simulation.
    names
        What the numbers are for, such as ``"loadings", "rnaseq"``.
    """
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])
