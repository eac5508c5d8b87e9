from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import external_proof


@pytest.fixture
def labels() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"patient_id": f"TCGA-AA-{i:04d}", "cancer_type": t, "marker": m, "high": i % 2}
            for t in ("BRCA", "LUAD")
            for m in external_proof.GENES
            for i in range(40)
        ]
    ).assign(patient_id=lambda table: table["cancer_type"] + table["patient_id"])


def test_hold_out_patients_are_tested_and_none_of_them_validates(labels, tmp_path: Path) -> None:
    others = pd.Index([f"TCGA-ZZ-{i:04d}" for i in range(50)])
    held_out = pd.Index(labels["patient_id"].unique())
    file = external_proof.make_project(tmp_path / "project", labels, others.append(held_out))
    split = pd.read_csv(file).set_index("patient_id")["split"]
    assert set(split.index[split == "test"]) == set(held_out)
    assert (split == "val").sum() == 5
    assert split.index[split == "val"].isin(others).all()
    assert "cna: null" in (tmp_path / "project/conf/cohort/parameters/modalities.yml").read_text()


def test_scores_are_of_each_type_and_marker_and_probabilities_are_grouped(labels) -> None:
    random = np.random.default_rng(0)
    high = labels["high"].to_numpy()
    predicted = labels[["patient_id", "marker"]].assign(
        coherent=high + 0.0,
        ridge=random.standard_normal(len(labels)),
        probability=np.clip(0.25 + 0.5 * high + 0.01 * random.standard_normal(len(labels)), 0, 1),
    )
    scores, reliability = external_proof.score(labels, predicted)
    assert len(scores) == 6
    assert (scores["auroc_coherent"] == 1).all()
    assert (scores["auroc_coherent_low"] == 1).all()
    assert (scores["auroc_ridge_low"] < scores["auroc_ridge"]).all()
    assert scores["brier"].to_numpy() == pytest.approx(0.0625, abs=0.01)
    assert (scores["brier_of_share"] == 0.25).all()
    assert scores.set_index(["marker", "cancer_type"]).loc[("PD1", "LUAD"), "published"] == 0.705
    assert reliability.groupby("marker")["n"].sum().tolist() == [80, 80, 80]
    low, upper = reliability["probability"] < 0.4, reliability["probability"] > 0.6
    assert (reliability.loc[low, "high"] == 0).all()
    assert (reliability.loc[upper, "high"] == 1).all()


def test_a_folder_without_the_cohort_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"wsi\.parquet is not there: name the folder"):
        external_proof.main([str(tmp_path), str(tmp_path / "labels.csv")])
