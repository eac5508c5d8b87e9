"""What the parameters say of a modality."""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

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
        to its arguments (``{clip: {low: -2, high: 2}}``); see ``tcga_coherent.omics.steps``.
    imputer
        ``knn`` or ``median``, fitted on the training patients.
    encoder
        How features become latents.
    latent_size
        Number of latent dimensions.
    """

    label: Annotated[str, Field(min_length=1)]
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
    steps: tuple[str | dict[str, dict[str, Any]], ...]
    imputer: Literal["knn", "median"] = "knn"
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    latent_size: int = Field(default=32, ge=1)


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
        When fewer than two modalities are left, a name cannot be a file's, or a setting is
        missing, unknown or of the wrong type; the message names the key.
    """
    adapter = TypeAdapter(ModalityConfig)
    parsed: dict[str, ModalityConfig] = {}
    for name, settings in modalities.items():
        if settings is None:
            continue
        if re.fullmatch(r"[A-Za-z0-9_-]+", name) is None or "_from_" in name:
            raise ValueError(
                f"modalities.{name}: a name is of letters, digits, _ and -, without _from_, as files and "
                f"denoisers are named after it. Rename the modality, in the catalog too."
            )
        try:
            parsed[name] = adapter.validate_python(settings)
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
    return parsed
