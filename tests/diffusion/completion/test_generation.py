import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from tcga_coherent.diffusion.checkpoints import describe_denoiser, load_denoiser
from tcga_coherent.diffusion.completion.agreement import fit_agreement
from tcga_coherent.diffusion.completion.generation import (
    UNUSUAL_PERCENTILE,
    complete_latents,
    warn_of_few_references,
)
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.sampling.ensemble import Ensemble
from tcga_coherent.diffusion.sampling.recalibration import Recalibration, fitted_settings
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.diffusion.training.tasks import multi_tasks, single_tasks
from tcga_coherent.diffusion.training.trainer import StackTrainer, group_by_shape

CPU = torch.device("cpu")
PRINTS = {"a": "1", "b": "2", "c": "3"}
SAMPLING = SamplingConfig(n_draws=4, n_steps=10, weights="inverse_mse", recalibrate=False)


def complete(latents, *others):
    """Complete patients whose codes are their latents."""
    code_of = dict.fromkeys(latents, np.asarray)
    return complete_latents(latents, latents, code_of, *others)


@pytest.fixture
def models(latents, split, quick):
    loaded = {}
    config = dataclasses.replace(quick, batch_size=128, max_steps=300)
    for family, make_tasks in (("single", single_tasks), ("multi", multi_tasks)):
        ((shape, group),) = group_by_shape(make_tasks(latents, split), config).items()
        trainer = StackTrainer(group, shape, config, CPU)
        for _ in trainer.train():
            pass
        loaded[family] = {
            r.task.name: load_denoiser(
                r.weights, describe_denoiser(r, config, PRINTS, PRINTS), "latents", PRINTS, CPU
            )
            for r in trainer.results()
        }
    return TrainedModels(loaded["single"], loaded["multi"], errors={})


@pytest.fixture
def agreement(latents, split):
    return fit_agreement(latents, split)


@pytest.fixture
def incomplete(latents):
    """Patients with every pattern of presence."""
    patients = latents["a"].index.intersection(latents["b"].index).intersection(latents["c"].index)
    return {
        "a": latents["a"].loc[patients[:20]],
        "b": latents["b"].loc[patients[10:30]],
        "c": latents["c"].loc[patients[[0, 12, 25, 35]]],
    }


@pytest.mark.parametrize("method", ["coherent", "multi"])
def test_every_missing_modality_is_generated_once(method, models, agreement, incomplete):
    generated = complete(incomplete, models, agreement, SAMPLING, CompletionConfig(method=method))
    everyone = set().union(*(frame.index for frame in incomplete.values()))
    for target, part in generated.items():
        lacking = sorted(everyone - set(incomplete[target].index))
        assert part.draws.index.tolist() == [(p, d) for p in lacking for d in range(4)]
        assert np.isfinite(part.draws.to_numpy()).all()
        flags = part.flags.set_index("patient_id")
        assert sorted(flags.index) == lacking
        for patient in lacking:
            sources = [s for s in incomplete if patient in incomplete[s].index]
            assert flags.loc[patient, "sources"] == "+".join(sources)


def test_a_patient_is_completed_alike_in_any_company(models, agreement, incomplete):
    whole = complete(incomplete, models, agreement, SAMPLING, CompletionConfig())
    patient = incomplete["a"].index[3]
    alone = complete(
        {name: frame.loc[frame.index == patient] for name, frame in incomplete.items()},
        models,
        agreement,
        SAMPLING,
        CompletionConfig(),
    )
    pd.testing.assert_frame_equal(
        whole["b"].draws.loc[[patient]], alone["b"].draws.loc[[patient]], atol=1e-5, rtol=0
    )


def test_completion_knows_more_than_the_mean(models, agreement, incomplete, latents):
    generated = complete(incomplete, models, agreement, SAMPLING, CompletionConfig())
    mean = generated["b"].draws.groupby(level="patient_id").mean()
    truth = latents["b"].loc[mean.index]
    assert np.square(mean - truth).to_numpy().mean() < 0.8 * np.square(truth).to_numpy().mean()


