"""Which tiles are drawn: of patients as they are, of exchanged expression, of moved programmes."""

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from tcga_coherent.histology.cascade.generation import Cascade, tile_seed
from tcga_coherent.histology.cascade.parameters import SamplerParameters
from tcga_coherent.histology.expression.encoder import ExpressionEncoder
from tcga_coherent.histology.expression.programmes import Programmes, programme_scores
from tcga_coherent.histology.tiles import AllBatches, TileBatch, TileStore, encode_png
from tcga_coherent.modality import STRICT
from tcga_coherent.simulation.random_streams import random_stream

logger = logging.getLogger(__name__)

OWN, SHUFFLED, MOVED = "own", "shuffled", "moved"
SECONDS_BETWEEN_REPORTS = 30
# Random exchanges of expression, of which the best is taken.
EXCHANGES = 500


@checked(frozen=True, config=STRICT)
class MovedParameters:
    """Tiles of profiles in which one programme is moved.

    Attributes
    ----------
    shifts
        How far, in standard deviations over the training patients.
    patients
        Test patients whose profiles are moved.
    tiles
        Tiles of each of them and each shift.
    """

    shifts: tuple[float, ...] = field(default=(-2.0, -1.0, 0.0, 1.0, 2.0))
    patients: int = Field(default=20, ge=1)
    tiles: int = Field(default=1, ge=1)


@checked(frozen=True, config=STRICT)
class TileSamplingParameters:
    """The ``tile_sampling`` parameters.

    Attributes
    ----------
    tiles
        Tiles of each test patient.
    patients
        Most test patients that tiles are drawn of.
    moved
        Profiles with moved programmes.
    base, super_resolution
        Samplers of the stages.
    noise_level
        Noise that the super-resolution gets its shrunken tiles with, as a share of the largest in training.
    batch_size
        Tiles that are drawn at a time.
    seed
        Of all tiles.
    """

    tiles: int = Field(default=4, ge=1)
    patients: int = Field(default=1000, ge=1)
    moved: MovedParameters = field(default_factory=MovedParameters)
    base: SamplerParameters = field(default_factory=SamplerParameters)
    super_resolution: SamplerParameters = field(default_factory=SamplerParameters)
    noise_level: float = Field(default=0.0, ge=0, le=1)
    batch_size: int = Field(default=32, ge=1)
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, eq=False)
class TilePlan:
    """Tiles to be drawn.

    Attributes
    ----------
    rows
        A row a tile: ``patient_id``, ``source`` (own, shuffled, moved), ``profile_of`` (whose expression),
        ``programme`` and ``shift`` (moved ones), ``number`` and ``seed``.
    codes
        Expression codes in the same order.
    """

    rows: pd.DataFrame
    codes: pd.DataFrame


def plan_tiles(
    expression: pd.DataFrame,
    split: pd.Series,
    encoder: ExpressionEncoder,
    programmes: Programmes,
    parameters: TileSamplingParameters,
) -> TilePlan:
    """Plan the tiles of test patients.

    Parameters
    ----------
    expression
        Patients x genes, as measured.
    split
        Part of each patient that has tiles.
    encoder
        Of the expression.
    programmes
        Gene programmes, each of which is moved.
    parameters
        How many.
    """
    z = encoder.z_scores(expression.loc[split.index])
    rng = random_stream(parameters.seed, "patients")
    test = split.index[split == "test"]
    test = test[np.sort(rng.permutation(len(test))[: parameters.patients])]
    others = exchange(programme_scores(z.loc[test], programmes).to_numpy(dtype=float), rng)
    other = pd.Series(test[others], index=test)
    rows = [
        (patient, source, profile, "", 0.0, number)
        for source, profiles in ((OWN, pd.Series(test, index=test)), (SHUFFLED, other))
        for patient, profile in profiles.items()
        for number in range(parameters.tiles)
    ]
    parts = [z.loc[[row[2] for row in rows]]]
    train = z.loc[split.index[split == "train"]]
    scores = programme_scores(train, programmes)
    moved = parameters.moved
    some = test[: moved.patients]
    for name in programmes:
        # Genes follow the score with these slopes, over the training patients.
        score = (scores[name] - scores[name].mean()) / scores[name].std()
        slopes = train.mul(score, axis=0).mean()
        for shift in moved.shifts:
            new = [
                (patient, MOVED, patient, name, shift, number)
                for patient in some
                for number in range(moved.tiles)
            ]
            rows += new
            parts.append(z.loc[[row[0] for row in new]] + shift * slopes)
    columns = ["patient_id", "source", "profile_of", "programme", "shift", "number"]
    frame = pd.DataFrame(rows, columns=columns)
    # The same noise for a patient's number whatever the profile: what differs is its doing.
    frame["seed"] = [
        tile_seed(parameters.seed, patient, number)
        for patient, number in zip(frame["patient_id"], frame["number"], strict=True)
    ]
    return TilePlan(frame, encoder.codes(pd.concat(parts)))


