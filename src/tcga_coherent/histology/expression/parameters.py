"""Parameters of the expression code."""

from dataclasses import field
from typing import Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from tcga_coherent.modality import STRICT


@dataclass(frozen=True, config=STRICT)
class ProfileSplit:
    """How patients are split.

    Attributes
    ----------
    val_fraction, test_fraction
        Shares of the groups of each cancer type.
    test_groups
        Groups that are tested in any case, such as a section of tissue that is left out; the shares of
        `test_fraction` are then not drawn.
    """

    val_fraction: float = Field(default=0.2, gt=0, lt=1)
    test_fraction: float = Field(default=0.2, gt=0, lt=1)
    test_groups: tuple[str, ...] = field(default=())

    @model_validator(mode="after")
    def _some_train(self) -> "ProfileSplit":
        if self.val_fraction + self.test_fraction >= 1:
            raise ValueError("val_fraction and test_fraction together must be below 1")
        return self


@dataclass(frozen=True, config=STRICT)
class ExpressionParameters:
    """The ``expression_vae`` parameters.

    Attributes
    ----------
    encoder
        ``vae``, the paper's, or ``pca``.
    units
        ``log``: as is; ``linear``: log2(x + 1) is taken; ``counts``: log2(counts a million + 1).
    code_size
        Numbers of a code.
    hidden
        Widths of the hidden layers of the encoder; the decoder has them in reverse.
    beta
        Weight of the Kullback-Leibler divergence beside the squared error, both summed over genes or dimensions.
    learning_rate, warm_up_epochs
        Of Adam: it rises in these epochs and falls along a cosine in the others.
    batch_size, max_epochs
        Of the training.
    patience
        Epochs without a lower validation error after which training stops.
    split
        Of the patients.
    seed
        Of split, weights and noise.
    """

    encoder: Literal["vae", "pca"] = "vae"
    units: Literal["log", "linear", "counts"] = "log"
    code_size: int = Field(default=200, ge=1)
    hidden: tuple[int, ...] = field(default=(6000, 4000))
    beta: float = Field(default=0.005, ge=0)
    learning_rate: float = Field(default=3e-3, gt=0)
    warm_up_epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=128, ge=2)
    max_epochs: int = Field(default=250, ge=1)
    patience: int = Field(default=30, ge=1)
    split: ProfileSplit = field(default_factory=ProfileSplit)
    seed: int = Field(default=0, ge=0)