def test_generated_modalities_can_be_sources_of_later_ones(models, agreement, incomplete):
    settings = CompletionConfig(condition_on_generated=True)
    generated = complete(incomplete, models, agreement, SAMPLING, settings)
    order = models.completion_order(list(incomplete), "coherent")
    # A patient with one observed modality: the later target uses the earlier one too.
    only_a = (
        incomplete["a"].index.difference(incomplete["b"].index).difference(incomplete["c"].index)[0]
    )
    earlier, later = [target for target in order if target != "a"]
    sources = {
        target: generated[target].flags.set_index("patient_id").loc[only_a, "sources"]
        for target in (earlier, later)
    }
    assert sources[earlier] == "a"
    assert set(sources[later].split("+")) == {"a", earlier}


def test_a_generated_source_has_the_code_of_its_draws(models, agreement, incomplete, monkeypatch):
    given = []
    draw = Ensemble.draw

    def recording(self, conditions, keys):
        given.extend(conditions.values())
        return draw(self, conditions, keys)

    monkeypatch.setattr(Ensemble, "draw", recording)
    complete(incomplete, models, agreement, SAMPLING, CompletionConfig(condition_on_generated=True))
    generated = [values for values in given if values.dim() == 3]
    assert generated
    for values in given:
        # Codes are latents here, measured or generated.
        latents, code = values.tensor_split(2, dim=-1)
        torch.testing.assert_close(code, latents)


def test_draws_whose_spread_was_fitted_for_other_sources_say_so(models, agreement, incomplete):
    known = {
        f"{t}/{m}": 0.5
        for t, m in (("a", "coherent/b+c"), ("b", "coherent/a"), ("c", "coherent/a"))
    }
    models = dataclasses.replace(
        models, recalibration=Recalibration(known, fitted_settings(SAMPLING), models.validation_mse)
    )
    settings = dataclasses.replace(SAMPLING, recalibrate=True)
    generated = complete(incomplete, models, agreement, settings, CompletionConfig())
    flags = generated["b"].flags.set_index("sources")["reason"]
    assert (flags.loc["a"] == "").all()
    assert flags.loc[["c", "a+c"]].str.startswith("the spread is that of draws from a:").all()
    raw = complete(
        incomplete,
        models,
        agreement,
        dataclasses.replace(SAMPLING, recalibrate=False),
        CompletionConfig(),
    )
    for target in incomplete:
        sd, plain = (
            made[target].draws.groupby(level="patient_id").std() for made in (generated, raw)
        )
        np.testing.assert_allclose(sd, 0.5 * plain, rtol=1e-3)


@pytest.mark.parametrize("enough", [True, False])
def test_sources_that_do_not_belong_to_one_patient_are_pointed_out(
    enough, models, agreement, incomplete, latents, caplog
):
    """The latents of all modalities share a factor: its negative contradicts it.

    Below 99 validation patients nobody can say what 99 % stay below.
    """
    size = 99 if enough else 98
    repeated = {
        chosen: np.sort(np.resize(values, size)) for chosen, values in agreement.reference.items()
    }
    agreement = dataclasses.replace(agreement, reference=repeated)
    patient = (
        incomplete["a"]
        .index.intersection(incomplete["b"].index)
        .difference(incomplete["c"].index)[:1]
    )
    found = {}
    for sign in (1.0, -1.0):
        given = {name: frame.loc[frame.index.isin(patient)] for name, frame in incomplete.items()}
        given["a"] = sign * 3.0 * np.sign(given["a"])
        given["b"] = 3.0 * np.sign(given["a"]) * sign
        generated = complete(given, models, agreement, SAMPLING, CompletionConfig())
        found[sign] = generated["c"].flags.iloc[0]
    assert found[1.0]["disagreement"] < found[-1.0]["disagreement"]
    assert ("were samples exchanged?" in found[-1.0]["reason"]) == enough
    assert (found[-1.0]["disagreement"] >= UNUSUAL_PERCENTILE) == enough
    warn_of_few_references(agreement)
    assert ("it takes 99 validation patients" in caplog.text) != enough
    assert found[1.0]["reason"] == ""
