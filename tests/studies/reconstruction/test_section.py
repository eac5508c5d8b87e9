import pandas as pd

from tcga_coherent.studies.reconstruction.section import from_all_sources, of_the_paper, summary

MODALITIES = {"cna": "CNA", "rnaseq": "RNA-Seq", "rppa": "RPPA"}


def test_table1_keeps_what_the_paper_has():
    table = pd.DataFrame(
        {
            "method": ["single", "multi", "coherent", "coherent", "ridge_features"],
            "source": ["cna", "cna", "cna+rppa", "cna+rppa+wsi", "cna+rppa+wsi"],
        }
    )
    assert list(of_the_paper(table).index) == [0, 3, 4]
    assert list(from_all_sources(table).index) == [3, 4]


def table1():
    rows = [
        ("cna", "single", "rnaseq", 0.9, 0.99),
        ("cna", "multi", "rnaseq+rppa", 0.2, 0.5),
        ("cna", "coherent", "rnaseq+rppa", 0.3, 0.886),
        ("cna", "ridge_features", "rnaseq+rppa", -0.1, 0.5),
        ("cna", "ridge_features", "rnaseq", 0.7, 0.5),
        ("rppa", "coherent", "cna+rnaseq", 0.4, 0.904),
        ("rppa", "multi", "cna+rnaseq", 0.5, 0.5),
        ("rppa", "ridge_features", "cna+rnaseq", 0.6, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["target", "method", "source", "r2_of_mean", "coverage_90"])
    return table.assign(
        r2_of_mean_low=table["r2_of_mean"] - 0.05, r2_of_mean_high=table["r2_of_mean"] + 0.05
    )


def test_reconstruction_is_summed_up_by_what_uses_all_sources():
    assert summary(table1(), MODALITIES) == [
        "CNA from all other modalities, R²: Coherent Denoising 0.300 [0.250, 0.350]; "
        "Multi-condition 0.200 [0.150, 0.250]; Ridge on features −0.100 [−0.150, −0.050].",
        "RPPA from all other modalities, R²: Coherent Denoising 0.400 [0.350, 0.450]; "
        "Multi-condition 0.500 [0.450, 0.550]; Ridge on features 0.600 [0.550, 0.650].",
        "90 % intervals of Coherent Denoising hold 88.6 to 90.4 % of the true values, by modality.",
    ]


def test_two_modalities_which_have_no_ensemble_are_summed_up_without_it():
    table = table1()
    table = table[table["source"] == "rnaseq"]
    assert summary(table, MODALITIES) == [
        "CNA from all other modalities, R²: Ridge on features 0.700 [0.650, 0.750]."
    ]
