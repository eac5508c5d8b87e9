import pandas as pd

from tcga_coherent.report.selections import (
    all_targets,
    best_checkpoints,
    changes_of_single_draws,
    from_all_sources,
    of_the_paper,
    over_all_types,
    quarters,
)


def test_table1_keeps_what_the_paper_has():
    table = pd.DataFrame(
        {
            "method": ["single", "multi", "coherent", "coherent", "ridge"],
            "source": ["cna", "cna", "cna+rppa", "cna+rppa+wsi", "cna+rppa+wsi"],
        }
    )
    assert list(of_the_paper(table).index) == [0, 3, 4]
    assert list(from_all_sources(table).index) == [3, 4]


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


def test_table2_puts_gains_beside_what_ablation_costs():
    def row(removed, method, pooling, metric="macro_f1", **values):
        key = {"task": "stage", "metric": metric, "removed": removed, "method": method}
        return {**key, "pooling": pooling, **values}

    table = pd.DataFrame(
        [
            row("none", "real", "point", score_mean=0.5),
            row("cna", "ablation", "point", drop_from_full_mean=-0.25),
            row("cna", "ablation", "point", "balanced_accuracy", drop_from_full_mean=-0.75),
            row("cna", "coherent", "draw", gain_over_ablation_mean=0.125, drop_from_full_mean=-0.5),
            row("cna", "coherent", "multiple", gain_over_ablation_mean=0.5),
            row("cna", "knn", "point", gain_over_ablation_mean=0.5),
        ]
    )
    table["paper_drop_from_full_mean"] = [None, -0.01, None, None, None, None]
    table["paper_gain_over_ablation_mean"] = [None, None, None, 0.02, None, None]
    changes = changes_of_single_draws(table)
    assert changes.to_dict("list") == {
        "task": ["stage", "stage"],
        "removed": ["cna", "cna"],
        "method": ["ablation", "coherent"],
        "change_mean": [-0.25, 0.125],
        "paper_change_mean": [-0.01, 0.02],
    }


def test_of_each_model_the_last_best_checkpoint_is_shown():
    table = pd.DataFrame(
        {"model": ["a", "a", "a", "b"], "step": [1, 2, 3, 1], "best": [True, True, False, True]}
    )
    assert list(best_checkpoints(table)["step"]) == [2, 1]


def test_curves_are_shown_at_quarters():
    table = pd.DataFrame({"ratio": [0.0, 0.05, 0.25, 0.7, 0.7499999999, 1.0, None]})
    assert list(quarters(table)["measured"]) == [
        "0 % measured",
        "25 % measured",
        "75 % measured",
        "100 % measured",
    ]


def test_attacks_are_shown_on_all_targets_together():
    table = pd.DataFrame({"target": ["cna", "all"], "value": [0.5, 0.75]})
    assert list(all_targets(table)["value"]) == [0.75]
