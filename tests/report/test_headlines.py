import pandas as pd

from tcga_coherent.report.headlines import headlines
from tcga_coherent.report.parts import Parts

MODALITIES = {"cna": "CNA", "rnaseq": "RNA-Seq", "rppa": "RPPA"}


def table1():
    rows = [
        ("cna", "single", "rnaseq", 0.9, 0.99),
        ("cna", "multi", "rnaseq+rppa", 0.2, 0.5),
        ("cna", "coherent", "rnaseq+rppa", 0.3, 0.886),
        ("cna", "ridge", "rnaseq+rppa", -0.1, 0.5),
        ("cna", "ridge", "rnaseq", 0.7, 0.5),
        ("rppa", "coherent", "cna+rnaseq", 0.4, 0.904),
        ("rppa", "multi", "cna+rnaseq", 0.5, 0.5),
        ("rppa", "ridge", "cna+rnaseq", 0.6, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["target", "method", "source", "r2_of_mean", "coverage_90"])
    return table.assign(
        r2_of_mean_low=table["r2_of_mean"] - 0.05, r2_of_mean_high=table["r2_of_mean"] + 0.05
    )


def say(**tables):
    return headlines(
        Parts("demo", {name: lambda t=table: t for name, table in tables.items()}, {}), MODALITIES
    )


def test_reconstruction_is_summed_up_by_what_uses_all_sources():
    assert say(table1_reconstruction=table1()) == [
        "CNA from all other modalities, R²: Coherent Denoising 0.300 [0.250, 0.350]; "
        "Multi-condition 0.200 [0.150, 0.250]; Ridge −0.100 [−0.150, −0.050].",
        "RPPA from all other modalities, R²: Coherent Denoising 0.400 [0.350, 0.450]; "
        "Multi-condition 0.500 [0.450, 0.550]; Ridge 0.600 [0.550, 0.650].",
        "90 % intervals of Coherent Denoising hold 88.6 to 90.4 % of the true values, by modality.",
    ]


def test_two_modalities_which_have_no_ensemble_are_summed_up_without_it():
    table = table1()
    table = table[table["source"] == "rnaseq"]
    assert say(table1_reconstruction=table) == [
        "CNA from all other modalities, R²: Ridge 0.700 [0.650, 0.750]."
    ]


def test_exchanged_modalities_are_summed_up_by_the_mean_over_sources():
    table = pd.DataFrame(
        {
            "target": ["cna", "cna", "cna", "rppa"],
            "measure": ["auroc", "auroc", "auroc", "spearman"],
            "statistic": ["disagreement", "disagreement", "cosine_distance", "disagreement"],
            "value": [0.75, 0.25, 0.9, 0.1],
        }
    )
    (sentence,) = say(coherence_error=table)
    assert sentence.endswith("by the modality generated: CNA 0.50.")
    assert say(coherence_error=table[table["measure"] != "auroc"]) == []


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
    assert say(table2_rescue=table) == [
        "Stage (macro F1): leaving modalities missing costs more than its spread over repeats in 3 of "
        "4 patterns.",
        "Coherent Denoising, single draws, gains over that in 2 of 3, and for sure over patients in "
        "1; it does not where CNA + RNA-Seq are removed.",
        "Coherent Denoising, predictions pooled over draws, gains over that in 1 of 1, and for sure "
        "over patients in 1.",
    ]


def test_acquisition_is_summed_up_for_the_coherent_orders():
    rows = [
        ("stage", "cna", "missing", "coherent", 0.01, 0.002, 0.02, "yes"),
        ("stage", "rppa", "missing", "coherent", -0.01, -0.03, 0.02, "undecided"),
        ("stage", "rppa", "missing", "coherent_expected_change", 0.03, -0.01, 0.05, "undecided"),
        ("stage", "cna", "missing", "oracle", 0.5, 0.4, 0.6, "yes"),
        ("survival", "cna", None, None, None, None, None, None),
    ]
    columns = ["task", "modality", "unacquired", "strategy"]
    columns += ["area_mean", "area_low", "area_high", "above_random"]
    assert say(counterfactual_area=pd.DataFrame(rows, columns=columns)) == [
        "Stage, acquisition informed by coherent counterfactuals while the modality of the others is "
        "missing; area above random order where its interval is above zero, of 2 modalities: by "
        "their variance for CNA 0.010 [0.002, 0.020]; by the expected change for none."
    ]


def test_absent_tables_are_not_summed_up():
    assert say() == []


def test_a_table_of_another_version_is_named():
    assert say(table2_rescue=pd.DataFrame({"task": ["stage"]})) == [
        "table2_rescue.csv was made by another version: it has no column 'metric'."
    ]


def test_an_error_in_a_sentence_is_told_and_costs_no_other():
    exchanged = {"measure": "auroc", "statistic": "disagreement", "target": "cna", "value": 0.75}
    tables = {
        "table1_reconstruction": table1().assign(target="methylation"),
        "coherence_error": pd.DataFrame([exchanged]),
    }
    reason, other = say(**tables)
    assert (
        reason == "The summary of table1_reconstruction could not be made: KeyError: 'methylation'."
    )
    assert other.endswith("by the modality generated: CNA 0.75.")
