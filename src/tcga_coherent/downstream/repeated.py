"""Repeats of a study of downstream models, each with forests and draws of its own."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from tcga_coherent.repeats import Stored, identity_of, run_repeats


def repeat_study(
    name: str,
    predict: Callable[..., pd.DataFrame],
    n_repeats: int,
    stored: Stored,
    workers: int,
    **inputs: Any,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Run ``predict(repeat, **inputs)`` for every repeat that is not stored yet.

    Parameters
    ----------
    name
        Study, for the log.
    predict
        Function of a module.
    n_repeats
        Number of repeats.
    stored, workers
        As in :func:`tcga_coherent.repeats.run_repeats`, whose results are yielded.
    inputs
        Everything that the predictions depend on besides the number of the repeat.
    """
    identity = identity_of(name, *inputs.values())
    experiment = partial(predict, **inputs)
    yield from run_repeats(experiment, range(n_repeats), identity, stored, workers, name)
