import dataclasses

import pytest

from tcga_coherent.completion.bundle import Bundle
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import CompletionConfig
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.pipelines.bundle.nodes import check_bundle, gather_bundle
from tcga_coherent.pipelines.bundle.pipeline import create_pipeline
from tests.completion.small_cohort import SETTINGS, Cohort, make_cohort
from tests.pipelines.latent_cohort import SAMPLING, lazily


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_cohort()


def test_a_bundle_is_gathered_of_models_and_parameters_and_names_no_folder(
    cohort: Cohort, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = ("single", "multi", "consensus", "linear", "recalibration")
    of_a_run = {"input_dir": "mine", "output_dir": "yours", "models": "theirs", "h5mu": True}
    bundle = gather_bundle(
        lazily(cohort.preprocessors),
        lazily(cohort.encoders),
        *(lazily(cohort.models[kind]) for kind in kinds),
        lazily({**cohort.models["downstream"], "cancer_type": Checkpoint({})}),
        cohort.models["fitted"]["agreement"],
        {**SETTINGS, "wsi": None},
        BarcodeRule("plain"),
        SAMPLING,
        CompletionConfig(method="multi", **of_a_run),
    )
    assert check_bundle(bundle) is bundle
    assert "The bundle holds downstream models of stage. Who has" in caplog.text
    assert set(bundle.parameters["modalities"]) == set(SETTINGS)
    assert bundle.parameters["barcodes"]["scheme"] == "plain"
    assert bundle.parameters["coherent_sampling"]["n_draws"] == SAMPLING.n_draws
    assert bundle.parameters["completion"] == {
        "method": "multi",
        "condition_on_generated": False,
        "input_dir": None,
        "output_dir": None,
        "models": None,
        "h5mu": False,
        "costs": None,
    }
    assert set(bundle.of_kind("single")) == set(cohort.models["single"])
    # What was never made has no file.
    assert set(bundle.of_kind("downstream")) == {"stage", "survival"}


def test_models_that_do_not_belong_together_are_not_bundled(cohort: Cohort) -> None:
    bundle = cohort.bundle
    other = {**bundle.parameters["coherent_sampling"], "n_steps": 9}
    changed = dataclasses.replace(
        bundle, parameters={**bundle.parameters, "coherent_sampling": other}
    )
    with pytest.raises(ValueError, match="recalibration of the draws does not fit: n_steps was 5"):
        check_bundle(changed)
    checkpoints = {**bundle.checkpoints, "encoders/cna": bundle.checkpoints["encoders/rnaseq"]}
    with pytest.raises(ValueError, match="was trained on other encoders of cna"):
        check_bundle(Bundle(checkpoints, bundle.parameters))
    model = bundle.checkpoints["downstream/stage"]
    others = {**model.metadata, "encoders": {**model.metadata["encoders"], "cna": "another"}}
    checkpoints = {**bundle.checkpoints, "downstream/stage": Checkpoint(model.arrays, others)}
    with pytest.raises(ValueError, match="model of stage was trained on latents of other encoders"):
        check_bundle(Bundle(checkpoints, bundle.parameters))


def test_no_table_of_patients_is_read(lanes_of) -> None:
    lanes_of(SETTINGS)
    inputs = create_pipeline().inputs()
    kinds = {name.split("/")[0] for name in inputs if not name.startswith("params:")}
    assert kinds == {
        "preprocessors",
        "encoders",
        "single",
        "multi",
        "consensus",
        "linear",
        "recalibration",
        "downstream",
        "agreement",
    }
