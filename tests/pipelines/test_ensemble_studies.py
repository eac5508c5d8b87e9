from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidator
from matplotlib.image import imread

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import CoherenceConfig
from tcga_coherent.diffusion.training.tuning_config import TuningConfig
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.pipeline_registry import MAIN_JOB
from tcga_coherent.pipelines.ensemble_studies import create_pipeline
from tcga_coherent.pipelines.ensemble_studies.drawing import UnseenPatients, take_unseen
from tcga_coherent.pipelines.ensemble_studies.hyperparameters import tabulate_hyperparameters
from tcga_coherent.pipelines.ensemble_studies.latent_sizes import (
    tabulate_latent_sizes,
    train_latent_sizes,
)
from tcga_coherent.pipelines.ensemble_studies.parameters import EnsembleStudiesParameters
from tcga_coherent.pipelines.ensemble_studies.rejection import (
    draw_with_thresholds,
    paper_like,
    tabulate_rejection,
)
from tcga_coherent.pipelines.ensemble_studies.weights import draw_with_weights, tabulate_weights
from tcga_coherent.pipelines.tuning.nodes import search_hyperparameters
from tcga_coherent.repeats import all_repeats
from tests.pipelines.lane_inputs import by_lane

from .latent_cohort import (
    MODALITIES,
    SAMPLING,
    SIZES,
    TRAINING,
    lazily,
    load_trained,
    make_codes,
    make_conditions,
    make_encoders,
    make_latents,
    make_split,
    train_all,
)

PARAMETERS = EnsembleStudiesParameters(
    seed=0,
    n_repeats=2,
    n_draws=4,
    weights=("inverse_mse", "equal", "learned", "composed"),
    threshold_changes=(-0.9999, 0.0, 1.0),
    ancestral_steps=5,
    latent_sizes=(1, 3),
    max_steps=200,
    bootstrap=BootstrapParameters(repeats=50, level=0.9),
    paper_grid={"learning_rate": (1e-4, 1e-3), "n_layers": (4, 5)},
)
TUNING = TuningConfig(
    space={"learning_rate": (1e-2, 1e-3), "n_layers": (1, 2)},
    sampler="grid",
    n_trials=1,
    max_steps=4,
    validation_every=2,
)
FORESTS = ForestParameters(n_trees=20, survival_min_samples_leaf=15, survival_time_unit=30.0)
# Of equal weights none is zero, with which there is no distance; one incoherent step rejects.
ANY_STEP = replace(
    SAMPLING,
    weights="equal",
    coherence=CoherenceConfig(threshold=1.9, max_incoherent_share=0.0),
)
N_FEATURES = 6


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """Everything that the studies of weights and of rejection read."""
    split = make_split()
    latents = make_latents(split)
    trained = train_all(latents, split, make_encoders())
    return {"latents": latents, "split": split, **trained}


@pytest.fixture(scope="module")
def unseen(models) -> UnseenPatients:
    latents = models["latents"]
    conditions = make_conditions(latents)
    return take_unseen(latents, conditions, models["split"], load_trained(latents, models))


def run_study(node, **inputs: Any) -> dict[str, Any]:
    """Return what a folder of repeats holds after a study."""
    yielded = {}
    for part in node(**inputs):
        yielded |= part
    return lazily(yielded)


@pytest.fixture(scope="module")
def weights_repeats(unseen) -> dict[str, Any]:
    return run_study(
        draw_with_weights,
        unseen=unseen,
        finished={},
        sampling=SAMPLING,
        parameters=PARAMETERS,
        workers=1,
    )


@pytest.fixture(scope="module")
def rejection_table(unseen) -> pd.DataFrame:
    repeats = run_study(
        draw_with_thresholds,
        unseen=unseen,
        finished={},
        sampling=ANY_STEP,
        parameters=PARAMETERS,
        workers=1,
    )
    return tabulate_rejection(repeats, PARAMETERS)


