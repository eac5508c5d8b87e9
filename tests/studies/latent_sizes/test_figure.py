import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.latent_sizes.figure import draw_latent_sizes

MODALITIES = parse_modalities(
    {
        "cna": {"label": "CNA", "color": "#0072B2", "steps": []},
        "rppa": {"label": "RPPA", "color": "#009E73", "steps": []},
    }
)


def sizes_table() -> pd.DataFrame:
    rows = []
    for size in (16, 8):
        for target in MODALITIES:
            for method, worth in (("real", 3.0), ("multi", 1.0), ("coherent", 2.0)):
                for space in ("latent", "decoded"):
                    value = worth * size / 100
                    none = method == "real" and space == "latent"
                    rows.append(
                        {
                            "latent_size": size,
                            "target": target,
                            "method": method,
                            "space": space,
                            "note": "12 dimensions" if (size, target) == (16, "rppa") else "",
                            **{
                                f"r2_of_mean_{end}": np.nan if none else value
                                for end in ("mean", "low", "high")
                            },
                            **{
                                f"crps_{end}": np.nan if method == "real" else 1 - value
                                for end in ("mean", "low", "high")
                            },
                            **{
                                f"type_f1{end}": value + 0.4 if space == "latent" else np.nan
                                for end in ("_mean", "_low", "_high")
                            },
                        }
                    )
    return pd.DataFrame(rows)


def curves(axes) -> dict[str, list[float]]:
    return {to_hex(line.get_color()): list(line.get_ydata()) for line in axes.lines}


def color(method: str) -> str:
    return METHOD_STYLES[method].color.lower()


def test_curves_follow_the_sizes_in_the_colour_of_their_method() -> None:
    figure = draw_latent_sizes(sizes_table(), MODALITIES)
    decoded = curves(figure.axes[1])
    assert decoded[color("coherent")] == pytest.approx([0.16, 0.32])
    assert decoded[color("multi")] == pytest.approx([0.08, 0.16])
    assert decoded[color("real")] == pytest.approx([0.24, 0.48])
    ticks = [tick.get_text() for tick in figure.axes[-1].get_xticklabels()]
    assert ticks == ["8", "16"]
    assert list(figure.axes[1].lines[0].get_xdata()) == [8, 16]


def test_measured_latents_have_a_cancer_type_but_no_r2_and_no_crps() -> None:
    figure = draw_latent_sizes(sizes_table(), MODALITIES)
    crps, latent, types = (curves(figure.axes[row * 2]) for row in (1, 2, 3))
    assert color("real") not in crps
    assert color("real") not in latent
    assert types[color("real")] == pytest.approx([0.64, 0.88])


def test_notes_stand_below_with_modality_and_size() -> None:
    figure = draw_latent_sizes(sizes_table(), MODALITIES)
    assert figure.get_supxlabel() == "RPPA at 16: 12 dimensions"


def test_a_table_in_which_no_size_could_be_made_is_drawn_with_its_reasons() -> None:
    table = sizes_table()[["latent_size", "target", "method", "space"]].assign(note="no data")
    figure = draw_latent_sizes(table, MODALITIES)
    assert not figure.axes[0].lines
    assert figure.get_supxlabel() == "CNA, RPPA at 16: no data\nCNA, RPPA at 8: no data"
