import pandas as pd

from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.omics.patients.tumours import choose_tumours, other_tumours

TYPES = pd.Series(
    {f"TCGA-AA-000{number}": "SKCM" for number in range(6)} | {"TCGA-BB-0001": "BRCA"}
)
RULE = BarcodeRule()


def index(*samples: str) -> pd.Index:
    return pd.Index([f"TCGA-{sample}" for sample in samples])


def test_the_sample_type_of_most_modalities_is_taken_and_the_primary_of_equals() -> None:
    modalities = {
        "cna": index("AA-0000-01A", "AA-0001-01A", "AA-0002-06A", "AA-0003-01A", "AA-0003-06A"),
        "rnaseq": index("AA-0000-06A", "AA-0001-06A", "AA-0002-06A", "AA-0003-06A"),
        "wsi": index("AA-0001-06Z-00-DX1", "AA-0002-06Z-00-DX1", "AA-0003-06Z-00-DX1"),
    }
    chosen = choose_tumours(modalities, TYPES, RULE)
    assert chosen.to_dict() == {"TCGA-AA-0000": "01", "TCGA-AA-0001": "06", "TCGA-AA-0003": "06"}
    assert list(other_tumours(modalities["cna"], chosen, RULE)) == [
        "TCGA-AA-0001-01A",
        "TCGA-AA-0003-01A",
    ]
    assert list(other_tumours(modalities["rnaseq"], chosen, RULE)) == ["TCGA-AA-0000-06A"]
    assert not len(other_tumours(modalities["wsi"], chosen, RULE))


def test_patients_of_one_tumour_and_other_cancer_types_are_left_as_they_are() -> None:
    modalities = {
        "cna": index("BB-0001-01A", "BB-0001-06A", "AA-0004-06A"),
        "rnaseq": index("BB-0001-06A", "AA-0004-06A", "AA-0005-01A"),
    }
    chosen = choose_tumours(modalities, TYPES, RULE)
    assert chosen.empty
    assert not any(len(other_tumours(each, chosen, RULE)) for each in modalities.values())


def test_a_metastasis_beside_the_primary_tumour_of_its_modality_is_left_to_the_usual_rule() -> None:
    modalities = {"cna": index("AA-0001-01A", "AA-0001-06A"), "rppa": index("AA-0001-01A")}
    chosen = choose_tumours(modalities, TYPES, RULE)
    assert chosen.to_dict() == {"TCGA-AA-0001": "01"}
    assert not len(other_tumours(modalities["cna"], chosen, RULE))
