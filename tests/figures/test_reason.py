from tcga_coherent.figures.reason import draw_reason


def test_a_reason_is_all_that_a_figure_says_where_there_is_none() -> None:
    assert [text.get_text() for text in draw_reason("too few patients").texts] == [
        "too few patients"
    ]
