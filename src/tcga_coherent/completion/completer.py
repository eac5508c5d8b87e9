"""Complete new patients with trained models."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from tcga_coherent import __version__
from tcga_coherent.completion.bundle import (
    AGREEMENT,
    BARCODES,
    COMPLETION,
    MODALITIES,
    SAMPLING,
    Bundle,
)
from tcga_coherent.completion.completion import Completion, join_completions
from tcga_coherent.completion.patients import complete_patients, decode_patients
from tcga_coherent.completion.predictions import predict_patients
from tcga_coherent.completion.predictor import Predictor
from tcga_coherent.diffusion.completion.agreement import Agreement
from tcga_coherent.diffusion.completion.generation import warn_of_few_references
from tcga_coherent.diffusion.completion.tables import FLAG_COLUMNS
from tcga_coherent.diffusion.config import CompletionConfig, SamplingConfig
from tcga_coherent.diffusion.device import resolve_device
from tcga_coherent.diffusion.stored_models import (
    fingerprint_checkpoints,
    load_agreement,
    load_models,
)
from tcga_coherent.diffusion.trained_models import TrainedModels
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.embedding.typicality import distances, percentiles
from tcga_coherent.modality import parse_modalities
from tcga_coherent.omics.features.preprocessor import Preprocessor
from tcga_coherent.omics.new_patients import (
    NewPatients,
    add_notes,
    orient_matrix,
    screen_new_patients,
    tabulate_covariates,
    tabulate_new_patients,
)
from tcga_coherent.omics.patients.barcodes import BarcodeRule

if TYPE_CHECKING:
    from mudata import MuData

logger = logging.getLogger(__name__)

# Patients completed at a time: bounds the memory beside what is given and what comes out.
PATIENTS_PER_BLOCK = 1024
# Farther than this share of validation patients is far; this share of new patients is more than chance.
FAR, FAR_SHARE = 0.99, 0.05
FAR_COLUMNS = ["modality", "latent_percentile", "feature_percentile"]


@dataclass(frozen=True, eq=False)
class Completer:
    """Trained models that give patients the modalities they lack.

    Made by :meth:`load` or :meth:`from_bundle`.

    Attributes
    ----------
    preprocessors, encoders
        Of every modality.
    models
        Trained denoisers, and what their ensembles need.
    agreement
        How well the modalities of a patient usually fit each other.
    sampling, settings
        The ``coherent_sampling`` and ``completion`` parameters.
    scheme
        Whether names of patients are reduced from barcodes, see
        :class:`tcga_coherent.omics.patients.barcodes.BarcodeRule`.
    release_card
        What the models are, do and give away, in Markdown; empty where there is none.
    identity
        As of :class:`tcga_coherent.completion.bundle.Bundle`.
    predictors
        Task to what predicts it, as far as the cohort had what a task needs.

    Examples
    --------
    >>> completer = Completer.load("bundle")  # doctest: +SKIP
    >>> completion = completer.complete({"rnaseq": counts, "rppa": proteins}, n_draws=40, seed=0)  # doctest: +SKIP
    >>> completion.mean["cna"], completion.sd["cna"], completion.flags  # doctest: +SKIP
    """

    preprocessors: Mapping[str, Preprocessor]
    encoders: Mapping[str, Encoder]
    models: TrainedModels
    agreement: Agreement
    sampling: SamplingConfig
    settings: CompletionConfig
    scheme: Literal["tcga", "plain"]
    release_card: str = ""
    identity: str = ""
    predictors: Mapping[str, Predictor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse costs of other modalities than there are."""
        costs = self.settings.costs
        if costs is not None and set(costs) != set(self.modalities):
            wrong = sorted(set(costs) ^ set(self.modalities))
            raise ValueError(
                f"completion.costs gives {'no cost of' if wrong[0] in self.encoders else 'a cost of'} {wrong[0]}, but "
                f"the modalities are {', '.join(self.modalities)}: give each of these a cost, or none."
            )

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto") -> "Completer":
        """Read a bundle, after checking every file of it.

        Parameters
        ----------
        folder
            What the ``bundle`` pipeline wrote, wherever it was copied to.
        device
            ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.

        Raises
        ------
        DatasetError
            When a file is missing or not as it was written, or the bundle is of another major version.
        ValueError
            When the device is not there.
        """
        from tcga_coherent.datasets.bundle import read_bundle

        return cls.from_bundle(read_bundle(Path(folder).expanduser()), device)

    @classmethod
    def from_bundle(cls, bundle: Bundle, device: str = "auto") -> "Completer":
        """Build the models of a bundle on a device; errors are those of :meth:`load`."""
        modalities = parse_modalities(bundle.parameters[MODALITIES])
        encoders = bundle.of_kind("encoders")
        fingerprints = fingerprint_checkpoints(encoders)
        models = load_models(
            bundle.of_kind("single"),
            bundle.of_kind("multi"),
            bundle.of_kind("consensus"),
            bundle.of_kind("linear"),
            "encoders",
            fingerprints,
            device,
            bundle.of_kind("recalibration"),
        )
        preprocessors = bundle.of_kind("preprocessors")
        checkpoints = {name: (preprocessors[name](), encoders[name]()) for name in modalities}
        barcodes = TypeAdapter(BarcodeRule).validate_python(bundle.parameters[BARCODES])
        return cls(
            preprocessors={
                name: Preprocessor.from_state(fitted.arrays, fitted.metadata)
                for name, (fitted, _) in checkpoints.items()
            },
            encoders={
                name: Encoder.from_state(fitted.arrays, fitted.metadata)
                for name, (_, fitted) in checkpoints.items()
            },
            models=models,
            agreement=load_agreement(bundle.checkpoints[AGREEMENT]),
            sampling=TypeAdapter(SamplingConfig).validate_python(bundle.parameters[SAMPLING]),
            settings=TypeAdapter(CompletionConfig).validate_python(bundle.parameters[COMPLETION]),
            scheme=barcodes.scheme,
            release_card=bundle.release_card,
            identity=bundle.identity,
            predictors=_load_predictors(bundle, fingerprints),
        )

    @property
    def modalities(self) -> list[str]:
        """Names of the modalities, in the order of tables and figures."""
        return list(self.encoders)

    @property
    def covariates(self) -> list[str]:
        """Columns of a clinical table that the models know."""
        fitted = [encoder.covariates for encoder in self.encoders.values()]
        return list(dict.fromkeys(name for known in fitted if known for name in known.categories))

    def complete(
        self,
        tables: "Mapping[str, pd.DataFrame] | MuData",
        *,
        clinical: pd.DataFrame | None = None,
        feature_names: Mapping[str, str] | None = None,
        n_draws: int | None = None,
        seed: int | None = None,
        device: str | None = None,
    ) -> Completion:
        """Give every patient every modality.

        Parameters
        ----------
        tables
            Modality to matrix in the units of the raw matrices that the models were trained on, samples x features
            or features x samples, named by patients or by TCGA barcodes. A patient may miss any modality, and a
            modality its table. Or a MuData, whose X are such matrices.
        clinical
            Samples or patients x columns, for the `covariates` of the models; what it does not tell of a patient is
            expected from what was measured.
        feature_names
            What the tables call a feature to what the models call it, where these differ in more than the version
            of an Ensembl identifier.
        n_draws
            Draws of each patient; None for the number that the models were bundled with.
        seed
            Seed of the noise, None likewise. Same patients, seed and device: same draws, in any company.
        device
            Moves the models to a device, as of :meth:`load`; None leaves them where they are.

        Returns
        -------
        Completion
            With everybody in its flags, those who cannot be completed included.

        Raises
        ------
        ValueError
            When a name is no modality, a table holds none of its features, values that no patient can have, or
            nobody can be completed.
        """
        if not isinstance(tables, Mapping):
            from tcga_coherent.datasets.raw.annotated import tables_of

            tables = tables_of(tables)
        given = {} if n_draws is None else {"n_draws": n_draws}
        given |= {} if seed is None else {"seed": seed}
        completer = self if device is None else self.on(device)
        completer = replace(
            completer,
            sampling=TypeAdapter(SamplingConfig).validate_python(
                {**asdict(self.sampling), **given}
            ),
        )
        return join_completions(
            list(
                completer.complete_blocks(
                    completer.screen(tables, clinical=clinical, feature_names=feature_names)
                )
            )
        )

    def on(self, device: str) -> "Completer":
        """Return the same with its denoisers moved to a device, as of :meth:`load`."""
        for denoiser in (*self.models.single.values(), *self.models.multi.values()):
            denoiser.network.to(resolve_device(device))
        return self

    def screen(
        self,
        tables: Mapping[str, pd.DataFrame | Callable[[], pd.DataFrame]],
        files: Mapping[str, str] | None = None,
        clinical: pd.DataFrame | None = None,
        feature_names: Mapping[str, str] | None = None,
    ) -> NewPatients:
        """Bring matrices to patients x features, without normal tissue, further vials and outliers.

        Parameters
        ----------
        tables
            As of :meth:`complete`; a function that reads a table is called when it is its turn, and nothing but the
            features that the models know is kept.
        files
            Modality to what messages call its table; the modality by default.
        clinical, feature_names
            As of :meth:`complete`.

        Raises
        ------
        ValueError
            As of :meth:`complete`.
        """
        unknown = [name for name in tables if name not in self.encoders]
        if unknown:
            raise ValueError(
                f"There is a table of {unknown[0]}, but the modalities of the models are "
                f"{', '.join(self.modalities)}."
            )
        samples = {
            name: orient_matrix(
                _read(tables[name]),
                self.preprocessors[name].input_features,
                (files or {}).get(name, name),
                feature_names,
            )
            for name in self.modalities
            if name in tables
        }
        found, notes = tabulate_new_patients(samples, self.scheme)
        del samples
        every_note = [notes]
        kept = {}
        for name, table in found.items():
            logger.info("%s: %d new patients", name, len(table))
            kept[name], of_values = screen_new_patients(table, self.preprocessors[name])
            every_note.append(of_values)
        patients = NewPatients(
            kept,
            {name: table.index for name, table in found.items()},
            pd.concat(every_note, ignore_index=True),
        )
        if clinical is not None and self.covariates:
            known = tabulate_covariates(clinical, self.covariates, patients.everyone, self.scheme)
            patients = replace(patients, clinical=known)
        elif clinical is not None:
            logger.warning("The clinical table is NOT read: the models know no covariates.")
        if all(table.empty for table in kept.values()):
            first = pd.concat(every_note[1:], ignore_index=True).iloc[0]
            raise ValueError(
                f"No new patient can be completed, for every measurement is an outlier: of {first['patient_id']}, "
                f"{first['modality']}, {first['note']}."
            )
        # What would stop the last block stops the first.
        for name, table in kept.items():
            for part in _row_blocks(table):
                self.preprocessors[name].scale(part)
        return patients

    def complete_blocks(self, patients: NewPatients) -> Iterator[Completion]:
        """Complete block by block: memory does not grow with the number of patients.

        Parameters
        ----------
        patients
            Result of :meth:`screen`.

        Yields
        ------
        Completion
            Of up to :data:`PATIENTS_PER_BLOCK` patients, in the order of their names.

        Raises
        ------
        ValueError
            When a denoiser is missing, or the factors of the spread are of other sampling parameters.
        """
        self.models.check(self.sampling)
        warn_of_few_references(self.agreement)
        everyone = patients.everyone
        started = time.monotonic()
        impossible, far = 0, []
        for start in range(0, len(everyone), PATIENTS_PER_BLOCK):
            completed = self._complete(patients.of(everyone[start : start + PATIENTS_PER_BLOCK]))
            impossible += len(_impossible(completed.flags))
            far.append(completed.flags.loc[completed.flags["status"] == "observed", FAR_COLUMNS])
            yield completed
            done = min(start + PATIENTS_PER_BLOCK, len(everyone))
            left = (time.monotonic() - started) / done * (len(everyone) - done)
            logger.info("%d of %d patients done, %.1f min left", done, len(everyone), left / 60)
        if impossible:
            logger.warning("%d new patients cannot be completed: see the flags", impossible)
        _warn_of_strangers(pd.concat(far))

    def _complete(self, patients: NewPatients) -> Completion:
        latents, codes, empty, typical = {}, {}, {}, []
        for name, encoder in self.encoders.items():
            preprocessor = self.preprocessors[name]
            latents[name] = pd.DataFrame(columns=encoder.latent_columns, dtype=np.float32)
            codes[name] = pd.DataFrame(columns=encoder.code_columns, dtype=np.float32)
            empty[name] = pd.DataFrame(columns=preprocessor.features, dtype=np.float32)
            if len(patients.tables.get(name, ())):
                features = preprocessor.transform(patients.tables[name], encoder.impute)
                latents[name] = encoder.encode(features)
                codes[name] = encoder.code(features, patients.clinical)
                apart = percentiles(distances(encoder, features, latents[name]), encoder.reference)
                known = patients.tables[name].reindex(columns=preprocessor.features).notna()
                typical.append(
                    apart.assign(
                        patient_id=features.index,
                        modality=name,
                        known_features=known.mean(axis=1).to_numpy(),
                    )
                )
        tables = {**empty, **patients.tables}
        measured = {name: patients.measured.get(name, empty[name].index) for name in tables}
        completed = complete_patients(
            measured,
            latents,
            codes,
            self.encoders,
            self.models,
            self.agreement,
            self.sampling,
            self.settings,
        )
        decoded = {
            name: decode_patients(
                tables[name],
                latents[name],
                completed.draws[name],
                self.preprocessors[name],
                self.encoders[name],
            )
            for name in self.modalities
        }
        everyone = completed.mean[self.modalities[0]].index
        generated = pd.DataFrame(
            {name: ~everyone.isin(frame.index) for name, frame in latents.items()}, index=everyone
        )
        predictions, priorities = predict_patients(
            list(self.predictors.values()),
            completed.draws,
            generated,
            self.sampling.antithetic,
            self.settings,
        )
        return Completion(
            mean={name: mean for name, (mean, _) in decoded.items()},
            sd={name: sd for name, (_, sd) in decoded.items()},
            draws=completed.draws,
            latent_mean=completed.mean,
            latent_sd=completed.sd,
            flags=add_notes(
                completed.flags.reindex(columns=FLAG_COLUMNS), patients.notes, self.modalities
            ).merge(pd.concat(typical), how="left", on=["patient_id", "modality"]),
            predictions=predictions,
            priorities=priorities,
            provenance=self.provenance,
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """What completions say of how they were made."""
        return {
            "package": f"tcga_coherent {__version__}",
            "models": self.identity,
            "method": self.settings.method,
            "condition_on_generated": self.settings.condition_on_generated,
            "n_draws": self.sampling.n_draws,
            "seed": self.sampling.seed,
            "temperature": self.sampling.temperature,
        }


def _warn_of_strangers(flags: pd.DataFrame) -> None:
    """Say so where more patients than chance allows lie farther out than nearly all of validation."""
    for modality, rows in flags.groupby("modality", sort=False):
        beyond = rows.drop(columns="modality").gt(100 * FAR).sum()
        for column, n_far in beyond[beyond > max(1, FAR_SHARE * len(rows))].items():
            logger.warning(
                "%s: %d of %d new patients lie farther from the training patients than %.0f %% of validation "
                "patients (%s in the flags)",
                modality,
                n_far,
                len(rows),
                100 * FAR,
                column,
            )


def _load_predictors(bundle: Bundle, encoders: Mapping[str, str]) -> dict[str, Predictor]:
    """Return task to what predicts it; why others have none is logged."""
    predictors = {}
    for task, load in bundle.of_kind("downstream").items():
        checkpoint = load()
        if "reason" in checkpoint.metadata:
            logger.warning("No predictions of %s, as %s", task, checkpoint.metadata["reason"])
            continue
        predictors[task] = Predictor.from_checkpoint(checkpoint)
        predictors[task].check_encoders(encoders)
    if not bundle.of_kind("downstream"):
        logger.warning(
            "The models have no downstream models with them: nothing is predicted or prioritised. The evaluation "
            "pipeline of their environment makes them, for a bundle that is made after it."
        )
    return predictors


def _read(table: pd.DataFrame | Callable[[], pd.DataFrame]) -> pd.DataFrame:
    return table() if callable(table) else table


def _row_blocks(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, len(table), PATIENTS_PER_BLOCK):
        yield table.iloc[start : start + PATIENTS_PER_BLOCK]


def _impossible(flags: pd.DataFrame) -> pd.Index:
    return pd.Index(flags.loc[flags["status"] == "impossible", "patient_id"].unique())
