"""What a baseline is: its name, how it looks in figures, and how it learns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field
from pydantic.dataclasses import dataclass as validated_dataclass

from tcga_coherent.measures.fidelity import Array
from tcga_coherent.modality import STRICT

Reads = Literal["latents", "codes"]


@validated_dataclass(frozen=True, config=STRICT)
class BaselineParameters:
    """Candidates for the settings of the baselines.

    Attributes
    ----------
    ridge_alphas
        Penalties; the one with the least leave-one-out error on the training patients is taken.
    ridge_features_alphas
        Penalties of features, of which each source has a total variance of one; the one with the least
        error on the validation patients is taken.
    knn_neighbors
        Numbers of neighbours; the one with the least error on the validation patients is taken.
        Those above the number of training patients are left out.
    """

    ridge_alphas: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]
    ridge_features_alphas: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]
    knn_neighbors: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]


@dataclass(frozen=True)
class Examples:
    """What a baseline learns from.

    Attributes
    ----------
    train_x, train_y
        Features and latents of the training patients.
    val_x, val_y
        The same of the validation patients.
    """

    train_x: Array
    train_y: Array
    val_x: Array
    val_y: Array


class Regressor(Protocol):
    """A fitted scikit-learn regressor."""

    def predict(self, features: Array) -> Array:
        """Predict patients x dimensions."""
        ...


@dataclass(frozen=True)
class Baseline:
    """A simple rival of the generative methods.

    Attributes
    ----------
    name, label
        What tables and figures call it.
    color, marker
        How it is drawn.
    fit
        Makes a regressor of what there is to learn from.
    reads
        What it is given of the sources: ``latents``, as the generative methods, or the wider ``codes``.
    constant
        Whether it predicts the same for every patient, so that nothing correlates with it.
    """

    name: str
    label: str
    color: str
    marker: str
    fit: Callable[[Examples, BaselineParameters], Regressor]
    reads: Reads = "latents"
    constant: bool = False
