"""The figure of all attacks: what they find, against what they would find without memory."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tcga_coherent.downstream.tasks import CLASS_TASKS
from tcga_coherent.figures.palette import METHOD_STYLES, method_key
from tcga_coherent.figures.panels import SMALL, WIDTH, legend_above
from tcga_coherent.modality import ModalityConfig, labels
from tcga_coherent.privacy.attacks.attributes import GAIN
from tcga_coherent.privacy.attacks.distances import OF_MEMBERS, OF_NONMEMBERS, UNCONDITIONAL
from tcga_coherent.privacy.attacks.membership import ALL, HALVES, MATCHED, NEITHER

LINE_HEIGHT = 0.25
METHODS = ("single", "multi", "coherent")

# Rows of the table by the name of their line, from the top of a panel to its bottom.
Lines = Mapping[str, pd.DataFrame]

MEMBERSHIP_LINES = {
    "released: loss": ("loss", MATCHED),
    "released: calibrated loss": ("calibrated_loss", MATCHED),
    "released: LiRA, offline": ("lira_offline", MATCHED),
    "released: nearness of draws": ("regeneration", MATCHED),
    "halves: loss": ("loss", HALVES),
    "halves: calibrated loss": ("calibrated_loss", HALVES),
    "halves: LiRA, offline": ("lira_offline", HALVES),
    "halves: LiRA, online": ("lira_online", HALVES),
    "control: loss": ("loss", NEITHER),
    "control: calibrated loss": ("calibrated_loss", NEITHER),
}
NEAREST_LINES = {
    "drawn for\nmembers": OF_MEMBERS,
    "drawn for\nnon-members": OF_NONMEMBERS,
    "without\na source": UNCONDITIONAL,
}


def draw_attacks(table: pd.DataFrame, modalities: Mapping[str, ModalityConfig]) -> Figure:
    """Draw the attacks as forest plots, each against its null.

    Parameters
    ----------
    table
        Result of :func:`tcga_coherent.privacy.attacks.table.join_attacks`.
    modalities
        Labels.

    Returns
    -------
    Figure
        Membership (AUROC and true positive rate), distances to the closest record, linkage,
        canaries and attributes.
    """
    names = labels(modalities)
    membership = {
        name: _rows(table, attack=attack, group=group, statistic="auroc", target=ALL)
        for name, (attack, group) in MEMBERSHIP_LINES.items()
    }
    rates = {
        name: rows.assign(
            value=rows["tpr_at_1_fpr"],
            low=rows["tpr_at_1_fpr_low"],
            high=rows["tpr_at_1_fpr_high"],
            null=0.01,
        )
        for name, rows in membership.items()
    }
    nearest = {
        name: _rows(table, statistic="share_closer_to_train", group=group, target=ALL)
        for name, group in NEAREST_LINES.items()
    }
    linkage = {
        label: _rows(table, attack="linkage", target=name)
        for name, label in {**names, ALL: "all"}.items()
    }
    canaries = {
        f"{str(group).split()[0]}, {setting}": rows
        for (group, setting), rows in table[table["attack"] == "canary_draws"].groupby(
            ["group", "setting"], sort=False
        )
    }
    attributes = {
        f"{task.label}, {label}": _rows(
            table, attack=task.name, statistic=GAIN, target=name, group="members"
        )
        for task in CLASS_TASKS.values()
        for name, label in names.items()
    }
    heights = [len(MEMBERSHIP_LINES), max(len(nearest) + 1, len(linkage)), 8]
    figure = Figure(figsize=(WIDTH, LINE_HEIGHT * sum(heights) + 3.0), layout="constrained")
    grid = figure.subplots(3, 2, gridspec_kw={"height_ratios": heights})
    _panel(grid[0, 0], "Membership, all targets", membership, "AUROC")
    _panel(grid[0, 1], "Membership at 1 % false positives", rates, "share of members found")
    grid[0, 1].set_yticklabels([])
    _panel(
        grid[1, 0], "Nearest records, all modalities", nearest,
        "share closer to a training\nthan to a held-out patient",
    )  # fmt: skip
    _panel(
        grid[1, 1], "Linkage", linkage,
        "share linked to their patient:\nmembers less non-members",
    )  # fmt: skip
    _panel(grid[2, 0], "Canaries, by conditional draws", canaries, "exposure (bits)")
    _panel(
        grid[2, 1], "Attributes of members", attributes,
        "balanced accuracy gained\nover the conditions alone",
    )  # fmt: skip
    legend_above(figure, _legend(table), 5)
    return figure


def _rows(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    for column, value in wanted.items():
        table = table[table[column] == value]
    # Noise levels one by one are in the table alone.
    return table[~table["setting"].astype(str).str.startswith("timestep")]


def _panel(axes: Axes, title: str, lines: Lines, label: str) -> None:
    axes.set_title(title, fontsize=8, fontweight="bold")
    axes.set_xlabel(label, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    drawn = pd.concat(list(lines.values())) if lines else pd.DataFrame()
    if drawn.empty or drawn["value"].isna().all():
        axes.set_axis_off()
        axes.text(0.5, 0.5, "not measured: see the table", ha="center", fontsize=SMALL)
        return
    for number, rows in enumerate(lines.values()):
        height = len(lines) - 1 - number
        if number % 2:
            axes.axhspan(height - 0.5, height + 0.5, color="0.95", linewidth=0, zorder=0)
        rows = rows[rows["method"].isin(METHODS)]
        for null in rows["null"].dropna().unique():
            edges = [height - 0.5, height + 0.5]
            axes.plot([null, null], edges, color="0.4", linewidth=0.8, linestyle="--", zorder=1)
        for method, group in rows.groupby("method"):
            offset = 0.27 * (1 - METHODS.index(str(method)))
            _draw_row(axes, height + offset, str(method), group.iloc[0])
    axes.set_yticks(range(len(lines)), list(lines)[::-1])
    axes.set_ylim(-0.5, len(lines) - 0.5)


def _draw_row(axes: Axes, y: float, method: str, row: pd.Series) -> None:
    style = METHOD_STYLES[method]
    if pd.notna(row["null_low"]):
        axes.hlines(y, row["null_low"], row["null_high"], color="0.75", linewidth=4, zorder=1.5)
    axes.hlines(y, row["low"], row["high"], color=style.color, linewidth=1, zorder=2)
    axes.plot(row["value"], y, style.marker, color=style.color, markersize=3.5, zorder=3)


def _legend(table: pd.DataFrame) -> list[Line2D]:
    handles = [
        method_key(method, linewidth=1)
        for method in METHODS
        if (table["method"] == method).any()
    ]  # fmt: skip
    handles.append(
        Line2D([], [], color="0.4", linestyle="--", linewidth=0.8, label="nothing leaks")
    )
    handles.append(Line2D([], [], color="0.75", linewidth=4, label="groups exchanged at random"))
    return handles
