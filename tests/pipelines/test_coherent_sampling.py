from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import CoherenceConfig, SamplingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.sampling.consensus import halves_of_validation
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.figures.recalibration import draw_recalibration
from tcga_coherent.modality import parse_modalities
from tcga_coherent.pipelines.coherent_sampling.nodes import (
    draw_coherence_figure,
    draw_test_split,
    recalibrate_spread,
)
from tcga_coherent.pipelines.coherent_sampling.probe import PROBE_DRAWS, probe_coherence
from tests.pipelines.latent_cohort import (
    ALL_SETS,
    MODALITIES,
    SAMPLING,
    SIZES,
    load_trained,
    make_conditions,
    make_encoders,
    make_latents,
    make_split,
    train_all,
)

Models = dict[str, dict[str, Checkpoint]]
PARSED = parse_modalities(MODALITIES)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def split() -> pd.DataFrame:
    return make_split()


@pytest.fixture(scope="module")
def latents(split: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return make_latents(split)


@pytest.fixture(scope="module")
def models(latents: dict[str, pd.DataFrame], split: pd.DataFrame) -> Models:
    return train_all(latents, split, make_encoders())


def of_target(
    latents: dict[str, pd.DataFrame], models: Models, target: str, *others: str
) -> TrainedModels:
    """Return what a target's nodes are given, with what is there of the kinds of `others`."""
    own = {
        kind: {
            name: model
            for name, model in stored.items()
            if name == target or name.startswith(f"{target}_from_")
        }
        for kind, stored in models.items()
    }
    return load_trained(latents, own, *others)


def draw(
    latents: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: Models,
    config: SamplingConfig = SAMPLING,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the draws of all targets and the coherence of all."""
    drawn = {
        target: draw_test_split(
            latents,
            make_conditions(latents),
            split,
            of_target(latents, models, target, "recalibration"),
            ALL_SETS,
            config,
            target,
        )
        for target in SIZES
    }
    draws = {
        f"{target}/{name}": frame
        for target, (found, _) in drawn.items()
        for name, frame in found.items()
    }
    return draws, pd.concat([rows for _, rows in drawn.values()], ignore_index=True)


def recalibrate(
    latents: dict[str, pd.DataFrame],
    split: pd.DataFrame,
    models: Models,
    config: SamplingConfig = SAMPLING,
) -> tuple[dict[str, Checkpoint], pd.DataFrame]:
    """Return the factors of all targets and the table of all."""
    fitted = {
        target: recalibrate_spread(
            latents,
            make_conditions(latents),
            split,
            of_target(latents, models, target),
            ALL_SETS,
            config,
            target,
        )
        for target in SIZES
    }
    table = pd.concat([rows for _, rows in fitted.values()], ignore_index=True)
    return {target: checkpoint for target, (checkpoint, _) in fitted.items()}, table


def with_recalibration(models: Models, **metadata: Any) -> Models:
    """Return the models with other metadata of the recalibration of cna."""
    fitted = models["recalibration"]["cna"]
    other = Checkpoint(fitted.arrays, {**fitted.metadata, **metadata})
    return {**models, "recalibration": {**models["recalibration"], "cna": other}}


@pytest.fixture(scope="module")
def drawn(latents, split, models) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    return draw(latents, split, models)


def test_every_target_is_drawn_from_every_set_of_sources(drawn, split) -> None:
    draws, coherence = drawn
    expected = set()
    for target in SIZES:
        others = [name for name in SIZES if name != target]
        for size in (1, 2):
            for sources in combinations(others, size):
                for method in ("single", "multi", "coherent")[size > 1 :]:
                    expected.add(f"{target}/{method}/{'+'.join(sources)}")
    assert set(draws) == expected
    test = list(split.index[split["split"] == "test"])
    for name, frame in draws.items():
        assert list(frame.columns) == [f"z{i:02d}" for i in range(SIZES[name.split("/")[0]])]
        assert frame.index.names == ["patient_id", "draw"]
        assert list(frame.index) == [(p, k) for p in test for k in range(SAMPLING.n_draws)]
        assert (frame.dtypes == np.float32).all()
        assert np.isfinite(frame).all(axis=None)
        by_patient = frame.groupby(level="patient_id").std()
        assert (by_patient > 0).all(axis=None)
    keys = coherence[["target", "method", "source"]].agg("/".join, axis=1)
    assert list(keys) == list(draws)


def test_one_model_cannot_disagree_with_itself(drawn) -> None:
    _, coherence = drawn
    alone = coherence["method"] != "coherent"
    assert (coherence.loc[alone, "cosine_distance_mean"] == 0).all()
    assert (coherence.loc[~alone, "cosine_distance_mean"] > 0).all()
    assert (coherence.loc[alone, ["redrawn_share", "rejected_share"]] == 0).all(axis=None)


def test_draws_of_a_patient_do_not_depend_on_the_others_nor_on_the_number_of_draws(
    latents, split, models
) -> None:
    few = split.copy()
    kept = split.index[split["split"] == "test"][[3, 7]]
    few.loc[(few["split"] == "test") & ~few.index.isin(kept), "split"] = "none"
    # Recalibrated draws depend on their mean, and the second half of antithetic ones on the first.
    plain = replace(SAMPLING, antithetic=False, recalibrate=False)
    drawn, _ = draw(latents, split, models, plain)
    again, _ = draw(latents, few, models, replace(plain, n_draws=SAMPLING.n_draws + 2))
    for name, frame in again.items():
        first = frame[frame.index.get_level_values("draw") < SAMPLING.n_draws]
        np.testing.assert_allclose(first, drawn[name].loc[kept], atol=1e-5)


def test_the_latents_of_a_target_are_never_its_own_source(drawn, latents, split, models) -> None:
    test = split.index[split["split"] == "test"]
    changed = {**latents, "cna": latents["cna"].copy()}
    changed["cna"].loc[test] += np.float32(5)
    given = make_conditions(changed)
    retagged = {
        family: {name: replace_fingerprint(model, given) for name, model in named.items()}
        if family in ("single", "multi", "linear")
        else named
        for family, named in models.items()
    }
    again, _ = draw(changed, split, retagged)
    for name, frame in again.items():
        target, _, source = name.split("/")
        differs = not np.allclose(frame, drawn[0][name], atol=1e-4)
        assert differs == ("cna" in source), name
        assert target != "cna" or not differs


def replace_fingerprint(model: Checkpoint, conditions: dict[str, pd.DataFrame]) -> Checkpoint:
    """Pretend that a model was trained on other latents."""
    known = model.metadata["fingerprints"]
    prints = {name: fingerprint_frame(conditions[name]) for name in known["latents"]}
    return Checkpoint(
        model.arrays, {**model.metadata, "fingerprints": {**known, "latents": prints}}
    )


def test_draws_that_stay_incoherent_are_made_again_and_counted(latents, split, models) -> None:
    strict = CoherenceConfig(threshold=1e-6, max_incoherent_share=0.0, max_attempts=2)
    config = replace(SAMPLING, recalibrate=False, coherence=strict)
    _, coherence = draw(latents, split, models, config)
    together = coherence["method"] == "coherent"
    # Two denoisers never agree that well; one of them may be given all the weight.
    assert coherence.loc[together, "rejected_share"].max() == 1
    assert coherence.loc[together, "redrawn_share"].max() == 1
    assert (coherence.loc[~together, "rejected_share"] == 0).all()


def test_a_denoiser_that_was_not_trained_is_named(latents, split, models) -> None:
    without = {k: v for k, v in models["single"].items() if k != "rppa_from_cna"}
    with pytest.raises(ValueError, match=r"No trained denoiser rppa_from_cna\. Run the diffusion"):
        draw(latents, split, {**models, "single": without})


def test_the_figure_shows_coherence(drawn) -> None:
    figure = draw_coherence_figure(drawn[1], PARSED, SAMPLING)()
    several = drawn[1]["source"].str.contains("+", regex=False)
    ensembles = drawn[1][(drawn[1]["method"] == "coherent") & several]
    distances, rejected = figure.axes
    assert len(ensembles) == 3
    assert [label.get_text() for label in distances.get_yticklabels()] == [
        "CNA from RNASEQ + RPPA",
        "RNASEQ from CNA + RPPA",
        "RPPA from CNA + RNASEQ",
    ]
    bars = [bar.get_width() for bar in distances.patches]
    assert bars == pytest.approx(ensembles["cosine_distance_mean"].tolist())
    pale, full = np.split(np.array([bar.get_width() for bar in rejected.patches]), 2)
    assert pale == pytest.approx(100 * ensembles["redrawn_share"])
    assert full == pytest.approx(100 * ensembles["rejected_share"])


def test_the_spread_is_fitted_on_draws_whose_weights_never_saw_the_patient(
    latents, split, models, monkeypatch
) -> None:
    """With weights of one half that are all on one member, the other half is drawn by it alone."""
    # Two denoisers, three linear experts, and two that know of no source.
    moments = {half: np.diag(np.where(np.arange(7) == half, 1e-9, 1.0)) for half in (0, 1)}
    consensus = {
        target: Checkpoint(
            {
                **checkpoint.arrays,
                "halves": np.stack(
                    [
                        np.stack([moments[half]] * len(checkpoint.arrays["timesteps"]))
                        for half in (0, 1)
                    ]
                ),
            },
            checkpoint.metadata,
        )
        for target, checkpoint in models["consensus"].items()
    }
    fitted_on: list[np.ndarray] = []

    def record(truth: np.ndarray, draws: np.ndarray) -> float:
        fitted_on.append(draws)
        return 1.0

    monkeypatch.setattr("tcga_coherent.pipelines.coherent_sampling.nodes.fit_spread", record)
    _, table = recalibrate(
        latents,
        split,
        {**models, "consensus": consensus},
        replace(SAMPLING, weights="learned"),
    )
    drawn = dict(
        zip(table[["target", "method", "source"]].agg("/".join, axis=1), fitted_on, strict=True)
    )
    halves = halves_of_validation(list(split.index[split["split"] == "val"]))
    together = drawn["cna/coherent/rnaseq+rppa"]
    # Weights of the first half trust the first source alone, and draw the second half.
    for half, source in ((1, "rnaseq"), (0, "rppa")):
        alone = drawn[f"cna/single/{source}"]
        np.testing.assert_allclose(together[:, halves == half], alone[:, halves == half], atol=1e-3)
        assert np.abs(together - alone)[:, halves != half].max() > 0.1


def test_the_spread_is_fitted_for_every_way_to_generate_a_modality(latents, split, models) -> None:
    checkpoints, table = recalibrate(latents, split, models)
    assert list(checkpoints) == list(SIZES)
    for target, checkpoint in checkpoints.items():
        rows = table[table["target"] == target]
        keys = rows[["target", "method", "source"]].agg("/".join, axis=1)
        assert list(keys) == checkpoint.metadata["names"]
        np.testing.assert_array_equal(checkpoint.arrays["spreads"], rows["spread"])
    assert len(table) == len(SIZES) * 8
    assert (table["crps_after"] <= table["crps_before"] + 1e-4).all()
    assert isinstance(draw_recalibration(table, PARSED), Figure)


def test_only_chosen_sets_are_recalibrated_and_drawn(latents, split, models) -> None:
    sets = {"cna": [("rnaseq",), ("rnaseq", "rppa")]}
    ways = [
        *("single/rnaseq", "multi/rnaseq", "coherent/rnaseq"),
        *("multi/rnaseq+rppa", "coherent/rnaseq+rppa"),
    ]
    trained = of_target(latents, models, "cna")
    checkpoint, table = recalibrate_spread(
        latents, make_conditions(latents), split, trained, sets, SAMPLING, "cna"
    )
    assert checkpoint.metadata["names"] == [f"cna/{way}" for way in ways]
    assert len(table) == len(ways)
    trained = of_target(
        latents, {**models, "recalibration": {"cna": checkpoint}}, "cna", "recalibration"
    )
    draws, coherence = draw_test_split(
        latents, make_conditions(latents), split, trained, sets, SAMPLING, "cna"
    )
    assert list(draws) == ways
    assert len(coherence) == len(ways)


def test_no_spread_is_fitted_where_none_is_wanted(latents, split, models) -> None:
    raw = replace(SAMPLING, recalibrate=False)
    checkpoints, table = recalibrate(latents, split, models, raw)
    assert all(checkpoint.metadata["names"] == [] for checkpoint in checkpoints.values())
    assert table.empty
    assert "coverage_90_after" in table
    assert isinstance(draw_recalibration(table, PARSED), Figure)
    without = {**models, "recalibration": checkpoints}
    draws, _ = draw(latents, split, without, raw)
    assert draws
    with pytest.raises(ValueError, match="No recalibration was fitted for cna/single/rnaseq"):
        draw(latents, split, without)


def test_recalibrated_draws_have_the_mean_of_the_raw_ones_and_another_spread(
    drawn, latents, split, models
) -> None:
    raw, _ = draw(latents, split, models, replace(SAMPLING, recalibrate=False))
    spreads = {
        name: spread
        for fitted in models["recalibration"].values()
        for name, spread in zip(fitted.metadata["names"], fitted.arrays["spreads"], strict=True)
    }
    for name, frame in drawn[0].items():
        by_patient = raw[name].groupby(level="patient_id").transform("mean")
        expected = by_patient + spreads[name] * (raw[name] - by_patient)
        np.testing.assert_allclose(frame, expected, atol=1e-4)


def test_a_recalibration_of_other_models_is_refused(latents, split, models) -> None:
    other = with_recalibration(models, denoisers={})
    with pytest.raises(ValueError, match="denoiser cna_from_rnaseq was trained again"):
        draw(latents, split, other)


@pytest.fixture(scope="module")
def probe(latents, split, models) -> pd.DataFrame:
    rows = [
        probe_coherence(
            latents,
            make_conditions(latents),
            split,
            of_target(latents, models, target, "recalibration"),
            models["fitted"]["agreement"],
            SAMPLING,
            target,
        )
        for target in SIZES
    ]
    return pd.concat(rows, ignore_index=True)


def test_every_source_is_exchanged_once_and_never_with_a_patients_own(probe, split) -> None:
    test = split.index[split["split"] == "test"]
    assert set(probe["patient_id"]) == set(test)
    counts = probe.groupby(["target", "swapped"]).size()
    assert len(counts) == len(SIZES) * len(SIZES)
    assert (counts == len(test) * PROBE_DRAWS).all()
    by_patient = probe.groupby(["target", "swapped", "patient_id"])
    mean_error = by_patient["squared_error"].mean()
    # The error of the mean is that of the draws less their variance.
    assert (by_patient["error_of_mean"].first() < mean_error).all()
    for target in SIZES:
        disagreement = by_patient["disagreement"].first()[target]
        for source in set(SIZES) - {target}:
            assert (disagreement[source] != disagreement[""]).all()


def test_exchanged_sources_disagree_more(probe) -> None:
    patients = probe.groupby(["target", "swapped", "patient_id"])["disagreement"].first()
    usual = patients.xs("", level="swapped").groupby("target").mean()
    exchanged = patients.drop("", level="swapped").groupby("target").mean()
    assert (exchanged > usual + 1).all()
