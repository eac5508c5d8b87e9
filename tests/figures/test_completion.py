import pandas as pd

from tcga_coherent.figures.completion import draw_completion, summarise_completion
from tcga_coherent.modality import ModalityConfig

FLAGS = pd.DataFrame(
    [
        ("P1", "a", "observed", "", float("nan"), 0, True),
        ("P2", "a", "generated", "b", 0.2, 1, True),
        ("P3", "a", "generated", "b", 0.4, 2, True),
        ("P4", "a", "generated", "b+c", 0.9, 3, False),
        ("P1", "b", "observed", "", float("nan"), 0, True),
        ("P5", "b", "impossible", None, float("nan"), 0, False),
    ],
    columns=["patient_id", "modality", "status", "sources", "coherence", "n_redrawn", "accepted"],
)


def test_patients_are_counted_by_status_and_sources():
    summary = summarise_completion(FLAGS).set_index(["modality", "status", "sources"])
    assert summary["n_patients"].to_dict() == {
        ("a", "observed", ""): 1,
        ("a", "generated", "b"): 2,
        ("a", "flagged", "b+c"): 1,
        ("b", "observed", ""): 1,
        ("b", "impossible", ""): 1,
    }
    generated = summary.loc[("a", "generated", "b")]
    assert abs(generated["cosine_distance_mean"] - 0.3) < 1e-12
    assert generated["n_redrawn"] == 3


def test_bars_of_a_modality_add_up_to_its_patients():
    modalities = {name: ModalityConfig(name.upper(), "#0072B2", ()) for name in ("a", "b")}
    figure = draw_completion(summarise_completion(FLAGS), modalities)
    (axis,) = figure.axes
    ends = [patch.get_x() + patch.get_width() for patch in axis.patches]
    assert max(ends) == 4
    assert [label.get_text() for label in axis.get_yticklabels()] == ["A", "B"]
