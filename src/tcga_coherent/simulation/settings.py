"""Settings of the simulated cohort."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Range = tuple[float, float]

# Values that preprocessing turns into the processed scale, on which the model is defined:
# log2(count + 1) into log2(CPM + 1), copies into log2(copies / 2), and values as they are.
Scale = Literal["log2_cpm", "log2_copy_ratio", "unchanged"]


@dataclass(frozen=True, config=STRICT)
class FactorGroup:
    """Factors that the same modalities see.

    Attributes
    ----------
    size
        Number of factors.
    tissue_share
        Share of each factor's variance that lies between cancer types.
    """

    size: Positive
    tissue_share: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=STRICT)
class GroupView:
    """How a modality sees a group of factors.

    Attributes
    ----------
    variance
        Share of the variance of the modality's features along the group.
    fidelity
        Share of that which is the factors themselves; the rest is the modality's own.
    """

    variance: Share
    fidelity: Share


@dataclass(frozen=True, config=STRICT)
class ModalitySpec:
    """A simulated modality.

    Attributes
    ----------
    source
        Format and place of its files, as a catalog entry of raw modalities says it.
    scale
        Units of the files.
    features
        Number of features that follow the model.
    factors
        Group to how the modality sees it. Variance that no group takes is independent noise.
    level
        Range of the features' means, processed scale.
    spread
        Range of the features' standard deviations, processed scale.
    discarded_features
        Further features that preprocessing must remove: not expressed, or not measured.
    missing_cells
        Share of cells that are missing; of copy numbers half of them are zero copies instead.
    degraded_samples
        Share of samples that quality control must find.
    measured
        Share of patients that have the modality in cohorts that do not count them.
    """

    source: dict[str, Any]
    scale: Scale
    features: Positive
    factors: dict[str, GroupView]
    level: Range
    spread: Range
    discarded_features: Annotated[int, Field(ge=0)] = 0
    missing_cells: Share = 0.0
    degraded_samples: Share = 0.0
    measured: Share | None = None

    @property
    def noise_share(self) -> float:
        """Share of the variance of the features that is independent noise."""
        return 1.0 - sum(view.variance for view in self.factors.values())


@dataclass(frozen=True, config=STRICT)
class CohortSpec:
    """A cancer type.

    Attributes
    ----------
    total
        Patients, in any unit: the simulated cohorts have the same proportions.
    complete
        Patients with all modalities.
    measured
        Modality to number of patients that have it.
    staged
        Whether patients have an AJCC stage.
    sex
        Set where only one occurs.
    sample_type
        Code of the tumour samples: 01 primary tumour, 06 metastasis.
    """

    total: Positive
    complete: Annotated[int, Field(ge=0)]
    measured: dict[str, Annotated[int, Field(ge=0)]]
    staged: bool = True
    sex: Literal["female", "male"] | None = None
    sample_type: Literal["01", "06"] = "01"


@dataclass(frozen=True, config=STRICT)
class Outcomes:
    """Stage and survival, which depend on the factors through one risk score.

    Attributes
    ----------
    risk_factors_per_group
        The score is the standardised sum of so many factors of each group.
    stage_share
        Share of the variance of the latent variable behind stage that is the score.
    stage_missing
        Share of patients without a stage in cohorts that have one.
    hazard_ratio
        Of one standard deviation of the score.
    median_days
        Median survival at a score of zero.
    follow_up_days
        Range of the independent, uniform censoring times.
    """

    risk_factors_per_group: Positive
    stage_share: Share
    stage_missing: Share
    hazard_ratio: Annotated[float, Field(gt=0)]
    median_days: Annotated[float, Field(gt=0)]
    follow_up_days: Range


@dataclass(frozen=True, config=STRICT)
class ExtraSamples:
    """Share of patients with samples that ingestion must leave out or average.

    Attributes
    ----------
    normal
        A normal sample (11A) beside the tumour.
    second_vial
        A second vial (B) of the tumour.
    second_slide
        A second slide, to be averaged with the first.
    """

    normal: Share
    second_vial: Share
    second_slide: Share


@dataclass(frozen=True, config=STRICT)
class SimulationSettings:
    """All that determines the simulated cohort, to the digit.

    Attributes
    ----------
    seed
        Seed of all random numbers.
    patients
        Number of patients.
    factor_groups
        Name to group of shared factors.
    modalities
        Name to modality.
    cohorts
        Abbreviation to cancer type.
    outcomes
        Stage and survival.
    extra_samples
        Samples beside one tumour sample a patient.
    """

    seed: Annotated[int, Field(ge=0)]
    patients: Positive
    factor_groups: dict[str, FactorGroup]
    modalities: dict[str, ModalitySpec]
    cohorts: dict[str, CohortSpec]
    outcomes: Outcomes
    extra_samples: ExtraSamples

    def __post_init__(self) -> None:
        """Check what concerns several settings."""
        for name, spec in self.modalities.items():
            unknown = sorted(set(spec.factors) - set(self.factor_groups))
            if unknown:
                raise ValueError(
                    f"modalities.{name}.factors names the unknown group {unknown[0]!r}; factor_groups "
                    f"has {', '.join(self.factor_groups)}"
                )
            if spec.noise_share <= 0:
                raise ValueError(
                    f"modalities.{name}.factors: variances must add up to less than 1, which leaves "
                    f"room for noise"
                )
            for key, bounds in (("level", spec.level), ("spread", spec.spread)):
                if bounds[0] > bounds[1]:
                    raise ValueError(f"modalities.{name}.{key} must be [low, high], got {bounds}")
            if spec.spread[0] <= 0:
                raise ValueError(f"modalities.{name}.spread must be positive, got {spec.spread}")


def parse_simulation(settings: Mapping[str, Any]) -> SimulationSettings:
    """Validate the ``simulation`` settings.

    Parameters
    ----------
    settings
        Nested mapping, as configuration has it.

    Raises
    ------
    ValueError
        When a setting is missing, unknown, of the wrong type or out of range; the message names
        the key.
    """
    try:
        return TypeAdapter(SimulationSettings).validate_python(settings)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(['simulation', *map(str, problem['loc'])])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise ValueError(f"Bad simulation settings: {problems}.") from error
