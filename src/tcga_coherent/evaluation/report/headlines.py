"""The numbers that the summary of the report names first."""

from collections.abc import Callable, Mapping

import pandas as pd

from tcga_coherent.evaluation.calibration_table import calibration_lines
from tcga_coherent.evaluation.coherence_error import coherence_lines
from tcga_coherent.evaluation.reconstruction import summary_lines
from tcga_coherent.evaluation.report.parts import Parts

# Table to the function that says in sentences what it shows.
HEADLINES: Mapping[str, Callable[[pd.DataFrame], list[str]]] = {
    "table1_reconstruction": summary_lines,
    "calibration": calibration_lines,
    "coherence_error": coherence_lines,
}


def headlines(parts: Parts) -> list[str]:
    """Return the sentences of all tables that exist.

    Parameters
    ----------
    parts
        Tables.
    """
    return [
        line
        for name, lines in HEADLINES.items()
        if name in parts.tables
        for line in lines(parts.tables[name]())
    ]
