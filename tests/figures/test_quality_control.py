import pandas as pd

from tcga_coherent.figures.quality_control import draw_quality_control

QUALITY_CONTROL = pd.DataFrame(
    [
        ("cna", "level", 100, 98, 40, 40, None),
        ("cna", "drop_missing_features", 98, 98, 40, 10, None),
        ("cna", "impute", 98, 98, 10, 10, 0.01),
        ("rppa", "level", 50, 50, 8, 8, None),
        ("rppa", "impute", 50, 50, 8, 8, 0.0),
    ],
    columns=[
        "modality",
        "step",
        "patients_before",
        "patients_after",
        "features_before",
        "features_after",
        "imputed_share",
    ],
)
SPLIT_TABLE = pd.DataFrame(
    {"cancer_type": ["BRCA", "OV"], "train": [50, 30], "val": [5, 0], "test": [13, 0]}
)


def test_the_figure_shows_features_patients_and_split_in_numbers() -> None:
    figure = draw_quality_control(
        QUALITY_CONTROL,
        SPLIT_TABLE,
        labels={"cna": "CNA", "rppa": "RPPA"},
        colors={"cna": "#0072B2", "rppa": "#009E73"},
    )
    features, split, patients = figure.axes
    assert [label.get_text() for label in features.get_yticklabels()] == [
        "CNA: input",
        "drop missing features",
        "RPPA: input",
    ]
    assert [bar.get_width() for bar in features.patches] == [100, 25, 100]
    assert [text.get_text() for text in patients.texts] == [
        "98 kept, 2 left out, 1 % of values imputed",
        "50 kept, 0 left out, 0 % of values imputed",
    ]
    assert [bar.get_width() for bar in split.patches] == [50, 30, 5, 0, 13, 0]
    assert [text.get_text() for text in split.get_legend().get_texts()] == [
        "training (80)",
        "validation (5)",
        "test (13)",
    ]
    assert all(axes.get_xlabel() for axes in figure.axes)
