"""One modality from processed features to standardised latents, and back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from tcga_coherent.embedding.autoencoder import (
    Autoencoder,
    EmbeddingConfig,
    hidden_widths,
    train_autoencoder,
)
from tcga_coherent.embedding.checks import check_features, check_finite, check_sizes, check_spread
from tcga_coherent.embedding.conditional_mean import fill_gaps
from tcga_coherent.embedding.covariates import Covariates, fit_covariates
from tcga_coherent.embedding.pca import Matrix, PrincipalComponents
from tcga_coherent.embedding.typicality import distances
from tcga_coherent.measures.fidelity import r2_of_parts
from tcga_coherent.modality import ModalityConfig
from tcga_coherent.omics.blocks import column_blocks

# Rows that pass through the networks at a time: bounds memory beside input and output.
CHUNK_ROWS = 2048

NETWORK_PREFIX = "autoencoder."
COVARIATE_PREFIX = "covariates."


@dataclass(frozen=True, eq=False)
class Encoder:
    """Fitted encoder and decoder of one modality.

    Made by `fit_encoder` or `Encoder.from_state`. Holds no patient's row.

    Attributes
    ----------
    modality
        Name of the modality.
    features
        Features of the processed table it was fitted on.
    components
        Principal axes, whose scores are the code of a patient. A PCA encoder's latents are those of the
        leading ones, as many as latent dimensions; an autoencoder works on the leading `n_axes`.
    autoencoder
        None for PCA.
    latent_mean, latent_sd
        Over the training rows, before standardisation, shape ``(latent_size,)``.
    residual_sd
        What the latents lose of each feature: root mean square over patients that the encoder has not seen,
        shape ``(n_features,)``.
    history
        ``epoch``, ``train_mse`` and ``val_mse`` in processed units, and ``kept``, true at the epoch of
        the weights; epoch 0 is PCA. No row for a PCA encoder.
    covariates
        What the code holds behind the scores of the axes; None for nothing.
    reference
        How far validation patients lie, each column sorted; see :mod:`tcga_coherent.embedding.typicality`.
    """

    modality: str
    features: pd.Index
    components: PrincipalComponents
    autoencoder: Autoencoder | None
    latent_mean: Matrix
    latent_sd: Matrix
    residual_sd: Matrix
    history: pd.DataFrame
    covariates: Covariates | None = None
    reference: Matrix = field(default_factory=lambda: np.empty((0, 2), np.float32))

    @property
    def latent_size(self) -> int:
        """Number of latent dimensions."""
        return len(self.latent_mean)

    @property
    def latent_columns(self) -> list[str]:
        """Names of the latent dimensions: ``z00``, ``z01``, ..."""
        return [f"z{number:02d}" for number in range(self.latent_size)]

    @property
    def code_columns(self) -> list[str]:
        """Names of the principal axes, ``c000``, ``c001``, ..., and of the covariates."""
        axes = [f"c{number:03d}" for number in range(len(self.components.axes))]
        return axes if self.covariates is None else axes + self.covariates.columns

    @property
    def n_axes(self) -> int:
        """Number of leading principal axes that latents are made of."""
        return self.latent_size if self.autoencoder is None else len(self.autoencoder.axis_sd)

    @property
    def pca(self) -> PrincipalComponents:
        """Principal components as many as latent dimensions: the linear rival."""
        return self.components.leading(self.latent_size)

    def impute(self, scaled: pd.DataFrame) -> pd.DataFrame:
        """Fill the gaps of patients with what their measured features let expect.

        The expectation is that of a normal distribution along the axes that latents are made of, about which each
        feature varies by `residual_sd`; see :mod:`tcga_coherent.embedding.conditional_mean`.

        Parameters
        ----------
        scaled
            Patients x `features`, standardised; missing values are NaN.

        Returns
        -------
        DataFrame
            The same, float32, nothing missing.

        Raises
        ------
        ValueError
            When the features are others than those fitted.
        """
        check_features(scaled, self.features, self.modality)
        rows = scaled[self.features].to_numpy(np.float32)
        sd = self.latent_sd if self.autoencoder is None else self.autoencoder.axis_sd.cpu().numpy()
        loadings = self.components.leading(self.n_axes).axes * sd[:, np.newaxis]
        filled = fill_gaps(rows, self.components.mean, loadings, np.square(self.residual_sd))
        return pd.DataFrame(filled, index=scaled.index, columns=self.features)

    def encode(self, processed: pd.DataFrame) -> pd.DataFrame:
        """Compress patients.

        Parameters
        ----------
        processed
            Patients x `features`, in any order of features, nothing missing.

        Returns
        -------
        DataFrame
            Patients x latent size, float32; over the training rows each column has mean 0 and
            standard deviation 1.

        Raises
        ------
        ValueError
            When the features are others than those fitted, or a value is missing or infinite.
        """
        scores = self._scores(processed, self.components.leading(self.n_axes))
        raw = raw_latents(scores, self.autoencoder)
        values = (raw - self.latent_mean) / self.latent_sd
        return pd.DataFrame(values, index=processed.index, columns=self.latent_columns)

    def code(self, processed: pd.DataFrame, clinical: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return what other modalities can be predicted from: the scores on all principal axes, and covariates.

        Errors are those of :meth:`encode`.

        Parameters
        ----------
        processed
            As in :meth:`encode`.
        clinical
            Patients x clinical columns, of whom and of which some may be missing; see :meth:`Covariates.encode`.

        Returns
        -------
        DataFrame
            Patients x `code_columns`, float32; axes in the units of the features.
        """
        scores = self._scores(processed, self.components)
        values = self._beside_covariates(scores, clinical, processed.index)
        return pd.DataFrame(values, index=processed.index, columns=self.code_columns)

    @torch.no_grad()
    def code_of_latents(self, latents: Matrix) -> Matrix:
        """Return the code of what latents are decoded to, rows x `code_columns`, as :meth:`code` of measured features.

        Parameters
        ----------
        latents
            Rows x latent size.
        """
        raw = latents.astype(np.float32) * self.latent_sd + self.latent_mean
        if self.autoencoder is not None:
            device = self.autoencoder.axis_sd.device
            raw = self.autoencoder.decode(torch.from_numpy(raw).to(device)).cpu().numpy()
        # Decoded features lie in the span of the leading axes.
        scores = np.pad(raw, ((0, 0), (0, len(self.components.axes) - raw.shape[1])))
        return self._beside_covariates(scores, None, pd.RangeIndex(len(scores)))

    def _beside_covariates(
        self, scores: Matrix, clinical: pd.DataFrame | None, patients: pd.Index
    ) -> Matrix:
        if self.covariates is None:
            return scores
        return np.hstack([scores, self.covariates.encode(clinical, patients, scores)])

    def _scores(self, processed: pd.DataFrame, components: PrincipalComponents) -> Matrix:
        check_features(processed, self.features, self.modality)
        check_finite(processed, f"processed table of {self.modality}", "the preprocessing pipeline")
        if not processed.columns.equals(self.features):
            processed = processed[self.features]
        return scores_of(processed, np.arange(len(processed)), components)

    def decode(self, latents: pd.DataFrame) -> pd.DataFrame:
        """Read latents, observed or generated, as features.

        Parameters
        ----------
        latents
            Rows of any kind x `latent_columns`.

        Returns
        -------
        DataFrame
            The same rows x `features`, float32, on the processed scale.

        Raises
        ------
        ValueError
            When the columns are not `latent_columns`, or a value is missing or infinite.
        """
        if list(latents.columns) != self.latent_columns:
            raise ValueError(
                f"Latents of {self.modality} must have the {self.latent_size} columns "
                f"{self.latent_columns[0]} to {self.latent_columns[-1]}, got {latents.shape[1]} "
                f"columns: use latents and encoder of the same run of the embedding pipeline."
            )
        check_finite(latents, f"latents of {self.modality}", "the pipeline that made them")
        raw = latents.to_numpy(np.float32) * self.latent_sd + self.latent_mean
        rows = reconstruct(raw, self.components.leading(self.n_axes), self.autoencoder)
        return pd.DataFrame(rows, index=latents.index, columns=self.features)

    def reconstruction_r2(self, processed: pd.DataFrame, patients: pd.Index) -> tuple[float, float]:
        """Return R2 over all entries of the rows of `patients`, decoded and by `pca`, missing without any.

        Some rows are in memory at a time beside `processed`.
        """
        positions = np.flatnonzero(processed.index.isin(patients))
        if len(positions) == 0:
            return float("nan"), float("nan")
        pca = self.pca

        def parts(reconstruct: Callable[[pd.DataFrame], Matrix]) -> Iterator[tuple[Matrix, Matrix]]:
            for part in row_chunks(len(positions)):
                rows = processed.iloc[positions[part]]
                yield rows.to_numpy(), reconstruct(rows)

        own = r2_of_parts(parts(lambda rows: self.decode(self.encode(rows)).to_numpy()))
        linear = r2_of_parts(parts(lambda rows: pca.reconstruct(pca.project(rows.to_numpy()))))
        return own, linear

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays and JSON-serialisable metadata from which `from_state` rebuilds it."""
        arrays = {
            "components.mean": self.components.mean,
            "components.axes": self.components.axes,
            "latent_mean": self.latent_mean,
            "latent_sd": self.latent_sd,
            "residual_sd": self.residual_sd,
            "reference": self.reference,
        }
        metadata: dict[str, Any] = {
            "modality": self.modality,
            "kind": "pca",
            "latent_size": self.latent_size,
            "features": [str(feature) for feature in self.features],
            "history": self.history.to_dict(orient="list"),
        }
        if self.covariates is not None:
            fitted, metadata["covariates"] = self.covariates.state()
            arrays |= {COVARIATE_PREFIX + name: array for name, array in fitted.items()}
        if self.autoencoder is not None:
            arrays |= {
                NETWORK_PREFIX + name: weight.cpu().numpy()
                for name, weight in self.autoencoder.state_dict().items()
            }
            metadata |= {"kind": "autoencoder", "widths": self.autoencoder.widths}
        return arrays, metadata

    @classmethod
    def from_state(
        cls,
        arrays: dict[str, np.ndarray],
        metadata: dict[str, Any],
        device: torch.device | None = None,
    ) -> "Encoder":
        """Rebuild the encoder that `state` described, on the CPU or `device`."""
        autoencoder = None
        if metadata["kind"] == "autoencoder":
            weights = {
                name.removeprefix(NETWORK_PREFIX): torch.tensor(array)
                for name, array in arrays.items()
                if name.startswith(NETWORK_PREFIX)
            }
            autoencoder = Autoencoder(
                weights["axis_sd"], metadata["latent_size"], metadata["widths"], dropout=0.0
            )
            autoencoder.load_state_dict(weights)
            autoencoder.eval().to(device)
        covariates = None
        if "covariates" in metadata:
            known = {name: tuple(those) for name, those in metadata["covariates"].items()}
            names = ("centre", "scale", "coefficients", "intercept")
            covariates = Covariates(known, *(arrays[COVARIATE_PREFIX + name] for name in names))
        return cls(
            modality=metadata["modality"],
            features=pd.Index(metadata["features"]),
            components=PrincipalComponents(arrays["components.mean"], arrays["components.axes"]),
            autoencoder=autoencoder,
            latent_mean=arrays["latent_mean"],
            latent_sd=arrays["latent_sd"],
            residual_sd=arrays["residual_sd"],
            history=pd.DataFrame(metadata["history"]),
            covariates=covariates,
            reference=arrays["reference"],
        )


def fit_encoder(
    name: str,
    processed: pd.DataFrame,
    split: pd.DataFrame,
    config: ModalityConfig,
    settings: EmbeddingConfig,
    device: torch.device,
    clinical: pd.DataFrame | None = None,
) -> Encoder:
    """Fit the encoder of one modality on its training patients.

    Parameters
    ----------
    name
        Name of the modality.
    processed
        Patients x features, standardised, nothing missing.
    split
        Column ``split`` (train, val, test) by patient. Validation patients stop the training of an
        autoencoder; test patients are not used.
    config
        Kind and size of the encoder.
    settings
        Training settings.
    device
        Where an autoencoder is trained and stays. Principal axes are found on the CPU.
    clinical
        Patients x clinical columns, for the covariates that the settings name.

    Raises
    ------
    ValueError
        When a value is missing, the latent has more dimensions than there are features or training
        patients can tell apart, or no validation patient has the modality.
    """
    check_finite(processed, f"processed table of {name}", "the preprocessing pipeline")
    train = positions_of(processed, split, "train")
    val = positions_of(processed, split, "val")
    check_sizes(name, config, n_features=processed.shape[1], n_train=len(train))

    is_pca = config.encoder.kind == "pca"
    # Of n centred rows, n - 1 are independent.
    most = min(processed.shape[1], len(train) - 1)
    n_axes = config.latent_size
    if not is_pca:
        n_axes = min(max(settings.principal_axes, n_axes), most)
    every_axis = PrincipalComponents.fit(
        rows_at(processed, train),
        max(n_axes, min(config.code_size or settings.code_size, most)),
        settings.seed,
        overwrite=True,
    )
    components = every_axis.leading(n_axes)
    train_scores, train_squares = project_all(rows_at(processed, train), components)
    check_spread(name, train_scores[:, : config.latent_size])

    autoencoder = None
    history = pd.DataFrame(columns=["epoch", "train_mse", "val_mse", "kept"])
    if not is_pca:
        if len(val) == 0:
            raise ValueError(
                f"No validation patient has {name}, so nothing can stop the training of its "
                f"autoencoder: raise preprocessing.split.val_fraction, or set "
                f"modalities.{name}.encoder.kind to pca."
            )
        val_scores, val_squares = project_all(rows_at(processed, val), components)
        autoencoder, errors = train_autoencoder(
            torch.from_numpy(train_scores).to(device),
            torch.from_numpy(val_scores).to(device),
            config.latent_size,
            hidden_widths(
                processed.shape[1],
                config.latent_size,
                config.encoder.hidden_layers,
                config.encoder.max_width,
            ),
            settings,
            name,
        )
        # What the axes leave out of a row is lost whatever the autoencoder does.
        history = pd.DataFrame(
            {
                "epoch": errors["epoch"],
                "train_mse": errors["train_error"] / processed.shape[1]
                + mse_outside_axes(train_squares, train_scores, processed.shape[1]),
                "val_mse": errors["val_error"] / processed.shape[1]
                + mse_outside_axes(val_squares, val_scores, processed.shape[1]),
                "kept": errors["kept"],
            }
        )
    raw = raw_latents(scores_of(processed, train, components), autoencoder)
    check_spread(name, raw)
    encoder = Encoder(
        modality=name,
        features=processed.columns,
        components=every_axis,
        autoencoder=autoencoder,
        latent_mean=raw.mean(axis=0, dtype=float).astype(np.float32),
        latent_sd=raw.std(axis=0, dtype=float).astype(np.float32),
        residual_sd=np.zeros(processed.shape[1], dtype=np.float32),
        history=history,
    )
    if settings.covariates and clinical is not None:
        code = encoder.code(processed.iloc[train])
        covariates = fit_covariates(name, settings.covariates, clinical, code)
        encoder = replace(encoder, covariates=covariates)
    return replace(
        encoder,
        residual_sd=residual_sd(encoder, processed, train, val),
        reference=np.sort(
            distances(encoder, processed.iloc[val], encoder.encode(processed.iloc[val])), axis=0
        ),
    )


def residual_sd(
    encoder: Encoder,
    processed: pd.DataFrame,
    train: NDArray[np.intp],
    val: NDArray[np.intp],
) -> Matrix:
    """Return what the latents lose of each feature.

    Training patients are many and say how features differ; validation patients, of whom an encoder loses
    more, say how much it is in all.

    Parameters
    ----------
    encoder
        Fitted.
    processed
        Patients x features.
    train, val
        Positions of patients; where there is none to validate on, training patients speak for all.
    """

    def mean_squares(positions: NDArray[np.intp]) -> Matrix:
        total = np.zeros(processed.shape[1])
        for part in row_chunks(len(positions)):
            rows = processed.iloc[positions[part]]
            lost = rows.to_numpy() - encoder.decode(encoder.encode(rows)).to_numpy()
            total += np.square(lost, dtype=float).sum(axis=0)
        return total / max(len(positions), 1)

    seen = mean_squares(train)
    if len(val) and seen.sum() > 0:
        seen *= mean_squares(val).sum() / seen.sum()
    return np.sqrt(seen).astype(np.float32)


@torch.no_grad()
def raw_latents(scores: Matrix, autoencoder: Autoencoder | None) -> Matrix:
    """Return latents before standardisation, shape ``(n_rows, latent_size)``."""
    if autoencoder is None:
        return scores
    device = autoencoder.axis_sd.device
    return np.concatenate(
        [
            autoencoder.encode(torch.from_numpy(scores[part]).to(device)).cpu().numpy()
            for part in row_chunks(len(scores))
        ]
    )


@torch.no_grad()
def reconstruct(
    raw: Matrix, components: PrincipalComponents, autoencoder: Autoencoder | None
) -> Matrix:
    """Return the rows of latents before standardisation, shape ``(n_rows, n_features)``."""
    rows = np.empty((len(raw), len(components.mean)), dtype=np.float32)
    for part in row_chunks(len(raw)):
        scores = raw[part]
        if autoencoder is not None:
            latents = torch.from_numpy(scores).to(autoencoder.axis_sd.device)
            scores = autoencoder.decode(latents).cpu().numpy()
        rows[part] = components.reconstruct(scores)
    return rows


def row_chunks(n_rows: int) -> Iterator[slice]:
    """Yield slices that cover `n_rows` rows; an empty one where there are none."""
    for start in range(0, max(n_rows, 1), CHUNK_ROWS):
        yield slice(start, start + CHUNK_ROWS)


def positions_of(processed: pd.DataFrame, split: pd.DataFrame, part: str) -> NDArray[np.intp]:
    """Return the positions of the patients in `part` (train, val or test)."""
    return np.flatnonzero(processed.index.isin(split.index[split["split"] == part]))


def rows_at(frame: pd.DataFrame, positions: NDArray[np.intp]) -> Matrix:
    """Copy rows as float32 in row order: rounding does not depend on how a frame was made."""
    values = frame.to_numpy()
    rows = np.empty((len(positions), values.shape[1]), dtype=np.float32)
    for block in column_blocks(values.shape[1]):
        rows[:, block] = values[positions, block]
    return rows


def scores_of(
    processed: pd.DataFrame, positions: NDArray[np.intp], components: PrincipalComponents
) -> Matrix:
    """Return the scores of some rows, shape ``(len(positions), n_axes)``."""
    return np.concatenate(
        [
            components.project(rows_at(processed, positions[part]))
            for part in row_chunks(len(positions))
        ]
    )


def project_all(rows: Matrix, components: PrincipalComponents) -> tuple[Matrix, float]:
    """Return the scores of `rows`, which are overwritten, and the sum of their squares about the mean.

    In one product: its last digits depend on how many rows it has, and training multiplies them.
    """
    rows -= components.mean
    scores = rows @ components.axes.T
    return scores, float(np.sum(np.square(rows, out=rows), dtype=float))


def mse_outside_axes(squares: float, scores: Matrix, n_features: int) -> float:
    """Return the mean square of what rows have outside the principal axes (by Pythagoras).

    Parameters
    ----------
    squares
        Sum of the squares of the rows about the mean.
    scores
        Scores of the rows.
    n_features
        Number of features.
    """
    outside = max(squares - np.sum(scores**2, dtype=float), 0.0)
    return float(outside / (len(scores) * n_features))
