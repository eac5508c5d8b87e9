"""From measured expression to codes, for patients of the training and for others."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter

from tcga_coherent.embedding.pca import PrincipalComponents
from tcga_coherent.histology.expression.parameters import ExpressionParameters
from tcga_coherent.histology.expression.vae import BetaVAE, train_vae

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ExpressionEncoder:
    """A fitted code.

    Attributes
    ----------
    parameters
        It was fitted with.
    genes
        Names, in the order of `mean` and `sd`.
    mean, sd
        Of each gene over the training patients, in logarithms.
    scale
        Root mean square of the training patients' codes, by which codes are divided.
    model
        VAE, or principal components.
    """

    parameters: ExpressionParameters
    genes: pd.Index
    mean: NDArray[np.float32]
    sd: NDArray[np.float32]
    scale: float
    model: BetaVAE | PrincipalComponents

    def z_scores(self, expression: pd.DataFrame) -> pd.DataFrame:
        """Return z scores of this encoder's genes; genes that were not measured are at their mean, 0.

        Raises
        ------
        ValueError
            When no gene is known.
        """
        common = self.genes.intersection(expression.columns)
        if common.empty:
            raise ValueError(
                f"The expression has no gene in common with the models: it has "
                f"{', '.join(map(str, expression.columns[:3]))}, they know {', '.join(self.genes[:3])}. Use the same "
                f"identifiers."
            )
        if len(common) < len(self.genes):
            logger.warning(
                "%d of %d genes of the expression code were measured; the others stand at their mean",
                len(common),
                len(self.genes),
            )
        logs = to_logs(expression[common], self.parameters.units)
        place = self.genes.get_indexer(common)
        z = pd.DataFrame((logs - self.mean[place]) / self.sd[place])
        return z.reindex(columns=self.genes).fillna(0.0)

    @torch.no_grad()
    def codes(self, z_scores: pd.DataFrame) -> pd.DataFrame:
        """Return codes, patients x code_size, float32, of z scores."""
        values = z_scores.to_numpy(dtype=np.float32)
        if isinstance(self.model, BetaVAE):
            codes = self.model.encode(torch.from_numpy(values))[0].numpy()
        else:
            codes = self.model.project(values)
        names = [f"e{n:03d}" for n in range(codes.shape[1])]
        scaled = (codes / self.scale).astype(np.float32)
        return pd.DataFrame(scaled, index=z_scores.index, columns=names)

    @torch.no_grad()
    def reconstruct(self, codes: pd.DataFrame) -> NDArray[np.float32]:
        """Return the z scores that codes stand for."""
        values = codes.to_numpy(dtype=np.float32) * np.float32(self.scale)
        if isinstance(self.model, BetaVAE):
            decoded: NDArray[np.float32] = self.model.decode(torch.from_numpy(values)).numpy()
            return decoded
        return self.model.reconstruct(values).astype(np.float32)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays, and what is no array."""
        if isinstance(self.model, BetaVAE):
            weights = {f"model/{k}": v.numpy() for k, v in self.model.state_dict().items()}
        else:
            weights = {"model/mean": self.model.mean, "model/axes": self.model.axes}
        described = {
            "parameters": asdict(self.parameters),
            "genes": list(self.genes),
            "scale": self.scale,
        }
        return {"mean": self.mean, "sd": self.sd, **weights}, described

    @classmethod
    def from_state(
        cls, arrays: Mapping[str, NDArray[Any]], described: Mapping[str, Any]
    ) -> "ExpressionEncoder":
        """Return the encoder of a state."""
        parameters = TypeAdapter(ExpressionParameters).validate_python(described["parameters"])
        genes = pd.Index(described["genes"])
        own = {k.removeprefix("model/"): v for k, v in arrays.items() if k.startswith("model/")}
        model: BetaVAE | PrincipalComponents
        if parameters.encoder == "pca":
            model = PrincipalComponents(own["mean"], own["axes"])
        else:
            model = BetaVAE(len(genes), parameters.hidden, parameters.code_size)
            model.load_state_dict({name: torch.from_numpy(array) for name, array in own.items()})
            model.eval()
        return cls(parameters, genes, arrays["mean"], arrays["sd"], described["scale"], model)


