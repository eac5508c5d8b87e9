"""From trained models to what they give away of the patients they learned from."""

from typing import Any

from kedro.pipeline import Pipeline

from tcga_coherent.configuration import configured_modalities
from tcga_coherent.pipelines.arguments import MODALITIES, cohort
from tcga_coherent.pipelines.lanes import drawing, each, lane_node, study
from tcga_coherent.pipelines.partitions import models
from tcga_coherent.privacy.attacks.figure import draw_attacks
from tcga_coherent.privacy.known_members.utility_figure import draw_privacy_and_utility

from .attacks import (
    attack_attributes,
    attack_generated_patients,
    attack_generation_from_nothing,
    attack_losses,
    regenerate_complete_patients,
    tabulate_attacks,
)
from .attacks_references import attack_with_halves, train_on_halves
from .release_card import release_card_node
from .screening import screen_generated
from .unconditional import (
    draw_unconditional_figure,
    measure_unconditional,
    tabulate_unconditional,
)

SETTINGS = ["params:coherent_sampling", "params:privacy"]
CARD_TABLES = ["table3_privacy_table", "privacy_attacks_table", "screening_table"]


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Return the privacy pipeline; tags name its parts."""
    measured = _unconditional() + _attacks() + _references() + _screening()
    return measured + Pipeline([release_card_node(CARD_TABLES)])


def _unconditional() -> Pipeline:
    """Return generation without any patient, held against training patients."""
    return study(
        "generation",
        ["unconditional"],
        (
            measure_unconditional,
            [
                *(cohort(with_codes=True), models(), "split", "finished_repeats/unconditional"),
                *(*SETTINGS, "params:compute.workers"),
            ],
            "repeats/unconditional",
        ),
        (
            tabulate_unconditional,
            ["repeats/unconditional", cohort(), "params:privacy", "params:reported_by_paper"],
            "table3_privacy_table",
        ),
        (
            draw_unconditional_figure,
            [cohort(with_codes=True), models(), *SETTINGS],
            "fig5_unconditional_figure",
        ),
    )


def _attacks() -> Pipeline:
    """Return the attacks on the released models and on what they generate."""
    regeneration = lane_node(
        regenerate_complete_patients,
        inputs=[cohort(with_codes=True), models(recalibrated=True), *SETTINGS],
        outputs="privacy_draws",
        namespace="attacks",
        tags=["attacks", "screening"],
    )
    return Pipeline([regeneration]) + study(
        "attacks",
        ["attacks"],
        (
            attack_generated_patients,
            ["privacy_draws", cohort(), "params:privacy"],
            "privacy_attacks/generated",
        ),
        (
            attack_generation_from_nothing,
            [cohort(with_codes=True), models(), *SETTINGS],
            "privacy_attacks/unconditional",
        ),
        (
            attack_losses,
            [cohort(with_codes=True), models(), *SETTINGS],
            "privacy_attacks/membership",
        ),
        (
            attack_attributes,
            ["privacy_draws", cohort(), "clinical", "params:privacy"],
            "privacy_attacks/attributes",
        ),
        (
            tabulate_attacks,
            [
                *("privacy_attacks/generated", "privacy_attacks/unconditional"),
                *("privacy_attacks/membership", "privacy_attacks/references"),
                *("privacy_attacks/attributes", "params:privacy"),
            ],
            "privacy_attacks_table",
        ),
        (
            drawing(draw_attacks),
            ["privacy_attacks_table", MODALITIES],
            "privacy_attacks_figure",
        ),
    )


def _references() -> Pipeline:
    """Return the trainings whose members are known, and the attacks on them."""
    settings = ["params:diffusion_training", *SETTINGS]
    return study(
        "known_members",
        ["attacks"],
        (
            train_on_halves,
            [
                *(cohort(with_codes=True), "split", each("consensus", configured_modalities())),
                *("finished_repeats/privacy_halves", *settings),
                *("params:compute.device", "params:compute.workers"),
            ],
            "repeats/privacy_halves",
        ),
        (
            attack_with_halves,
            ["repeats/privacy_halves", cohort(with_codes=True), models(), *settings],
            ["privacy_attacks/references", "privacy_utility_table"],
        ),
        (drawing(draw_privacy_and_utility), "privacy_utility_table", "privacy_utility_figure"),
    )


def _screening() -> Pipeline:
    """Return the search for generated records that are too close to a training patient."""
    return study(
        "screening",
        ["screening"],
        (
            screen_generated,
            [
                *(each("draws", configured_modalities()), "completed_cohort/latent_draws"),
                *("privacy_draws", cohort(), MODALITIES, "params:completion", "params:privacy"),
            ],
            ["screening_report_table", "screening_table", "screening_figure"],
        ),
    )
