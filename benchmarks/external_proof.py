"""Expression of immune checkpoints from slides alone, on a hold-out that others have published results for.

    python benchmarks/external_proof.py COHORT LABELS [--scratch SCRATCH]

COHORT is the folder of a cohort, as of the environment cohort, LABELS a CSV with ``patient_id``, ``cancer_type``,
``marker`` (PD1, PDL1, CTLA4) and ``high`` (1, 0): whether the gene of a hold-out patient is highly expressed.
Diao et al. (Nature Communications 2021, 10.1038/s41467-021-21896-9) predict it from the slide features that the
cohort has, and give the AUROC on their hold-out, split by tissue source site.

All hold-out patients are test patients of a split of one's own: in no encoder, no model and no choice. Expression
is generated from slides alone and decoded. The mean of a patient's draws is a score, and the draws, each with what
latents lose of the gene in validation patients, are a distribution: they say how probable high expression is, high being above the median
of the training patients of the type. Beside it stands a ridge from slide features to the gene.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from omegaconf import OmegaConf
from sklearn.metrics import brier_score_loss, roc_auc_score

from nodes import copy_project, run
from tcga_coherent.datasets.checkpoint import CheckpointDataset
from tcga_coherent.diffusion.linear_gaussian import fit_linear_gaussian
from tcga_coherent.embedding.encoder import Encoder

ENVIRONMENT = "cohort"
PIPELINES = "ingestion,preprocessing,embedding,diffusion_training,coherent_sampling"
GENES = {"PD1": "PDCD1", "PDL1": "CD274", "CTLA4": "CTLA4"}
PUBLISHED = {
    "PD1": {"BRCA": 0.777, "LUAD": 0.705, "LUSC": 0.675, "STAD": 0.684},
    "PDL1": {"BRCA": 0.663, "LUAD": 0.727, "LUSC": 0.513, "STAD": 0.601},
    "CTLA4": {"BRCA": 0.794, "LUAD": 0.711, "LUSC": 0.689, "STAD": 0.626},
}
VALIDATION_SHARE = 0.1
SAMPLES = 2000
BINS = 5
METHODS = {"coherent": "#0072B2", "ridge": "#D55E00", "published": "#000000"}


def make_project(root: Path, labels: pd.DataFrame, patients: pd.Index) -> Path:
    """Make a project of two modalities in `root`; return the file of its split.

    Parameters
    ----------
    root
        Empty folder, or none.
    labels
        Hold-out patients.
    patients
        Everybody who has slide and expression.
    """
    copy_project(root)
    file = root / "conf" / ENVIRONMENT / "parameters" / "modalities.yml"
    parameters = OmegaConf.load(file)
    parameters.modalities.cna = parameters.modalities.rppa = None
    OmegaConf.save(parameters, file)
    others = patients.difference(labels["patient_id"])
    chosen = np.random.default_rng(0).permutation(len(others))[
        : int(VALIDATION_SHARE * len(others))
    ]
    split = pd.concat(
        [
            pd.DataFrame({"patient_id": labels["patient_id"].unique(), "split": "test"}),
            pd.DataFrame({"patient_id": others[np.sort(chosen)], "split": "val"}),
        ]
    )
    split.to_csv(root / "split.csv", index=False)
    return root / "split.csv"


def predict(root: Path) -> pd.DataFrame:
    """Return a row a test patient and marker: ``coherent``, ``ridge`` (both in units of the processed gene) and ``probability``."""
    data = {
        kind: pd.read_parquet(root / f"data/{folder}/{ENVIRONMENT}/{name}.parquet")
        for kind, folder, name in (
            ("expression", "03_primary", "processed/rnaseq"),
            ("code", "05_model_input", "codes/wsi"),
            ("split", "05_model_input", "split"),
            ("draws", "07_model_output", "test_draws/rnaseq/coherent/wsi"),
        )
    }
    stored = CheckpointDataset(
        filepath=str(root / f"data/06_models/{ENVIRONMENT}/encoders/rnaseq.safetensors")
    ).load()
    encoder = Encoder.from_state(stored.arrays, stored.metadata)
    expression, split = data["expression"], data["split"]
    genes = list(GENES.values())
    train = split.index[split["split"] == "train"].intersection(expression.index)
    both = train.intersection(data["code"].index)
    ridge, _ = fit_linear_gaussian(
        "genes",
        expression.loc[both, genes].to_numpy(),
        {"wsi": data["code"].loc[both].to_numpy()},
    )
    patients = data["draws"].index.unique("patient_id")
    decoded = encoder.decode(data["draws"])[genes]
    mean = decoded.groupby(level="patient_id").mean().loc[patients]
    direct = ridge.mean({"wsi": data["code"].loc[patients].to_numpy()})
    val = split.index[split["split"] == "val"].intersection(expression.index)
    measured = expression.loc[val]
    lost = measured[genes] - encoder.decode(encoder.encode(measured))[genes]
    types = split["cancer_type"]
    medians = expression.loc[train, genes].groupby(types[train]).median()
    rows = []
    for number, (marker, gene) in enumerate(GENES.items()):
        cut = medians[gene].reindex(types[patients]).to_numpy()
        of_draws = decoded[gene].to_numpy().reshape(len(patients), -1)
        # Expression is skewed: what validation patients lose stands for what these do.
        losses = np.sort(lost[gene].to_numpy())
        above = 1 - np.searchsorted(losses, cut[:, None] - of_draws) / len(losses)
        rows.append(
            pd.DataFrame(
                {
                    "patient_id": patients,
                    "marker": marker,
                    "coherent": mean[gene].to_numpy(),
                    "ridge": direct[:, number],
                    "probability": above.mean(axis=1),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def score(labels: pd.DataFrame, predicted: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return AUROC with intervals a type and marker, and how often the gene is high by predicted probability.

    Returns
    -------
    scores
        Columns ``cancer_type``, ``marker``, ``n``, ``published``, and of coherent and ridge ``auroc_<method>``
        with ``_low`` and ``_high`` (95 %, bootstrap over patients); ``brier`` of the probability and
        ``brier_of_share``, of the share of high patients in its place.
    reliability
        Columns ``marker``, ``probability``, ``high`` and ``n`` of each of five equally large groups.
    """
    joined = labels.merge(predicted, on=["patient_id", "marker"])
    random = np.random.default_rng(0)
    scores, reliability = [], []
    for (cancer_type, marker), own in joined.groupby(["cancer_type", "marker"]):
        high = own["high"].to_numpy()
        row = {"cancer_type": cancer_type, "marker": marker, "n": len(own)}
        row["published"] = PUBLISHED[str(marker)][str(cancer_type)]
        drawn = random.integers(0, len(own), size=(SAMPLES, len(own)))
        drawn = drawn[np.ptp(high[drawn], axis=1) > 0]
        for method in ("coherent", "ridge"):
            values = own[method].to_numpy()
            again = [roc_auc_score(high[rows], values[rows]) for rows in drawn]
            low, upper = np.quantile(again, [0.025, 0.975])
            row |= {
                f"auroc_{method}": roc_auc_score(high, values),
                f"auroc_{method}_low": low,
                f"auroc_{method}_high": upper,
            }
        row["brier"] = brier_score_loss(high, own["probability"])
        row["brier_of_share"] = high.mean() * (1 - high.mean())
        scores.append(row)
    for marker, own in joined.groupby("marker"):
        groups = pd.qcut(own["probability"], BINS, labels=False)
        table = own.groupby(groups)[["probability", "high"]].mean()
        table["n"] = own.groupby(groups).size()
        reliability.append(table.assign(marker=marker))
    return pd.DataFrame(scores), pd.concat(reliability, ignore_index=True)


