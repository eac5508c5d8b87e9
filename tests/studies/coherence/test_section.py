import pandas as pd

from tcga_coherent.studies.coherence.section import summary

MODALITIES = {"cna": "CNA", "rnaseq": "RNA-Seq", "rppa": "RPPA"}


def test_exchanged_modalities_are_summed_up_by_the_mean_over_sources():
    table = pd.DataFrame(
        {
            "target": ["cna", "cna", "cna", "rppa"],
            "measure": ["auroc", "auroc", "auroc", "spearman"],
            "statistic": ["disagreement", "disagreement", "cosine_distance", "disagreement"],
            "value": [0.75, 0.25, 0.9, 0.1],
        }
    )
    (sentence,) = summary(table, MODALITIES)
    assert sentence.endswith("by the modality generated: CNA 0.50.")
    assert summary(table[table["measure"] != "auroc"], MODALITIES) == []
