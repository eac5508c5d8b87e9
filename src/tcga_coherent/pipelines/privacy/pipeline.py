"""From trained models to what they give away of the patients they learned from."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.lanes import Datasets, all_pairs, each, lane_node

from .attacks import (
    attack_attributes,
    attack_generated_patients,
    attack_generation_from_nothing,
    attack_losses,
    regenerate_complete_patients,
    tabulate_attacks,
)
from .attacks_references import attack_with_halves, draw_utility_figure, train_on_halves
from .release_card import release_card_node
from .screening import screen_generated
from .unconditional import (
    draw_unconditional_figure,
    measure_unconditional,
    tabulate_unconditional,
)

CARD_TABLES = ["table3_privacy_table", "privacy_attacks_table", "screening_table"]


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the privacy pipeline; tags name its parts."""
    modalities = configured_modalities()
    cohort: list[Datasets] = [each("latents", modalities), "split", "presence"]
    models: list[Datasets] = [
        each("single", all_pairs(modalities)),
        each("multi", modalities),
        each("consensus", modalities),
    ]
    measured = (
        _unconditional(cohort, models)
        + _attacks(cohort, models, each("recalibration", modalities))
        + _references(cohort, models)
        + _screening(cohort, modalities)
    )
    return measured + Pipeline([release_card_node(CARD_TABLES)])


def _unconditional(cohort: list[Datasets], models: list[Datasets]) -> Pipeline:
    """Return generation without any patient, held against training patients."""
    settings = ["params:modalities", "params:coherent_sampling", "params:privacy"]
    return Pipeline(
        [
            lane_node(
                measure_unconditional,
                inputs=[
                    *cohort,
                    *models,
                    "finished_repeats/unconditional",
                    *settings,
                    "params:compute.device",
                    "params:compute.workers",
                ],
                outputs="repeats/unconditional",
                name="measure_unconditional",
                namespace="generation",
            ),
            lane_node(
                tabulate_unconditional,
                inputs=[
                    "repeats/unconditional",
                    *cohort,
                    "params:modalities",
                    "params:privacy",
                    "params:reported_by_paper",
                ],
                outputs="table3_privacy_table",
                name="tabulate_unconditional",
                namespace="generation",
            ),
            lane_node(
                draw_unconditional_figure,
                inputs=[*cohort, *models, *settings, "params:compute.device"],
                outputs="fig5_unconditional_figure",
                name="draw_unconditional_figure",
                namespace="generation",
            ),
        ],
        tags=["unconditional"],
    )


def _attacks(cohort: list[Datasets], models: list[Datasets], spread: Datasets) -> Pipeline:
    """Return the attacks on the released models and on what they generate."""
    device = "params:compute.device"
    drawing = ["params:modalities", "params:coherent_sampling", "params:privacy", device]
    return Pipeline(
        [
            lane_node(
                regenerate_complete_patients,
                inputs=[*cohort, *models, spread, *drawing],
                outputs="privacy_draws",
                name="regenerate_complete_patients",
                namespace="attacks",
                tags=["screening"],
            ),
            lane_node(
                attack_generated_patients,
                inputs=["privacy_draws", *cohort, "params:modalities", "params:privacy"],
                outputs="privacy_attacks/generated",
                name="attack_generated_patients",
                namespace="attacks",
            ),
            lane_node(
                attack_generation_from_nothing,
                inputs=[*cohort, *models, *drawing],
                outputs="privacy_attacks/unconditional",
                name="attack_generation_from_nothing",
                namespace="attacks",
            ),
            lane_node(
                attack_losses,
                inputs=[*cohort, *models, *drawing],
                outputs="privacy_attacks/membership",
                name="attack_losses",
                namespace="attacks",
            ),
            lane_node(
                attack_attributes,
                inputs=[
                    "privacy_draws",
                    *cohort,
                    "clinical",
                    "params:modalities",
                    "params:privacy",
                ],
                outputs="privacy_attacks/attributes",
                name="attack_attributes",
                namespace="attacks",
            ),
            lane_node(
                tabulate_attacks,
                inputs=[
                    "privacy_attacks/generated",
                    "privacy_attacks/unconditional",
                    "privacy_attacks/membership",
                    "privacy_attacks/references",
                    "privacy_attacks/attributes",
                    "params:modalities",
                    "params:privacy",
                ],
                outputs=["privacy_attacks_table", "privacy_attacks_figure"],
                name="tabulate_attacks",
                namespace="attacks",
            ),
        ],
        tags=["attacks"],
    )


def _references(cohort: list[Datasets], models: list[Datasets]) -> Pipeline:
    """Return the trainings whose members are known, and the attacks on them."""
    return Pipeline(
        [
            lane_node(
                train_on_halves,
                inputs=[
                    *cohort,
                    models[2],
                    "finished_repeats/privacy_halves",
                    "params:modalities",
                    "params:diffusion_training",
                    "params:coherent_sampling",
                    "params:privacy",
                    "params:compute.device",
                    "params:compute.workers",
                ],
                outputs="repeats/privacy_halves",
                name="train_on_halves",
                namespace="known_members",
            ),
            lane_node(
                attack_with_halves,
                inputs=[
                    "repeats/privacy_halves",
                    *cohort,
                    *models,
                    "params:modalities",
                    "params:diffusion_training",
                    "params:coherent_sampling",
                    "params:privacy",
                    "params:compute.device",
                ],
                outputs=["privacy_attacks/references", "privacy_utility_table"],
                name="attack_with_halves",
                namespace="known_members",
            ),
            lane_node(
                draw_utility_figure,
                inputs="privacy_utility_table",
                outputs="privacy_utility_figure",
                name="draw_utility_figure",
                namespace="known_members",
            ),
        ],
        tags=["attacks"],
    )


def _screening(cohort: list[Datasets], modalities: list[str]) -> Pipeline:
    """Return the search for generated records that are too close to a training patient."""
    return Pipeline(
        [
            lane_node(
                screen_generated,
                inputs=[
                    each("draws", modalities),
                    "completed_cohort/latent_draws",
                    "privacy_draws",
                    *cohort,
                    "params:modalities",
                    "params:completion",
                    "params:privacy",
                ],
                outputs=["screening_report_table", "screening_table", "screening_figure"],
                name="screen_generated",
                namespace="screening",
            )
        ],
        tags=["screening"],
    )
