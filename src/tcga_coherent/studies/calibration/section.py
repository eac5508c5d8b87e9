"""What the report shows of calibration, in the chapter of reconstruction."""

import numpy as np
import pandas as pd

from tcga_coherent.report.views import FigureView, Section, TableView


def over_all_types(table: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage of 50 and 90 % intervals over all cancer types.

    Few draws reach no such interval; then the header says what they would cover.
    """
    chosen = table[
        (table["measure"] == "coverage") & table["every_type"] & table["point"].isin([50, 90])
    ]
    return chosen.assign(
        interval=[
            f"{level:.0f} % interval"
            + ("" if np.isclose(nominal, level / 100) else f", reached: {nominal:.0%}")
            for level, nominal in zip(chosen["point"], chosen["nominal"], strict=True)
        ],
        covered=chosen["value"],
        covered_low=chosen["low"],
        covered_high=chosen["high"],
    )


SECTION = Section(
    views=(
        TableView(
            "calibration",
            "Calibration over all test patients: share of true values within central intervals of "
            "the draws. [ ] is the bootstrap interval over patients.",
            columns=("target", "method", "interval", "covered"),
            rows=over_all_types,
            across=("interval",),
        ),
        FigureView(
            "calibration",
            "Excess of coverage over the level of intervals, histogram of the rank of the truth "
            "among the draws, and error against predicted spread, a column a target.",
            "Calibration. Above: zero is honest. Middle: flat is honest. Below: on the dashed line "
            "the spread is as large as the error.",
        ),
        FigureView(
            "calibration_by_type",
            "Coverage of 50 and 90 % intervals, and spread over error, by cancer type and target.",
            "Calibration by cancer type.",
        ),
    ),
    command="--pipeline evaluation",
)
