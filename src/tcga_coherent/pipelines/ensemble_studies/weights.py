"""What the consensus weights of the ensembles are, and what each kind is worth (S8)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pandas as pd

from tcga_coherent.diffusion.config import SamplingConfig, Weighting
from tcga_coherent.diffusion.sampling.consensus import consensus_weights
from tcga_coherent.measures.ensemble_scores import score_draws, summarise_scores
from tcga_coherent.pipelines.ensemble_studies.drawing import (
    UnseenPatients,
    as_drawn,
    draws_first,
)
from tcga_coherent.pipelines.ensemble_studies.parameters import EnsembleStudiesParameters
from tcga_coherent.repeats import Stored, all_repeats, identity_of, run_repeats
from tcga_coherent.studies.weights.figure import EXPERT, REFERENCE

STUDY = "weights of the ensembles"


def draw_with_weights(
    unseen: UnseenPatients,
    finished: Stored,
    sampling: SamplingConfig,
    parameters: EnsembleStudiesParameters,
    workers: int,
) -> Iterator[dict[str, pd.DataFrame]]:
    """Score draws of the test split with each kind of weights; a repeat is a seed of the noise."""
    config = as_drawn(sampling, parameters.n_draws)
    identity = identity_of("weights", unseen.identity, config, parameters.weights)
    experiment = partial(_draw_seed, unseen, config, parameters.weights)
    repeats = range(parameters.n_repeats)
    yield from run_repeats(experiment, repeats, identity, finished, workers, STUDY)


def tabulate_weights(
    repeats: Stored, unseen: UnseenPatients, parameters: EnsembleStudiesParameters
) -> pd.DataFrame:
    """Return the weights of each target's ensemble of all sources beside what they are worth.

    Returns
    -------
    DataFrame
        A row a ``target`` and kind of ``weights``: ``weight_<source>``, mean over the noise levels,
        ``weight_expert`` of the unconditional expert; R2 and CRPS with their spread, and the gain
        over the paper's weights.
    """
    weights = pd.DataFrame(
        [
            {"target": target, "weights": kind, **_mean_weights(unseen, target, kind)}
            for target in unseen.latents
            for kind in parameters.weights
        ],
        columns=["target", "weights", *(f"weight_{name}" for name in (*unseen.latents, EXPERT))],
    )
    worth = summarise_scores(
        all_repeats(repeats, STUDY),
        ["target", "weights"],
        parameters.bootstrap,
        parameters.seed,
        reference={"weights": REFERENCE},
    )
    return weights.merge(worth, on=["target", "weights"], validate="one_to_one")


def _mean_weights(unseen: UnseenPatients, target: str, kind: Weighting) -> dict[str, float]:
    """Return the weights, averaged over the noise levels at which errors were measured."""
    errors = unseen.models.errors[target]
    sources = unseen.sources(target)
    members = unseen.models.members(target, "coherent", sources)
    weights = consensus_weights(members, errors.timesteps.tolist(), kind, errors).mean(dim=0)
    names = [f"weight_{name}" for name in (*sources, EXPERT)]
    return dict(zip(names, weights.tolist(), strict=True))


def _draw_seed(
    unseen: UnseenPatients, config: SamplingConfig, kinds: tuple[Weighting, ...], seed: int
) -> pd.DataFrame:
    rows = []
    for target in unseen.latents:
        for kind in kinds:
            drawn = unseen.draw(target, "coherent", replace(config, weights=kind, seed=seed))
            scores = score_draws(unseen.truth(target), draws_first(drawn), config.antithetic)
            keys = {"target": target, "weights": kind, "patient_id": unseen.patients}
            rows.append(pd.DataFrame({**keys, **scores}))
    return pd.concat(rows, ignore_index=True)
