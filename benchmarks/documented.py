"""Write the numbers of README and docs that depend on models, from the tables of an environment.

    python benchmarks/documented.py [--env cohort] [--check]

Tables and sentences stand between ``<!-- numbers: NAME -->`` and ``<!-- end of numbers -->`` and come from the
reporting folder of the project in the working directory. ``--check`` changes nothing and ends with an error
where a page says something else.
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from environment import open_tables
from tcga_coherent.baselines.registry import BASELINES
from tcga_coherent.figures.palette import METHOD_LABELS
from tcga_coherent.modality import labels

TABLES = (
    *("table1_reconstruction", "calibration", "decoded_reconstruction"),
    *("fig1_umap", "table2_rescue", "counterfactual_area"),
)
PAGES = ("README.md", "docs/evaluation.md")
BLOCK = re.compile(r"(<!-- numbers: (\w+) -->\n)(?:(?!<!--).)*(<!-- end of numbers -->)", re.DOTALL)
SIDE_BY_SIDE = ("coherent", "multi", *(name for name in BASELINES if name != "mean"))

Tables = Mapping[str, pd.DataFrame]
Names = Mapping[str, str]


def reconstruction(tables: Tables, names: Names) -> str:
    """Return R2 and CRPS from all sources, a line a target, and how many rows of Table 1 coherent wins."""
    table = tables["table1_reconstruction"]
    lines = []
    for target, own in table.groupby("target", sort=False):
        n_sources = own["source"].str.count(r"\+")
        rows = own[n_sources == n_sources.max()].set_index("method")
        best_r2, best_crps = rows["r2_of_mean"].max(), rows["crps"].min()
        single = own.loc[own["method"] == "single", "r2_of_mean"].max()
        cells = [
            f"{_marked(rows.loc[m, 'r2_of_mean'], best_r2)} / {_marked(rows.loc[m, 'crps'], best_crps)}"
            for m in SIDE_BY_SIDE
        ]
        lines.append([names[str(target)], cells[0], _number(single), *cells[1:]])
    header = [
        *("target", METHOD_LABELS["coherent"], "best single source"),
        *(METHOD_LABELS[method] for method in SIDE_BY_SIDE[1:]),
    ]
    return _markdown(header, lines) + "\n\n" + _wins(table)


def _wins(table: pd.DataFrame) -> str:
    rivals = table[~table["method"].isin(["mean"])]
    r2 = rivals.pivot_table(
        index=["target", "source"], columns="method", values="r2_of_mean", sort=False
    )
    crps = rivals.pivot_table(
        index=["target", "source"], columns="method", values="crps", sort=False
    )
    others = [method for method in r2.columns if method != "coherent"]
    ahead = r2["coherent"] - r2[others].max(axis=1)
    behind = ahead[ahead < 0]
    worst = (
        f"; the farthest it stays behind is {_number(-behind.min())} "
        f"({' from '.join(behind.idxmin()).replace('+', ' + ')})"
        if len(behind)
        else ""
    )
    by_crps = int((crps["coherent"] < crps[others].min(axis=1)).sum())
    return (
        f"Over all {len(r2)} pairs of target and set of sources, Coherent Denoising has the best R2 of all methods in "
        f"{int((ahead > 0).sum())}{worst}. By CRPS it is the best in {by_crps}."
    )


def source_sets(tables: Tables, names: Names) -> str:
    """Return coherent beside the strongest other method, a line a target and set of sources."""
    table = tables["table1_reconstruction"]
    lines = []
    for (target, source), rows in table.groupby(["target", "source"], sort=False):
        own = rows.set_index("method")
        others = own.drop(index=["coherent", "mean"])
        strongest = others["r2_of_mean"].idxmax()
        interval = f"[{_number(own.loc['coherent', 'r2_of_mean_low'])}, {_number(own.loc['coherent', 'r2_of_mean_high'])}]"
        lines.append(
            [
                names[str(target)],
                " + ".join(names[name] for name in str(source).split("+")),
                f"{_number(own.loc['coherent', 'r2_of_mean'])} {interval} / {_number(own.loc['coherent', 'crps'])}",
                f"{_number(others.loc[strongest, 'r2_of_mean'])} / {_number(others.loc[strongest, 'crps'])}",
                METHOD_LABELS[str(strongest)],
            ]
        )
    header = ["target", "from", "coherent", "strongest other", "which is"]
    return _markdown(header, lines)


def calibration(tables: Tables, names: Names) -> str:
    """Return how much intervals cover, and how far the spread tells patients apart."""
    table = tables["table1_reconstruction"]
    generated = table[table["method"].isin(["single", "multi", "coherent"])]
    covered = [
        f"{level} % intervals cover {_percent(generated[f'coverage_{level}'].min())} to "
        f"{_percent(generated[f'coverage_{level}'].max())} %"
        for level in (50, 90)
    ]
    measured = tables["calibration"]
    of_spread = measured[
        (measured["measure"] == "spread_error")
        & measured["every_type"]
        & (measured["method"] == "coherent")
    ]
    told = ", ".join(
        f"{names[str(row.target)]} {_number(row.value)}" for row in of_spread.itertuples()
    )
    return (
        f"Of generated draws, over all methods and sets of sources, {' and '.join(covered)}. Rank correlation of a "
        f"patient's spread with the error, coherent from all sources: {told}."
    )


def decoded(tables: Tables, names: Names) -> str:
    """Return the median correlation of decoded features, a line a method, and what their intervals cover."""
    table = tables["decoded_reconstruction"]
    table = table[table["unit"] == "standardised"]
    cells = table.pivot_table(
        index="method", columns="target", values="correlation_median", sort=False
    )
    order = [name for name in ("ceiling", *SIDE_BY_SIDE) if name in cells.index]
    lines = [
        [METHOD_LABELS.get(name, name), *(_number(cells.loc[name, target]) for target in names)]
        for name in order
    ]
    covered = " ".join(
        f"{level} % intervals of decoded features cover {_percent(own.min())} to {_percent(own.max())} %."
        for level in (50, 90)
        for own in [table[f"coverage_{level}"].dropna()]
    )
    return _markdown(["", *names.values()], lines) + "\n\n" + covered


def fidelity(tables: Tables, names: Names) -> str:
    """Return how far sets of patients are from the measured test patients, one draw each."""
    table = tables["fig1_umap"]
    sets = {"train": "other real patients", "multi": "multi", "coherent": "coherent"}
    drawn = table[table["set"].isin(sets) & table["reading"].isin(["measured", "draw"])]
    lines = [
        [
            "all, side by side" if row.space == "all" else names[str(row.space)],
            sets[str(row.set)],
            *(_number(float(getattr(row, score))) for score in ("precision", "recall")),
            _number(row.energy_distance),
        ]
        for row in drawn.itertuples()
    ]
    return _markdown(["modalities", "set", "precision", "recall", "energy distance"], lines)


def rescue(tables: Tables, names: Names) -> str:
    """Return the headline scores of each completion, mean over the patterns of missing modalities."""
    table = tables["table2_rescue"]
    headline = table[table["metric"].isin(["macro_f1", "c_index"])]
    whole = headline[headline["removed"] == "none"].assign(pooling="point")
    of_type = headline[headline["method"] == "cancer_type"]
    patterns = headline[headline["removed"] == "mean of patterns"]
    shown = {
        "full data": whole[whole["method"] == "real"],
        "cancer type alone": of_type,
        **{
            METHOD_LABELS.get(name, name.replace("_", " ")): patterns[patterns["method"] == name]
            for name in ("ablation", "modality_dropout", *BASELINES, "multi", "coherent")
        },
    }
    lines = [
        [
            label
            + (
                f": {' / '.join(p.replace('_', ' ') for p in poolings)}"
                if len(poolings) > 1
                else ""
            ),
            *(
                " / ".join(_number(value) for value in rows.loc[rows["task"] == task, "score_mean"])
                for task in ("stage", "survival")
            ),
        ]
        for label, rows in shown.items()
        for poolings in [list(dict.fromkeys(rows["pooling"]))]
    ]
    return _markdown(["completion", "stage, macro F1", "survival, C-index"], lines)


def whom_to_measure(tables: Tables, names: Names) -> str:
    """Return the area to random order of both scores of coherent versions, with its interval."""
    table = tables["counterfactual_area"]
    scores = {"coherent": "variance", "coherent_expected_change": "expected change"}
    lines = []
    for (task, strategy, others), rows in table[table["strategy"].isin(scores)].groupby(
        ["task", "strategy", "unacquired"], sort=False
    ):
        by_modality = rows.set_index("modality")
        cells = [
            f"{_number(row.area_mean)} [{_number(row.area_low)}, {_number(row.area_high)}] {row.above_random}"
            for row in (by_modality.loc[name] for name in names)
        ]
        lines.append([f"{task}, {scores[str(strategy)]}", str(others), *cells])
    return _markdown(["score", "others", *names.values()], lines)


BLOCKS: Mapping[str, Callable[[Tables, Names], str]] = {
    block.__name__: block
    for block in (
        *(reconstruction, source_sets, calibration, decoded),
        *(fidelity, rescue, whom_to_measure),
    )
}


def rewrite(page: str, tables: Tables, names: Names) -> str:
    """Return a page with its numbers written anew."""

    def written(match: re.Match[str]) -> str:
        return f"{match[1]}{BLOCKS[match[2]](tables, names)}\n{match[3]}"

    return BLOCK.sub(written, page)


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _number(value: float) -> str:
    """Return .314 of 0.3141."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}")


def _marked(value: float, best: float) -> str:
    return f"**{_number(value)}**" if value == best else _number(value)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="cohort", help="environment whose tables are read")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args(arguments)
    tables, modalities = open_tables(options.env, TABLES)
    names = labels(modalities)
    stale = []
    for path in map(Path, PAGES):
        page = path.read_text(encoding="utf-8")
        written = rewrite(page, tables, names)
        if written != page:
            stale.append(str(path))
            if not options.check:
                path.write_text(written, encoding="utf-8")
    if options.check and stale:
        raise SystemExit(f"Other numbers than those of the tables stand in {', '.join(stale)}.")
    print(f"Written anew: {', '.join(stale) or 'nothing, all numbers are those of the tables'}.")


if __name__ == "__main__":
    main()