def exchange(scores: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for each patient another one, so that their programmes have as little to do with each other as can be.

    Of some dozens of patients exchanged at random, one programme in a few is by chance similar in both, and
    tiles of exchanged expression would seem to follow it.

    Parameters
    ----------
    scores
        Patients x programmes.
    rng
        Of the exchanges that are tried.

    Returns
    -------
    ndarray
        Position of the other patient; nobody's own, unless there is nobody else.
    """
    standard = scores - scores.mean(axis=0)
    standard /= np.sqrt((standard**2).sum(axis=0)).clip(min=1e-12)
    best, least = np.arange(len(scores)), np.inf
    for _ in range(EXCHANGES):
        order = rng.permutation(len(scores))
        others = np.empty_like(order)
        others[order] = np.roll(order, 1)
        largest = np.abs((standard * standard[others]).sum(axis=0)).max(initial=0.0)
        if largest < least:
            best, least = others, largest
    return best


def draw_tiles(
    plan: TilePlan,
    cascade: Cascade,
    cascade_identity: str,
    drawn: TileStore,
    parameters: TileSamplingParameters,
) -> Iterator[TileBatch | AllBatches]:
    """Yield planned tiles that are not drawn yet, batch by batch, and then the names of all.

    Parameters
    ----------
    plan
        What to draw.
    cascade, cascade_identity
        What to draw with, and what tells it from others.
    drawn
        What an earlier run has left.
    parameters
        Of the samplers.
    """
    known, names = drawn.identities, []
    start = last_report = time.monotonic()
    batches = [
        (f"{source}-{first // parameters.batch_size:05d}", rows.index[first : first + parameters.batch_size])
        for source, rows in plan.rows.groupby("source", sort=False)
        for first in range(0, len(rows), parameters.batch_size)
    ]  # fmt: skip
    samplers = [
        asdict(parameters.base),
        asdict(parameters.super_resolution),
        parameters.noise_level,
    ]
    for done, (name, at) in enumerate(batches):
        names.append(name)
        rows = plan.rows.loc[at].reset_index(drop=True)
        codes = plan.codes.iloc[at].to_numpy(dtype=np.float32)
        digest = hashlib.sha256(codes.tobytes())
        digest.update(json.dumps([cascade_identity, samplers, rows.to_dict("list")]).encode())
        if known.get(name) == digest.hexdigest():
            continue
        seeds = [int(seed) for seed in rows["seed"]]
        images = cascade.generate(
            codes, seeds, parameters.base, parameters.super_resolution, parameters.noise_level
        )
        yield TileBatch(name, digest.hexdigest(), rows, [encode_png(i) for i in images], {})
        now = time.monotonic()
        if now - last_report > SECONDS_BETWEEN_REPORTS:
            last_report = now
            left = (now - start) / (done + 1) * (len(batches) - done - 1)
            logger.info(
                "Drew %d of %d batches of tiles, about %.0f s left", done + 1, len(batches), left
            )
    yield AllBatches(tuple(names))
