"""How much depends on the threshold above which draws are rejected (S9)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import pandas as pd

from tcga_coherent.diffusion.config import SamplingConfig
from tcga_coherent.measures.ensemble_scores import score_draws, summarise_scores
from tcga_coherent.pipelines.ensemble_studies.drawing import (
    UnseenPatients,
    as_drawn,
    draws_first,
)
from tcga_coherent.pipelines.ensemble_studies.parameters import EnsembleStudiesParameters
from tcga_coherent.repeats import Stored, all_repeats, identity_of, run_repeats
from tcga_coherent.studies.rejection.figure import PAPER_LIKE, PRESENT

STUDY = "rejection of draws"
KEYS = ["settings", "target", "threshold_change"]
STATISTICS = ["threshold", "redrawn_share", "rejected_share", "mean_attempts", "cosine_distance"]


def draw_with_thresholds(
    unseen: UnseenPatients,
    finished: Stored,
    sampling: SamplingConfig,
    parameters: EnsembleStudiesParameters,
    workers: int,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Score draws of the test split with each threshold; a repeat is a seed of the noise."""
    config = as_drawn(sampling, parameters.n_draws)
    settings = {PRESENT: config, PAPER_LIKE: paper_like(config, parameters.ancestral_steps)}
    changes = parameters.threshold_changes
    identity = identity_of("rejection", unseen.identity, settings, changes)
    experiment = partial(_draw_seed, unseen, settings, changes)
    repeats = range(parameters.n_repeats)
    yield from run_repeats(experiment, repeats, identity, finished, workers, STUDY)


def paper_like(config: SamplingConfig, n_steps: int) -> SamplingConfig:
    """Return the paper's weights, and its sampler in fewer steps.

    The rule counts steps, so that evenly spaced stochastic ones come nearest to all 1000.
    """
    return replace(
        config,
        sampler="ddim",
        eta=1.0,
        timestep_power=1.0,
        n_steps=n_steps,
        weights="inverse_mse",
    )


def tabulate_rejection(repeats: Stored, parameters: EnsembleStudiesParameters) -> pd.DataFrame:
    """Return what each threshold rejects and what draws are worth then.

    Returns
    -------
    DataFrame
        A row a ``settings``, ``target`` and ``threshold_change``: ``threshold``, ``redrawn_share``
        (of draws that were rejected at first), ``rejected_share`` (to the end), ``mean_attempts``,
        ``cosine_distance`` (mean over steps and draws), R2 and CRPS with their spread, and the
        gain over the threshold in use.
    """
    scores = all_repeats(repeats, STUDY)
    statistics = scores.groupby(KEYS, sort=False, as_index=False)[STATISTICS].mean()
    worth = summarise_scores(
        scores, KEYS, parameters.bootstrap, parameters.seed, reference={"threshold_change": 0.0}
    )
    return statistics.merge(worth, on=KEYS, validate="one_to_one")


def _draw_seed(
    unseen: UnseenPatients,
    settings: Mapping[str, SamplingConfig],
    changes: tuple[float, ...],
    seed: int,
) -> pd.DataFrame:
    rows = []
    for name, config in settings.items():
        for target in unseen.latents:
            for change in changes:
                threshold = min(2.0, config.coherence.threshold * (1 + change))
                rule = replace(config.coherence, threshold=threshold)
                drawn = unseen.draw(target, "coherent", replace(config, coherence=rule, seed=seed))
                scores = score_draws(unseen.truth(target), draws_first(drawn), config.antithetic)
                rows.append(
                    pd.DataFrame(
                        {
                            "settings": name,
                            "target": target,
                            "threshold_change": float(change),
                            "patient_id": unseen.patients,
                            "threshold": threshold,
                            "redrawn_share": (drawn.attempts > 1).float().mean(dim=1).numpy(),
                            "rejected_share": (~drawn.accepted).float().mean(dim=1).numpy(),
                            "mean_attempts": drawn.attempts.float().mean(dim=1).numpy(),
                            "cosine_distance": drawn.coherence.mean(dim=1).numpy(),
                            **scores,
                        }
                    )
                )
    return pd.concat(rows, ignore_index=True)
