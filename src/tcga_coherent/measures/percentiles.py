"""Where a patient stands among patients who had no part in a fit."""

import numpy as np
from numpy.typing import NDArray


def percentile_among(
    reference: NDArray[np.floating], values: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the percent of the references, and the patient, n + 1, that lie below, of the shape of `values`.

    Of patients like the references a percentile of at least q comes up in at most 100 - q percent, however few the
    references are (conformal prediction). NaN where there is none.

    Parameters
    ----------
    reference
        Ascending, shape (n,).
    values
        Of the patients.
    """
    if not len(reference):
        return np.full(len(values), np.nan)
    below: NDArray[np.float64] = 100.0 * np.searchsorted(reference, values) / (len(reference) + 1)
    return below