def fit_expression_encoder(
    expression: pd.DataFrame,
    split: pd.Series,
    parameters: ExpressionParameters,
    device: torch.device,
) -> ExpressionEncoder:
    """Fit on the training patients; genes that do not vary there are left out.

    Parameters
    ----------
    expression
        Patients x genes, as measured.
    split
        Part of each patient.
    parameters
        Of the code.
    device
        Where to train.

    Raises
    ------
    ValueError
        When values are missing, or there are too few patients or genes.
    """
    check_expression(expression)
    logs = to_logs(expression, parameters.units)
    train = logs.loc[split.index[split == "train"]]
    mean, sd = train.mean(), train.std()
    genes = sd.index[sd > 0]
    most = min(len(train) - 1, len(genes))
    if parameters.code_size > most:
        raise ValueError(
            f"expression_vae.code_size is {parameters.code_size}, but {len(train)} training patients and {len(genes)} "
            f"genes that vary give {max(most, 0)} dimensions at most: lower it."
        )
    mean, sd = mean[genes].astype(np.float32), sd[genes].astype(np.float32)
    z = ((logs[genes] - mean) / sd).to_numpy(dtype=np.float32)
    parts = {part: z[logs.index.isin(split.index[split == part])] for part in ("train", "val")}
    model: BetaVAE | PrincipalComponents
    if parameters.encoder == "pca":
        model = PrincipalComponents.fit(parts["train"], parameters.code_size, parameters.seed)
    else:
        tensors = {part: torch.from_numpy(values).to(device) for part, values in parts.items()}
        model = train_vae(tensors["train"], tensors["val"], parameters)[0].cpu()
    raw = ExpressionEncoder(parameters, genes, mean.to_numpy(), sd.to_numpy(), 1.0, model)
    codes = raw.codes(pd.DataFrame(parts["train"], columns=genes)).to_numpy()
    scale = float(np.sqrt(np.mean(codes.astype(float) ** 2)))
    return ExpressionEncoder(parameters, genes, raw.mean, raw.sd, scale, model)


def score_encoder(
    encoder: ExpressionEncoder, expression: pd.DataFrame, split: pd.Series
) -> pd.DataFrame:
    """Return the errors of reconstruction beside those of as many principal components.

    Returns
    -------
    DataFrame
        ``encoder``, ``split``, ``patients``, ``genes``, ``code_size``, and ``rmse`` and ``mae`` in z scores.
    """
    z = encoder.z_scores(expression)
    train = z.loc[split.index[split == "train"]].to_numpy(dtype=np.float32)
    linear = PrincipalComponents.fit(train, encoder.parameters.code_size, encoder.parameters.seed)
    rows = []
    for part in ("train", "val", "test"):
        own = z.loc[split.index[split == part]]
        truth = own.to_numpy(dtype=np.float32)
        made = {"pca": linear.reconstruct(linear.project(truth))}
        if encoder.parameters.encoder == "vae":
            made = {"vae": encoder.reconstruct(encoder.codes(own)), **made}
        for name, values in made.items():
            error = values - truth
            rows.append(
                {
                    "encoder": name,
                    "split": part,
                    "patients": len(own),
                    "genes": truth.shape[1],
                    "code_size": encoder.parameters.code_size,
                    "rmse": float(np.sqrt(np.mean(error**2))),
                    "mae": float(np.abs(error).mean()),
                }
            )
    return pd.DataFrame(rows)


def check_expression(expression: pd.DataFrame) -> None:
    """Stop at missing values.

    Raises
    ------
    ValueError
        Naming a patient and a gene.
    """
    missing = np.argwhere(expression.isna().to_numpy())
    if len(missing):
        patient, gene = expression.index[missing[0, 0]], expression.columns[missing[0, 1]]
        raise ValueError(
            f"The expression of {gene} in {patient} is missing, and {len(missing) - 1} more values: fill them, or take "
            f"the genes or patients out."
        )


def to_logs(expression: pd.DataFrame, units: str) -> pd.DataFrame:
    """Return logarithms of expression in the given units.

    Raises
    ------
    ValueError
        When values are negative that are no logarithms.
    """
    if units == "log":
        return expression
    if (expression.to_numpy() < 0).any():
        raise ValueError(
            f"The expression has negative values, which expression_vae.units {units} cannot have: set it to log."
        )
    if units == "counts":
        expression = expression.div(expression.sum(axis=1), axis=0) * 1e6
    return pd.DataFrame(np.log2(expression + 1))
