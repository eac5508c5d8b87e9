from matplotlib.figure import Figure

from tcga_coherent.figures.panels import SMALL, band, legend_above, plain


def test_panels_are_plain_and_their_legend_small() -> None:
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    plain(axes)
    (line,) = axes.plot([0, 1], [0, 1], label="a line")
    band(axes, [0, 1], [0, 0.5], [0.5, 1.5], "#0072B2")
    legend_above(figure, [line], 1)
    assert [axes.spines[side].get_visible() for side in ("top", "right", "left")] == [
        False,
        False,
        True,
    ]
    assert axes.collections[0].get_alpha() == 0.12
    (text,) = figure.legends[0].get_texts()
    assert (text.get_text(), text.get_fontsize()) == ("a line", SMALL)