def processed_tables(split: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return modalities of as many features as they share factors twice, and hardly any noise."""
    rng = np.random.default_rng(3)
    factors = rng.standard_normal((len(split), 3))
    frames = {}
    for name in SIZES:
        # Each factor is worth as much as the others, so that each dimension counts.
        axes, _ = np.linalg.qr(rng.standard_normal((N_FEATURES, 3)))
        values = factors @ axes.T + 0.05 * rng.standard_normal((len(split), N_FEATURES))
        columns = [f"f{i}" for i in range(N_FEATURES)]
        frames[name] = pd.DataFrame(values.astype(np.float32), split.index, columns)
    return frames


def size_study(processed: dict[str, pd.DataFrame], split: pd.DataFrame, sizes: tuple[int, ...]):
    """Return the study of some latent sizes, still to be given former results."""
    modalities = {
        name: {**config, "encoder": {"kind": "pca"}} for name, config in MODALITIES.items()
    }
    return partial(
        train_latent_sizes,
        processed=lazily(processed),
        split=split,
        clinical=pd.DataFrame(index=split.index),
        modalities=modalities,
        embedding=EmbeddingConfig(),
        training=replace(TRAINING, learning_rate=5e-3),
        sampling=replace(SAMPLING, n_steps=10),
        evaluation=SimpleNamespace(forests=FORESTS),
        parameters=replace(PARAMETERS, latent_sizes=sizes),
        device="cpu",
        workers=1,
    )


@pytest.fixture(scope="module")
def two_types() -> pd.DataFrame:
    split = make_split()
    tables = processed_tables(split)
    first = tables["cna"].iloc[:, 0]
    return split.assign(cancer_type=np.where(first > 0, "LUAD", "BRCA"))


@pytest.fixture(scope="module")
def sizes_repeats(two_types) -> dict[str, Any]:
    study = size_study(processed_tables(two_types), two_types, (1, 3))
    return run_study(study, finished={})


def test_weights_sum_to_one_and_only_composed_ones_trust_the_expert(unseen, weights_repeats):
    table = tabulate_weights(weights_repeats, unseen, PARAMETERS)
    assert len(table) == len(SIZES) * 4
    columns = [f"weight_{name}" for name in (*SIZES, "expert")]
    assert table[columns].sum(axis=1).to_numpy() == pytest.approx(1.0)
    for target in SIZES:
        assert table.loc[table["target"] == target, f"weight_{target}"].isna().all()
    assert (table.loc[table["weights"] != "composed", "weight_expert"] == 0).all()
    equal = table[table["weights"] == "equal"]
    assert equal.iloc[0][["weight_rnaseq", "weight_rppa"]].tolist() == [0.5, 0.5]


def test_the_papers_weights_are_inverse_to_the_validation_mse_on_record(
    models, unseen, weights_repeats
):
    table = tabulate_weights(weights_repeats, unseen, PARAMETERS)
    row = table[(table["target"] == "cna") & (table["weights"] == "inverse_mse")].iloc[0]
    inverse = {
        source: 1 / models["single"][f"cna_from_{source}"].metadata["validation"]["mse"]
        for source in ("rnaseq", "rppa")
    }
    expected = inverse["rnaseq"] / sum(inverse.values())
    assert row["weight_rnaseq"] == pytest.approx(expected, rel=1e-5)


def test_the_worth_of_weights_is_a_difference_to_the_papers_on_the_same_noise(
    unseen, weights_repeats
):
    table = tabulate_weights(weights_repeats, unseen, PARAMETERS)
    assert (table["n_patients"] == 25).all()
    for _, rows in table.groupby("target"):
        fidelity = rows.set_index("weights")["r2_of_mean_mean"]
        gain = rows.set_index("weights")["r2_of_mean_gain"]
        assert gain.to_numpy() == pytest.approx((fidelity - fidelity["inverse_mse"]).to_numpy())
        assert gain["inverse_mse"] == 0
        assert (gain[["equal", "learned", "composed"]] != 0).all()
    # Each seed has noise of its own.
    assert (table["r2_of_mean_std"] > 0).all()


def test_weights_are_drawn_once_for_each_seed_and_not_again(unseen, weights_repeats):
    inputs = {"unseen": unseen, "sampling": SAMPLING, "workers": 1}

    def n_drawn(parameters):
        yielded = draw_with_weights(**inputs, finished=weights_repeats, parameters=parameters)
        return sum(not name.endswith("/complete") for part in yielded for name in part)

    assert n_drawn(PARAMETERS) == 0
    assert n_drawn(replace(PARAMETERS, n_repeats=3)) == 1
    assert n_drawn(replace(PARAMETERS, n_draws=6)) == 2


def test_a_threshold_of_nothing_rejects_all_draws_and_the_largest_none(rejection_table):
    by_change = rejection_table.groupby("threshold_change")
    strict, lax = by_change.get_group(-0.9999), by_change.get_group(1.0)
    assert (strict[["redrawn_share", "rejected_share"]] == 1).all(axis=None)
    assert (strict["mean_attempts"] == 3).all()
    assert (lax[["redrawn_share", "rejected_share"]] == 0).all(axis=None)
    assert (lax["mean_attempts"] == 1).all()
    assert (lax["threshold"] == 2.0).all()
    assert (strict["threshold"] < 0.001).all()


def test_draws_of_a_threshold_that_rejects_nothing_are_those_of_the_one_in_use(rejection_table):
    keys = ["settings", "target"]
    rows = rejection_table.set_index([*keys, "threshold_change"])
    use, lax, strict = (rows.xs(c, level="threshold_change") for c in (0.0, 1.0, -0.9999))
    untouched = use["redrawn_share"] == 0
    assert untouched.any()
    assert (lax.loc[untouched, "r2_of_mean_gain"] == 0).all()
    assert (strict["r2_of_mean_gain"] != 0).all()
    assert (use["r2_of_mean_gain"] == 0).all()
    assert set(rejection_table["settings"]) == {"present", "paper_like"}


def test_what_stands_for_the_papers_settings_has_its_weights_and_even_stochastic_steps(unseen):
    config = paper_like(SAMPLING, 10)
    ensemble = unseen.models.ensemble(
        "cna", "coherent", ("rnaseq", "rppa"), replace(config, recalibrate=False)
    )
    strides = -np.diff(ensemble.sampler.timesteps)
    assert len(ensemble.sampler.timesteps) == 10
    assert set(strides) == {111}
    assert ensemble.sampler.eta == 1.0
    assert (ensemble.expert_weights == 0).all()


def test_latents_as_large_as_the_rank_explain_more_than_smaller_ones(sizes_repeats):
    table = tabulate_latent_sizes(sizes_repeats, PARAMETERS)
    decoded = table[table["space"] == "decoded"].pivot_table(
        index=["target", "method"], columns="latent_size", values="r2_of_mean_mean"
    )
    real = decoded.xs("real", level="method")
    assert (real[3] > 0.95).all()
    assert (real[1] < 0.6).all()
    coherent = decoded.xs("coherent", level="method")
    assert (coherent[3] > coherent[1] + 0.1).all()
    assert (coherent[3] < real[3]).all()
    assert (table["note"] == "").all()
    assert set(table["dimensions"]) == {1, 3}


def test_cancer_types_are_predicted_from_measured_and_from_generated_latents(sizes_repeats):
    table = tabulate_latent_sizes(sizes_repeats, PARAMETERS)
    latent = table[table["space"] == "latent"]
    scores = latent.pivot_table(
        index=["latent_size", "target"], columns="method", values="type_f1_mean"
    )
    # Of 25 patients; chance is 0.5. The sources tell the target nearly exactly.
    assert (scores.loc[3, ["real", "coherent"]] > 0.75).all(axis=None)
    assert (scores.loc[3, "real"] > scores.loc[1, "real"]).any()
    assert table.loc[table["space"] == "decoded", "type_f1_mean"].isna().all()


def test_a_further_size_leaves_the_former_ones_as_they_are(two_types, sizes_repeats):
    processed = processed_tables(two_types)
    study = size_study(processed, two_types, (1, 3))
    assert [list(part) for part in study(finished=sizes_repeats)] == [
        [name for name in sizes_repeats if name.endswith("/complete")]
    ]
    study = size_study(processed, two_types, (1, 2, 3))
    parts = list(study(finished=sizes_repeats))
    assert [name.split("/")[1] for part in parts for name in part] == ["2", "complete"]
    merged = all_repeats(lazily(parts[-1]), "latent sizes")
    former = all_repeats(sizes_repeats, "latent sizes")
    pd.testing.assert_frame_equal(merged[merged["latent_size"] != 2].reset_index(drop=True), former)


def test_a_size_beyond_the_features_is_capped_and_one_type_is_noted(caplog):
    split = make_split()
    study = size_study(processed_tables(split), split, (7,))
    repeats = run_study(
        partial(study, parameters=replace(PARAMETERS, latent_sizes=(7,), max_steps=10)), finished={}
    )
    table = tabulate_latent_sizes(repeats, PARAMETERS)
    assert set(table["latent_size"]) == {7}
    assert set(table["dimensions"]) == {N_FEATURES}
    assert table["note"].str.startswith("6 dimensions: there are no more features").all()
    assert table["note"].str.contains("all 110 training patients have the cancer type LUAD").all()
    assert table["type_f1_mean"].isna().all()


def test_a_size_without_independent_directions_is_left_out_with_its_reason(two_types, caplog):
    processed = processed_tables(two_types)
    processed["rppa"] = processed["rppa"].assign(f5=processed["rppa"]["f4"])
    study = size_study(processed, two_types, (3, 6))
    quick = replace(PARAMETERS, latent_sizes=(3, 6), max_steps=10)
    table = tabulate_latent_sizes(run_study(partial(study, parameters=quick), finished={}), quick)
    failed = table[table["latent_size"] == 6]
    assert failed["note"].str.contains("rppa: 1 of 6 latent dimensions have no spread").all()
    assert failed["r2_of_mean_mean"].isna().all()
    assert table.loc[table["latent_size"] == 3, "note"].eq("").all()
    assert "Latent size 6 is left out" in caplog.text


def search(**changes: Any) -> list[Checkpoint]:
    split = make_split()
    return list(
        search_hyperparameters(
            frames=make_latents(split),
            conditions=make_conditions(make_latents(split)),
            split=split,
            former=Checkpoint({}),
            config=TRAINING,
            tuning=replace(TUNING, **changes),
            device="cpu",
        )
    )


def test_hyperparameters_say_plainly_that_no_search_was_run():
    table = tabulate_hyperparameters(Checkpoint({}), TRAINING, TUNING, PARAMETERS).set_index("row")
    assert table.loc["paper_grid", "n_layers"] == "4, 5"
    assert table.loc["searched", "learning_rate"] == "0.01, 0.001"
    assert table.loc["in_use", "learning_rate"] == TRAINING.learning_rate
    assert table.loc["in_use", "n_layers"] == TRAINING.architecture.n_layers
    assert table.loc["best", "note"] == "no search has been run: kedro run --pipeline tuning"


def test_hyperparameters_of_a_finished_search_are_the_best_of_each_model():
    states = search()
    table = tabulate_hyperparameters(states[-1], TRAINING, TUNING, PARAMETERS)
    best = table[table["row"] == "best"]
    assert set(best["model"]) == {f"{a}_from_{b}" for a in SIZES for b in SIZES if a != b} | {"all"}
    assert (best["energy_score"] <= best["default_energy_score"]).all()
    assert (best["note"] == "").all()
    unfinished = tabulate_hyperparameters(states[0], TRAINING, TUNING, PARAMETERS)
    assert unfinished.iloc[-1]["note"].startswith("the search ended after 0 of 1 trials")
    changed = replace(TRAINING, learning_rate=0.5)
    other = tabulate_hyperparameters(states[-1], changed, TUNING, PARAMETERS)
    assert other.iloc[-1]["note"].startswith("the search was run with other parameters")


def test_the_pipeline_writes_every_table_and_figure(
    models, repo_root, tmp_path, monkeypatch, two_types, lanes_of
):
    lanes_of(MODALITIES)
    monkeypatch.chdir(tmp_path)
    config = OmegaConfigLoader(
        conf_source=str(repo_root / "conf"), base_env="base", default_run_env="local", env="demo"
    )
    names = (
        *("{name}_table", "{name}_figure", "former_tuning_state"),
        *("repeats/{study}", "finished_repeats/{study}"),
    )
    catalog = DataCatalog.from_config({name: config["catalog"][name] for name in names})
    memory = {
        "clinical": pd.DataFrame(index=models["split"].index),
        "split": models["split"],
        **by_lane(
            **{
                kind: lazily(models[kind])
                for kind in ("latents", "single", "multi", "consensus", "linear")
            },
            codes=lazily(make_codes(models["latents"])),
            processed=lazily(processed_tables(two_types)),
        ),
        "params:modalities": {
            name: {**settings, "encoder": {"kind": "pca"}} for name, settings in MODALITIES.items()
        },
        "params:diffusion_training": TRAINING,
        "params:coherent_sampling": SAMPLING,
        "params:embedding": EmbeddingConfig(),
        "params:evaluation": SimpleNamespace(forests=FORESTS),
        "params:tuning": TUNING,
        "params:ensemble_studies": replace(
            PARAMETERS, n_repeats=1, latent_sizes=(1, 2), max_steps=10
        ),
        "params:compute.device": "cpu",
        "params:compute.workers": 2,
    }
    for name, data in memory.items():
        catalog[name] = MemoryDataset(data, copy_mode="assign")
    SequentialRunner().run(create_pipeline(), catalog)
    folder = Path("data/08_reporting/demo")
    rows = {"s7_hyperparameters": 4, "s8_weights": 12, "s9_rejection": 18, "s10_latent_size": 36}
    for name, n_rows in rows.items():
        assert len(pd.read_csv(folder / f"{name}.csv")) == n_rows
    for name in list(rows)[1:]:
        assert min(imread(folder / f"{name}.png").shape[:2]) > 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": ["composed"]}, r"ensemble_studies\.weights lacks inverse_mse"),
        ({"threshold_changes": [0.3]}, r"threshold_changes lacks 0"),
        ({"latent_sizes": []}, "latent_sizes"),
        ({"paper_grid": {"depth": [3]}}, r"paper_grid\.depth is no hyperparameter"),
        ({"n_repeat": 3}, "n_repeat"),
    ],
)
def test_a_bad_parameter_is_refused_before_the_run_by_its_key(repo_root, change, message):
    with open(repo_root / "conf/base/parameters/ensemble_studies.yml", encoding="utf-8") as file:
        parameters = yaml.safe_load(file)["ensemble_studies"]
    validator = ParameterValidator({"ensemble_studies": create_pipeline()})
    good = validator.validate_raw_params({"ensemble_studies": parameters})["ensemble_studies"]
    assert good.latent_sizes == (8, 16, 32, 64, 128)
    with pytest.raises(Exception, match=message):
        validator.validate_raw_params({"ensemble_studies": parameters | change})


def test_the_studies_are_no_part_of_the_main_job():
    assert "ensemble_studies" not in MAIN_JOB
