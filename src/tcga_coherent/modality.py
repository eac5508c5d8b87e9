"""What the parameters say of a modality."""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

# Modalities are columns and files beside these, or stand in tables in their place.
TAKEN_NAMES = frozenset(
    [
        "all",
        "none",
        "mean",
        "null",
        "nan",
        "na",
        "n-a",
        "true",
        "false",
        "total",
        "complete",
        "incomplete",
        "patient_id",
        "cancer_type",
        "split",
        "draw",
        "flags",
        "stage",
        "survival",
        "single",
        "multi",
        "coherent",
        "ridge",
        "ridge_features",
        "knn",
        "real",
        "ablation",
        "default",
    ]
)
# Letters of all names together: the sets of sources are names of files.
LETTERS = 200

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=False)


@dataclass(frozen=True, config=STRICT)
class EncoderConfig:
    """How a modality is compressed to its latents.

    Attributes
    ----------
    kind
        ``autoencoder`` (omics) or ``pca`` (slide embeddings).
    hidden_layers
        Hidden layers between the features and the latent; widths narrow geometrically.
    max_width
        Upper bound of the first hidden width.
    """

    kind: Literal["autoencoder", "pca"] = "autoencoder"
    hidden_layers: int = Field(default=2, ge=1)
    max_width: int = Field(default=512, ge=2)


@dataclass(frozen=True, config=STRICT)
class ModalityConfig:
    """Everything the project knows about one modality.

    Attributes
    ----------
    label
        Name in figures and tables.
    color
        Hexadecimal colour in figures, the same in all of them.
    steps
        Transforms in their order, each a name (``log2_copy_ratio``) or a mapping from one name
        to its arguments (``{clip: {low: -2, high: 2}}``); see ``tcga_coherent.omics.features.steps``.
    imputer
        ``knn`` or ``median``, of the training patients. Of new patients, what ``knn`` took from neighbours is
        expected from their other features, see :mod:`tcga_coherent.embedding.conditional_mean`.
    encoder
        How features become latents.
    latent_size
        Number of latent dimensions.
    code_size
        Number of principal axes in its code; None for ``embedding.code_size``.
    """

    label: Annotated[str, Field(min_length=1)]
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
    steps: tuple[str | dict[str, dict[str, Any]], ...]
    imputer: Literal["knn", "median"] = "knn"
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    latent_size: int = Field(default=32, ge=1)
    code_size: Annotated[int, Field(ge=1)] | None = None


def modality_names(modalities: Mapping[str, Any]) -> list[str]:
    """Return the names in the ``modalities`` parameters; one that an environment sets to null is left out."""
    return [name for name, settings in modalities.items() if settings is not None]


def labels(modalities: Mapping[str, ModalityConfig]) -> dict[str, str]:
    """Return what figures and tables call the modalities."""
    return {name: config.label for name, config in modalities.items()}


def parse_modalities(modalities: Mapping[str, Any]) -> dict[str, ModalityConfig]:
    """Validate the ``modalities`` parameters.

    Parameters
    ----------
    modalities
        Modality name to its settings, in the order of tables and figures. A modality that an
        environment sets to null is left out.

    Raises
    ------
    ValueError
        When fewer than two modalities are left, a name cannot be a file's or means something else,
        two share a label, or a setting is missing, unknown or of the wrong type; the message names
        the key.
    """
    adapter = TypeAdapter(ModalityConfig)
    parsed: dict[str, ModalityConfig] = {}
    for name in modality_names(modalities):
        _check_name(name)
        try:
            parsed[name] = adapter.validate_python(modalities[name])
        except ValidationError as error:
            problems = "; ".join(
                f"modalities.{name}.{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
                for problem in error.errors()
            )
            raise ValueError(f"Bad modality settings: {problems}.") from error
    if len(parsed) < 2:
        raise ValueError(
            f"modalities names {sorted(parsed)}: at least two are needed to generate one from another."
        )
    _check_together(parsed)
    return parsed


def _check_name(name: object) -> None:
    if (
        not isinstance(name, str)
        or re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9_][A-Za-z0-9_-]*", name) is None
        or "_from_" in name
    ):
        raise ValueError(
            f"modalities.{name}: a name is of letters, digits, _ and -, without _from_, with a letter in it "
            f"and no - in front, as files and denoisers are named after it. Rename the modality, in the catalog too."
        )
    if name.lower() in TAKEN_NAMES:
        raise ValueError(
            f"modalities.{name}: tables have another meaning for {name}. Rename the modality, in the catalog "
            f"too."
        )


def _check_together(parsed: Mapping[str, ModalityConfig]) -> None:
    letters = len("+".join(parsed))
    if letters > LETTERS:
        longest = max(parsed, key=len)
        raise ValueError(
            f"modalities.{longest[:40]}{'...' if len(longest) > 40 else ''}: the name is too long, as files are "
            f"named after sets of modalities, whose names have {letters} letters together, above {LETTERS}. "
            f"Shorten it, in the catalog too."
        )
    of_label: dict[str, str] = {}
    for name, config in parsed.items():
        other = of_label.setdefault(config.label, name)
        if other != name:
            raise ValueError(
                f"modalities.{name}.label: {config.label!r} is the label of {other} too, so that tables and "
                f"figures could not tell them apart. Give it another."
            )
