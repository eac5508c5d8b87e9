"""From trained models to what they give away of the patients they learned from."""

from typing import Any

from kedro.pipeline import Node, Pipeline

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

COHORT = ["latents", "split", "presence"]
CARD_TABLES = ["table3_privacy_table", "privacy_attacks_table", "screening_table"]
MODELS = ["single.denoisers", "multi.denoisers", "consensus"]


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the privacy pipeline; tags name its parts."""
    measured = _unconditional() + _attacks() + _references() + _screening()
    return measured + Pipeline([release_card_node(CARD_TABLES)])


def _unconditional() -> Pipeline:
    """Return generation without any patient, held against training patients."""
    settings = ["params:modalities", "params:coherent_sampling", "params:privacy"]
    return Pipeline(
        [
            Node(
                measure_unconditional,
                inputs=[
                    *COHORT,
                    *MODELS,
                    "unconditional.finished_repeats",
                    *settings,
                    "params:compute.device",
                    "params:compute.workers",
                ],
                outputs="unconditional.repeats",
                name="measure_unconditional",
            ),
            Node(
                tabulate_unconditional,
                inputs=[
                    "unconditional.repeats",
                    *COHORT,
                    "params:modalities",
                    "params:privacy",
                    "params:reported_by_paper",
                ],
                outputs="table3_privacy_table",
                name="tabulate_unconditional",
            ),
            Node(
                draw_unconditional_figure,
                inputs=[*COHORT, *MODELS, *settings, "params:compute.device"],
                outputs="fig5_unconditional_figure",
                name="draw_unconditional_figure",
            ),
        ],
        tags=["unconditional"],
    )


def _attacks() -> Pipeline:
    """Return the attacks on the released models and on what they generate."""
    device = "params:compute.device"
    drawing = ["params:modalities", "params:coherent_sampling", "params:privacy", device]
    return Pipeline(
        [
            Node(
                regenerate_complete_patients,
                inputs=[*COHORT, *MODELS, "recalibration", *drawing],
                outputs="privacy_draws",
                name="regenerate_complete_patients",
                tags=["screening"],
            ),
            Node(
                attack_generated_patients,
                inputs=["privacy_draws", *COHORT, "params:modalities", "params:privacy"],
                outputs="privacy_attacks.generated",
                name="attack_generated_patients",
            ),
            Node(
                attack_generation_from_nothing,
                inputs=[*COHORT, *MODELS, *drawing],
                outputs="privacy_attacks.unconditional",
                name="attack_generation_from_nothing",
            ),
            Node(
                attack_losses,
                inputs=[*COHORT, *MODELS, *drawing],
                outputs="privacy_attacks.membership",
                name="attack_losses",
            ),
            Node(
                attack_attributes,
                inputs=[
                    "privacy_draws",
                    *COHORT,
                    "clinical",
                    "params:modalities",
                    "params:privacy",
                ],
                outputs="privacy_attacks.attributes",
                name="attack_attributes",
            ),
            Node(
                tabulate_attacks,
                inputs=[
                    "privacy_attacks.generated",
                    "privacy_attacks.unconditional",
                    "privacy_attacks.membership",
                    "privacy_attacks.references",
                    "privacy_attacks.attributes",
                    "params:modalities",
                    "params:privacy",
                ],
                outputs=["privacy_attacks_table", "privacy_attacks_figure"],
                name="tabulate_attacks",
            ),
        ],
        tags=["attacks"],
    )


def _references() -> Pipeline:
    """Return the trainings whose members are known, and the attacks on them."""
    return Pipeline(
        [
            Node(
                train_on_halves,
                inputs=[
                    *COHORT,
                    "consensus",
                    "privacy_halves.finished_repeats",
                    "params:modalities",
                    "params:diffusion_training",
                    "params:coherent_sampling",
                    "params:privacy",
                    "params:compute.device",
                    "params:compute.workers",
                ],
                outputs="privacy_halves.repeats",
                name="train_on_halves",
            ),
            Node(
                attack_with_halves,
                inputs=[
                    "privacy_halves.repeats",
                    *COHORT,
                    *MODELS,
                    "params:modalities",
                    "params:diffusion_training",
                    "params:coherent_sampling",
                    "params:privacy",
                    "params:compute.device",
                ],
                outputs=["privacy_attacks.references", "privacy_utility_table"],
                name="attack_with_halves",
            ),
            Node(
                draw_utility_figure,
                inputs="privacy_utility_table",
                outputs="privacy_utility_figure",
                name="draw_utility_figure",
            ),
        ],
        tags=["attacks"],
    )


def _screening() -> Pipeline:
    """Return the search for generated records that are too close to a training patient."""
    return Pipeline(
        [
            Node(
                screen_generated,
                inputs=[
                    "test_draws",
                    "completed_cohort.latent_draws",
                    "privacy_draws",
                    *COHORT,
                    "params:modalities",
                    "params:completion",
                    "params:privacy",
                ],
                outputs=["screening_report_table", "screening_table", "screening_figure"],
                name="screen_generated",
            )
        ],
        tags=["screening"],
    )