def draw(scores: pd.DataFrame, reliability: pd.DataFrame) -> Figure:
    """Draw AUROC of each type and marker beside the published ones, and the calibration of P(high)."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    places = np.arange(len(scores))
    for offset, method in ((-0.15, "coherent"), (0.15, "ridge")):
        value = scores[f"auroc_{method}"]
        bounds = [value - scores[f"auroc_{method}_low"], scores[f"auroc_{method}_high"] - value]
        left.errorbar(
            places + offset, value, bounds, fmt="o" if offset < 0 else "s", ms=4,
            color=METHODS[method], label=f"{method}, 95 % interval",
        )  # fmt: skip
    left.plot(
        places, scores["published"], "_", ms=16, color=METHODS["published"], label="published"
    )
    left.axhline(0.5, color="0.6", lw=0.8)
    left.set_xticks(places, scores["cancer_type"] + "\n" + scores["marker"], fontsize=7)
    left.set_ylabel("AUROC on the hold-out")
    left.legend(frameon=False, fontsize=8, loc="lower left")
    styles = (("o-", "#0072B2"), ("s--", "#D55E00"), ("^:", "#009E73"))
    for (marker, own), (style, color) in zip(reliability.groupby("marker"), styles, strict=True):
        right.plot(own["probability"], own["high"], style, color=color, ms=4, label=str(marker))
    right.plot([0, 1], [0, 1], color="0.6", lw=0.8)
    right.set_xlabel("P(high) from draws, mean of a group")
    right.set_ylabel("share of patients with high expression")
    right.legend(frameon=False, fontsize=8)
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cohort", type=Path, help="folder of the cohort")
    parser.add_argument("labels", type=Path, help="CSV of the hold-out")
    parser.add_argument(
        "--scratch", type=Path, help="folder of the project, kept; else a temporary one"
    )
    options = parser.parse_args(arguments)
    for path in (options.cohort / "wsi.parquet", options.cohort / "rnaseq.parquet", options.labels):
        if not path.is_file():
            raise SystemExit(f"{path} is not there: name the folder of the cohort and the labels.")
    labels = pd.read_csv(options.labels)
    names = [pd.read_parquet(options.cohort / f"{m}.parquet").columns for m in ("wsi", "rnaseq")]
    patients = names[0].str[:12].unique().intersection(names[1].str[:12].unique())
    with tempfile.TemporaryDirectory() as temporary:
        root = options.scratch or Path(temporary)
        split = make_project(root, labels, patients)
        chosen = {"split_file": split.resolve(), "cohort_dir": options.cohort.resolve()}
        _, seconds, peak = run(root, ENVIRONMENT, PIPELINES, chosen)
        scores, reliability = score(labels, predict(root))
    import results

    results.write_table("external_proof", scores)
    results.write_table("external_proof_reliability", reliability)
    results.write_figure("external_proof", draw(scores, reliability))
    print(scores.round(3).to_string(index=False))
    print(reliability.round(3).to_string(index=False))
    print(f"seconds={seconds:.1f} peak_gib={peak:.2f}")


if __name__ == "__main__":
    main()
