"""Figures of generated tiles."""

import pandas as pd
from matplotlib.figure import Figure

from tcga_coherent.figures.palette import METHOD_STYLES, cancer_type_styles, legend_key
from tcga_coherent.figures.panels import band, plain
from tcga_coherent.histology.evaluation.nuclei import MEASURES
from tcga_coherent.histology.tiles import TileStore, decode

REAL_COLOR, DRAWN_COLOR, CONTROL_COLOR = METHOD_STYLES["real"].color, "#D55E00", "#999999"
COLUMNS = 3


def draw_programmes(table: pd.DataFrame) -> Figure:
    """Draw r of each programme with each measure, on real and generated tiles and with exchanged expression."""
    programmes = list(dict.fromkeys(table["programme"]))
    n_rows = -(-len(programmes) // COLUMNS)
    figure = Figure(figsize=(3.1 * COLUMNS, 2.4 * n_rows + 0.5), layout="constrained")
    axes = figure.subplots(n_rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    groups = (
        ("real", REAL_COLOR, "*", "real tiles"),
        ("own", DRAWN_COLOR, "o", "generated"),
        ("shuffled", CONTROL_COLOR, "x", "generated, expression exchanged"),
    )
    for panel, name in zip(axes.flat, programmes, strict=False):
        rows = table[table["programme"] == name].reset_index(drop=True)
        for offset, (source, color, marker, _) in zip((-0.2, 0, 0.2), groups, strict=True):
            at = rows.index + offset
            panel.vlines(at, rows[f"r_{source}_low"], rows[f"r_{source}_high"], color, linewidth=1)
            panel.plot(at, rows[f"r_{source}"], marker, color=color, markersize=5)
        for place in rows.index[rows["moves"]]:
            panel.axvspan(place - 0.45, place + 0.45, color="0.92", zorder=0)
        panel.axhline(0, color="0.6", linewidth=0.7)
        panel.set_title(f"programme {name}", fontsize=10)
        panel.set_xticks(range(len(MEASURES)), [m.replace("_", " ") for m in MEASURES], rotation=35, ha="right", fontsize=8)  # fmt: skip
        panel.set_ylim(-1.05, 1.05)
        plain(panel)
    for panel in list(axes.flat)[len(programmes) :]:
        panel.set_visible(False)
    for row in axes:
        row[0].set_ylabel("r over patients")
    keys = [legend_key(label, color, marker=m, linestyle="none") for _, color, m, label in groups]
    figure.legend(handles=keys, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return figure


def draw_moves(by_shift: pd.DataFrame, responses: pd.DataFrame) -> Figure:
    """Draw the measures of tiles over the shift of each programme; what should move is bold."""
    programmes = list(dict.fromkeys(by_shift["programme"]))
    styles = cancer_type_styles(MEASURES)
    n_rows = -(-len(programmes) // COLUMNS)
    figure = Figure(figsize=(3.1 * COLUMNS, 2.4 * n_rows + 0.5), layout="constrained")
    axes = figure.subplots(n_rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    moving = set(responses.loc[responses["moves"], ["programme", "measure"]].itertuples(index=False, name=None))  # fmt: skip
    for panel, name in zip(axes.flat, programmes, strict=False):
        for measure, curve in by_shift[by_shift["programme"] == name].groupby("measure"):
            style, moves = styles[str(measure)], (name, measure) in moving
            line = {"linewidth": 2.4 if moves else 0.9, "alpha": 1.0 if moves else 0.7}
            panel.plot(
                curve["shift"], curve["mean"], marker=style.marker, color=style.color, **line
            )
            if moves:
                band(panel, curve["shift"], curve["low"], curve["high"], style.color)
        panel.axhline(0, color="0.6", linewidth=0.7)
        panel.set_title(f"programme {name}", fontsize=10)
        plain(panel)
    for panel in list(axes.flat)[len(programmes) :]:
        panel.set_visible(False)
    figure.supxlabel("shift of the programme (sd over training patients)", fontsize=9)
    figure.supylabel("measure of generated tiles (sd over patients)", fontsize=9)
    keys = [
        legend_key(m.replace("_", " "), styles[m].color, marker=styles[m].marker) for m in MEASURES
    ]
    figure.legend(handles=keys, loc="outside upper center", ncols=5, frameon=False, fontsize=8)
    return figure


def draw_sheet(
    real: TileStore,
    drawn: TileStore,
    split: pd.DataFrame,
    n_patients: int,
    n_tiles: int,
) -> Figure:
    """Draw real tiles of test patients beside tiles generated from their expression."""
    own = drawn.index[drawn.index["source"] == "own"]
    test = split.loc[split.index.isin(own["patient_id"].unique())].sort_values("cancer_type")
    every = max(1, len(test) // n_patients)
    shown = test.iloc[::every].head(n_patients)
    figure = Figure(figsize=(1.6 + 1.7 * n_tiles, 0.85 * len(shown) + 0.4))
    axes = figure.subplots(len(shown), 2 * n_tiles + 1, squeeze=False, width_ratios=[*[1] * n_tiles, 0.15, *[1] * n_tiles])  # fmt: skip
    figure.subplots_adjust(0.1, 0.01, 0.99, 0.93, 0.04, 0.04)
    for row, (patient, kind) in zip(axes, shown["cancer_type"].items(), strict=True):
        for first, store, index in ((0, real, real.index), (n_tiles + 1, drawn, own)):
            tiles = index.index[index["patient_id"] == patient][:n_tiles]
            for panel, tile in zip(row[first:], tiles, strict=False):
                panel.imshow(decode(store.read_encoded(int(tile))))
        row[0].text(
            -0.1, 0.5, kind, transform=row[0].transAxes, ha="right", va="center", fontsize=8
        )
    for panel in axes.flat:
        panel.axis("off")
    figure.text(0.32, 0.95, "real", ha="center", fontsize=10)
    figure.text(0.77, 0.95, "generated from the expression", ha="center", fontsize=10)
    return figure


def draw_losses(history: pd.DataFrame) -> Figure:
    """Draw the losses of both stages over the steps of their training."""
    stages = list(dict.fromkeys(history["stage"]))
    figure = Figure(figsize=(3.4 * len(stages), 2.8), layout="constrained")
    axes = figure.subplots(1, len(stages), squeeze=False)[0]
    for panel, stage in zip(axes, stages, strict=True):
        own = history[history["stage"] == stage]
        panel.plot(
            own["step"], own["train_loss"], color=CONTROL_COLOR, marker="x", label="training"
        )
        panel.plot(own["step"], own["val_loss"], color="#0072B2", marker="o", label="validation, averaged weights")  # fmt: skip
        panel.set_title(stage.replace("_", " "), fontsize=10)
        panel.set_xlabel("step")
        panel.legend(frameon=False, fontsize=8)
        plain(panel)
    axes[0].set_ylabel("weighted squared error")
    return figure
