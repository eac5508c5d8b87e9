import pandas as pd

from tcga_coherent.figures.cohort import draw_cohort

TABLE = pd.DataFrame(
    [["X", 1300, 3, 2, 1, 1299], ["Y", 2, 1, 1, 0, 2], ["TOTAL", 1302, 4, 3, 1, 1301]],
    columns=["cancer_type", "total", "cna", "wsi", "complete", "incomplete"],
)


def test_bars_have_the_lengths_and_colours_of_table_and_configuration() -> None:
    figure = draw_cohort(
        TABLE, labels={"cna": "CNA", "wsi": "WSI"}, colors={"cna": "#0072B2", "wsi": "#CC79A7"}
    )
    completeness, cna, wsi = figure.axes
    assert [bar.get_width() for bar in completeness.patches] == [1, 0, 1299, 2]
    assert [bar.get_width() for bar in cna.patches] == [1300, 2, 3, 1]
    assert [bar.get_width() for bar in wsi.patches] == [1300, 2, 2, 1]
    assert cna.patches[-1].get_facecolor() == (0x00 / 255, 0x72 / 255, 0xB2 / 255, 1)
    assert cna.get_title() == "CNA\n4 (0%)"
    assert completeness.get_title() == "All patients\n1 of 1,302 complete"
    assert [label.get_text() for label in completeness.get_yticklabels()] == ["X", "Y"]
    assert [text.get_text() for text in completeness.texts] == ["1,300", "2"]
