import pandas as pd

from tcga_coherent.studies.calibration.section import over_all_types


def test_calibration_keeps_two_levels_over_all_types():
    table = pd.DataFrame(
        {
            "measure": ["coverage", "coverage", "coverage", "coverage", "spread_skill"],
            # A cancer type of the name that the row over all of them usually has.
            "cancer_type": ["(all)", "(all)", "(all)", "all", "(all)"],
            "every_type": [True, True, True, False, True],
            "point": [50, 80, 90, 90, 50],
            # As few draws as these reach less than 90 %.
            "nominal": [0.5, 0.8, 0.8, 0.8, 1.0],
            "value": [0.51, 0.8, 0.92, 0.9, 1.0],
            "low": 0.25,
            "high": 0.75,
        }
    )
    chosen = over_all_types(table)
    assert list(chosen["interval"]) == ["50 % interval", "90 % interval, reached: 80%"]
    assert list(chosen["covered"]) == [0.51, 0.92]
