import pandas as pd

from tcga_coherent.studies.rescue.section import changes_of_single_draws, summary

MODALITIES = {"cna": "CNA", "rnaseq": "RNA-Seq", "rppa": "RPPA"}


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


def rescue_row(removed, method, pooling, mean, std=0.01, low=-1.0):
    quantity = "drop_from_full" if method == "ablation" else "gain_over_ablation"
    return {
        **{"task": "stage", "metric": "macro_f1", "removed": removed, "method": method},
        **{"pooling": pooling, f"{quantity}_mean": mean, f"{quantity}_std": std},
        **{f"{quantity}_low": low, "score_mean": 0.5},
    }


def test_rescue_is_counted_where_ablation_costs_more_than_its_spread():
    table = pd.DataFrame(
        [
            rescue_row("none", "real", "point", 0.0),
            rescue_row("cna", "ablation", "point", -0.005),
            rescue_row("rppa", "ablation", "point", -0.2),
            rescue_row("rnaseq", "ablation", "point", -0.1),
            rescue_row("cna+rnaseq", "ablation", "point", -0.3),
            rescue_row("cna", "coherent", "draw", -0.1),
            rescue_row("rppa", "coherent", "draw", 0.1, low=0.05),
            rescue_row("rnaseq", "coherent", "draw", 0.1),
            rescue_row("cna+rnaseq", "coherent", "draw", -0.1),
            rescue_row("rppa", "coherent", "multiple", 0.1, low=0.05),
            rescue_row("rppa", "multi", "draw", 0.1, low=0.05),
            {**rescue_row("rppa", "ablation", "point", -0.2), "metric": "balanced_accuracy"},
        ]
    )
    assert summary(table, MODALITIES) == [
        "Stage (macro F1): leaving modalities missing costs more than its spread over repeats in 3 of "
        "4 patterns.",
        "Coherent Denoising, single draws, gains over that in 2 of 3, and for sure over patients in "
        "1; it does not where CNA + RNA-Seq are removed.",
        "Coherent Denoising, predictions pooled over draws, gains over that in 1 of 1, and for sure "
        "over patients in 1.",
    ]
