"""A small cohort in input units, and all that was fitted on it."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from tcga_coherent.cohort import having
from tcga_coherent.completion.bundle import Bundle
from tcga_coherent.completion.completer import Completer
from tcga_coherent.completion.patients import complete_patients, decode_patients
from tcga_coherent.completion.predictor import Predictor
from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.fingerprints import fingerprint_arrays
from tcga_coherent.downstream.classification import ClassOutcomes
from tcga_coherent.downstream.forests import ForestParameters
from tcga_coherent.embedding.autoencoder import EmbeddingConfig
from tcga_coherent.embedding.encoder import fit_encoder
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.omics.patients.barcodes import BarcodeRule
from tcga_coherent.pipelines.bundle.nodes import gather_bundle
from tcga_coherent.pipelines.partitions import join_conditions
from tests.pipelines.latent_cohort import MODALITIES, SAMPLING, lazily, make_split, train_all

FEATURES = {"cna": 7, "rnaseq": 8, "rppa": 6}
BOUNDS: dict[Any, float | None] = {"missing_share": 0.5, "level": 6.0, "distance": 5.0}
SETTINGS = {
    name: {**settings, "imputer": "knn" if name == "rppa" else "median", "encoder": {"kind": "pca"}}
    for name, settings in MODALITIES.items()
}


@dataclass(frozen=True)
class Cohort:
    """Tables in input units, and all that was fitted on them."""

    split: pd.DataFrame
    clinical: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    processed: dict[str, pd.DataFrame]
    latents: dict[str, pd.DataFrame]
    codes: dict[str, pd.DataFrame]
    preprocessors: dict[str, Checkpoint]
    encoders: dict[str, Checkpoint]
    models: dict[str, dict[str, Checkpoint]]

    @property
    def bundle(self) -> Bundle:
        """What the bundle pipeline gathers of it."""
        return gather_bundle(
            lazily(self.preprocessors),
            lazily(self.encoders),
            *(
                lazily(self.models[kind])
                for kind in ("single", "multi", "consensus", "linear", "recalibration")
            ),
            lazily(self.models["downstream"]),
            self.models["fitted"]["agreement"],
            SETTINGS,
            BarcodeRule(),
            SAMPLING,
            CompletionConfig(),
        )

    @property
    def completer(self) -> Completer:
        """Its models."""
        return Completer.from_bundle(self.bundle, "cpu")

    def complete(
        self,
        tables: dict[str, pd.DataFrame],
        latents: dict[str, pd.DataFrame],
        sampling: SamplingConfig = SAMPLING,
        **completion: Any,
    ) -> dict[str, Any]:
        """Return the parts and ``flags``; a modality that nobody has needs no table."""
        everything = {name: tables.get(name, self.tables[name].iloc[:0]) for name in self.tables}
        observed = {name: latents.get(name, self.latents[name].iloc[:0]) for name in self.latents}
        completer = self.completer
        completed = complete_patients(
            {name: table.index for name, table in everything.items()},
            observed,
            {n: self.codes[n].loc[frame.index] for n, frame in observed.items()},
            completer.encoders,
            completer.models,
            completer.agreement,
            sampling,
            CompletionConfig(**completion),
        )
        decoded = {
            name: decode_patients(
                everything[name],
                observed[name],
                draws,
                completer.preprocessors[name],
                completer.encoders[name],
            )
            for name, draws in completed.draws.items()
        }
        return {
            "latent_draws": completed.draws,
            "latent_mean": completed.mean,
            "latent_sd": completed.sd,
            "decoded_mean": {name: mean for name, (mean, _) in decoded.items()},
            "decoded_sd": {name: sd for name, (_, sd) in decoded.items()},
            "flags": completed.flags,
        }


@cache
def make_cohort(covariates: tuple[Literal["cancer_type", "age", "sex"], ...] = ()) -> Cohort:
    """Fit everything, once."""
    torch.set_num_threads(1)
    split = make_split()
    train_ids = split.index[split["split"] == "train"]
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((len(split), 3))
    clinical = pd.DataFrame({"age": 60 + 5 * factor[:, 0]}, index=split.index)
    settings = EmbeddingConfig(covariates=covariates)
    tables, processed, latents, codes, preprocessors, encoders = {}, {}, {}, {}, {}, {}
    for number, (name, config) in enumerate(parse_modalities(SETTINGS).items()):
        size = FEATURES[name]
        values = 50 + 4 * (factor @ rng.standard_normal((3, size)) + rng.standard_normal(size))
        values += rng.standard_normal(values.shape)
        table = pd.DataFrame(values.astype(np.float32), split.index)
        table.columns = [f"{name}_{feature}" for feature in range(size)]
        # Every modality lacks ten training patients of its own.
        tables[name] = table.drop(split.index[10 * number : 10 * number + 10])
        preprocessor = Preprocessor.fit(
            tables[name], config, train_ids, modality=name, bounds=BOUNDS
        )
        processed[name] = preprocessor.impute_cohort(preprocessor.scale(tables[name]), train_ids)
        encoder = fit_encoder(
            name, processed[name], split, config, settings, torch.device("cpu"), clinical
        )
        latents[name] = encoder.encode(processed[name])
        codes[name] = encoder.code(processed[name], clinical)
        preprocessors[name] = Checkpoint(*preprocessor.state())
        encoders[name] = Checkpoint(*encoder.state())
    conditions = join_conditions(latents, lazily(codes))
    models = train_all(latents, split, encoders, conditions)
    models["downstream"] = {
        "stage": make_predictor(latents, train_ids, encoders).checkpoint(),
        "survival": Checkpoint({}, {"task": "survival", "reason": "all 110 patients are censored"}),
    }
    return Cohort(
        split, clinical, tables, processed, latents, codes, preprocessors, encoders, models
    )


def make_predictor(
    latents: dict[str, pd.DataFrame], train_ids: pd.Index, encoders: dict[str, Checkpoint]
) -> Predictor:
    """Train on complete patients what their first latent tells in part; copy number was tested on 25 others."""
    complete = having(latents, train_ids)
    features = np.hstack([frame.loc[complete].to_numpy(float) for frame in latents.values()])
    noise = np.random.default_rng(0).standard_normal(len(complete))
    labels = pd.Series(np.where(features[:, 0] + noise > 0, "II", "I"), complete)
    forests = ForestParameters(10, 5, 30.0)
    forest = ClassOutcomes(labels, labels).fit(features, forests, seed=0).stored(forests)
    tested = {"metric": "macro_f1", "held_out_complete": 0.9, "held_out_score": 0.5}
    tested |= {f"held_out_{name}": -0.4 for name in ("change", "change_low", "change_high")}
    fingerprints = {name: fingerprint_arrays(made.arrays) for name, made in encoders.items()}
    references = {"coherent/cna/cna/variance_score": np.linspace(0, 1, 25, dtype=np.float32)}
    losses = {"coherent/cna": {**tested, "held_out_patients": 25.0}}
    return Predictor("stage", True, forest, references, losses, {}, fingerprints)


def some(frames: dict[str, pd.DataFrame], **patients: pd.Index) -> dict[str, pd.DataFrame]:
    """Return some rows of each table."""
    return {name: frames[name].loc[rows] for name, rows in patients.items()}
