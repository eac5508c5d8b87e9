import numpy as np

from tcga_coherent.modality import ModalityConfig
from tcga_coherent.studies.reconstruction.decoded_features import correlations_by_method
from tcga_coherent.studies.reconstruction.decoded_figure import draw_decoded
from tests.studies.reconstruction.linear_decoder import decode


def test_the_figure_shows_each_feature_and_the_medians(simulation) -> None:
    decoded = decode(simulation)
    modalities = {
        name: ModalityConfig(label=name.upper(), color="#0072B2", steps=()) for name in decoded
    }
    correlations = {name: correlations_by_method(one) for name, one in decoded.items()}
    figure = draw_decoded(correlations, modalities)
    above, below = figure.axes[1], figure.axes[4]
    own = correlations["rnaseq"]
    order = ["ceiling", "coherent", "multi", "ridge_features", "ridge", "knn"]
    assert [text.get_text() for text in above.texts] == [f"{own[m].median():.2f}" for m in order]
    points = next(line for line in below.lines if line.get_marker() == ".")
    np.testing.assert_array_equal(points.get_xdata(), own["ceiling"])
    np.testing.assert_array_equal(points.get_ydata(), own["coherent"])
    assert points.get_rasterized()
    assert above.get_title() == "RNASEQ\n30 features"
