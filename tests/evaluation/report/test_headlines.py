import pandas as pd

from tcga_coherent.evaluation.report.headlines import headlines
from tcga_coherent.evaluation.report.parts import Parts

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


def test_absent_tables_are_not_summed_up():
    assert say() == []
