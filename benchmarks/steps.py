"""Quality of the samplers against their number of steps."""

import pandas as pd
from matplotlib.figure import Figure

import results
from quality import MEASURES

LABELS = {
    "r2_of_mean": "R2 of the mean draw",
    "crps": "CRPS",
    "coverage_90": "coverage of 90 % intervals",
    "seconds": "time (s)",
}
YARDSTICK = "ddpm"


def summarise_steps(table: pd.DataFrame) -> pd.DataFrame:
    """Average over the targets, and give the spread of that average over the seeds.

    Parameters
    ----------
    table
        One row a sampler, target and seed: ``sampler``, ``eta``, ``n_steps``, ``target``, ``seed``,
        ``seconds`` and the measures.

    Returns
    -------
    DataFrame
        One row a sampler: ``<measure>`` and ``<measure>_sd`` over the seeds (missing for one
        seed), ``seconds`` of all targets.
    """
    keys = ["sampler", "eta", "n_steps"]
    by_seed = table.groupby([*keys, "seed"]).agg(
        {**dict.fromkeys(MEASURES, "mean"), "seconds": "sum"}
    )
    mean = by_seed.groupby(keys).mean()
    deviation = by_seed[list(MEASURES)].groupby(keys).std().add_suffix("_sd")
    return mean.join(deviation).reset_index()


def draw_steps(summary: pd.DataFrame) -> Figure:
    """Draw measures and time of each sampler over its steps, beside 1000 ancestral steps.

    Parameters
    ----------
    summary
        Result of :func:`summarise_steps`.
    """
    figure = Figure(figsize=(4.0 * len(LABELS), 4.0), layout="constrained")
    panels = figure.subplots(1, len(LABELS))
    few = summary[summary["sampler"] != YARDSTICK]
    for panel, (name, label) in zip(panels, LABELS.items(), strict=True):
        for number, ((sampler, eta), rows) in enumerate(few.groupby(["sampler", "eta"])):
            panel.errorbar(
                rows["n_steps"],
                rows[name],
                yerr=rows.get(f"{name}_sd"),
                color=results.COLORS[number],
                marker=results.MARKERS[number],
                markersize=5,
                capsize=2,
                label=f"{sampler}, eta {eta:g}",
            )
        for value in summary.loc[summary["sampler"] == YARDSTICK, name]:
            panel.axhline(value, color="black", linestyle=":", label="1000 ancestral steps")
        panel.set_xscale("log")
        panel.set_xticks(sorted(few["n_steps"].unique()))
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter("")
        panel.set_xlabel("steps")
        panel.set_ylabel(label)
        panel.spines[["top", "right"]].set_visible(False)
    panels[2].axhline(0.9, color="grey", linewidth=0.8)
    panels[-1].set_yscale("log")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure
