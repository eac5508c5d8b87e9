"""Parameters of training, sampling and completion."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from tcga_coherent.diffusion.linear_beta import LinearBeta
from tcga_coherent.diffusion.process import Process

STRICT = ConfigDict(extra="forbid")

Precision = Literal["auto", "float32", "bfloat16"]
Weighting = Literal["composed", "composed_trained", "learned", "inverse_mse", "equal"]


# Name in the parameters to path from data to noise.
PROCESSES: Mapping[str, type[Process]] = {"linear_beta": LinearBeta}


def parse_process(settings: object) -> Process:
    """Return the process of the parameters, or of a checkpoint.

    Parameters
    ----------
    settings
        Its fields, ``kind`` among them; ``linear_beta`` by default.

    Raises
    ------
    ValueError
        Naming the key.
    """
    if isinstance(settings, Process):
        return settings
    if not isinstance(settings, Mapping):
        raise ValueError(f"process must be a mapping, got {settings}")
    kind = settings.get("kind", "linear_beta")
    if kind not in PROCESSES:
        raise ValueError(f"process.kind: {kind} is none of {', '.join(PROCESSES)}")
    try:
        return PROCESSES[kind](**settings)
    except ValidationError as error:
        problems = (
            ".".join(["process", *map(str, problem["loc"])]) + f": {problem['msg']}"
            for problem in error.errors()
        )
        raise ValueError("; ".join(problems)) from error


@dataclass(frozen=True, config=STRICT)
class ArchitectureConfig:
    """Size of the denoiser; see :class:`tcga_coherent.diffusion.denoiser.DenoiserShape`."""

    hidden_dim: int = Field(default=256, ge=1)
    n_layers: int = Field(default=4, ge=1)
    time_dim: int = Field(default=64, ge=2, multiple_of=2)
    condition_dim: int = Field(default=32, ge=1)


@dataclass(frozen=True, config=STRICT)
class ValidationConfig:
    """How the best checkpoint is chosen.

    Attributes
    ----------
    every
        Steps between two validations; the training state is saved as often.
    criterion
        ``energy_score``, a proper score of the draws, or ``mse`` between single draws and the
        truth, which is the paper's.
    n_draws
        Draws of each validation patient.
    n_steps
        Sampler steps of these draws (DPM-Solver++).
    patience
        Validations without improvement after which a model stops.
    """

    every: int = Field(default=500, ge=1)
    criterion: Literal["energy_score", "mse"] = "energy_score"
    n_draws: int = Field(default=8, ge=2)
    n_steps: int = Field(default=20, ge=2)
    patience: int = Field(default=10, ge=1)


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class TrainingConfig:
    """Training of one family of denoisers.

    Attributes
    ----------
    process
        Path from data to noise; one of :data:`PROCESSES`.
    prediction
        What the network learns: ``noise``, as in the paper, or ``velocity``, a mixture of noise and
        data from which the noise estimate follows. Noise is the same thing scaled so that the loss
        hardly counts the steps with much noise, in which the conditional mean is decided.
    conditions
        What a denoiser is told of a source: its ``latents``, as in the paper, or the
        ``latents_and_prediction`` of the target that is linear in the source's features, which hold far more
        of some targets than a few latent dimensions.
    batch_size
        Training patients of each model in a step.
    max_steps
        Gradient steps at most.
    learning_rate, weight_decay
        Of AdamW.
    learning_rate_schedule
        ``cosine`` to zero at `max_steps`, or ``constant``.
    ema_decay
        Decay of the moving average of the weights that is validated and kept; 0 keeps the raw
        weights.
    mask_probability
        Chance that a present condition of a multi-condition model is masked in training.
    precision
        Of matrix products: ``float32``, ``bfloat16``, or ``auto``, bfloat16 where the device has
        instructions for it. Weights, normalisation and losses are float32.
    compile
        Whether the denoiser is compiled by ``torch.compile``, which takes a minute and pays on a
        GPU, where a step is bound by its many small launches.
    seed
        Seed of initial weights, batches and noise.
    """

    process: Annotated[Process, BeforeValidator(parse_process)] = field(default_factory=LinearBeta)
    architecture: ArchitectureConfig = field(default_factory=ArchitectureConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    prediction: Literal["noise", "velocity"] = "velocity"
    conditions: Literal["latents", "latents_and_prediction"] = "latents_and_prediction"
    batch_size: int = Field(default=128, ge=2)
    max_steps: int = Field(default=6000, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.0, ge=0)
    learning_rate_schedule: Literal["cosine", "constant"] = "cosine"
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    mask_probability: float = Field(default=0.3, ge=0, lt=1)
    precision: Precision = "float32"
    compile: bool = False
    seed: int = 0


@dataclass(frozen=True, config=STRICT)
class CoherenceConfig:
    """When a trajectory is rejected (Methods, "Coherent Denoising").

    Attributes
    ----------
    threshold
        Weighted mean cosine distance between the noise estimates above which a step is incoherent.
    max_incoherent_share
        Share of incoherent timesteps above which the draw is rejected. Each step of a few-step
        sampler counts for the timesteps it stands for.
    max_attempts
        Times a draw is made at most; what is still rejected then is returned flagged.
    """

    threshold: float = Field(default=1.0, gt=0, le=2)
    max_incoherent_share: float = Field(default=0.05, ge=0, le=1)
    max_attempts: int = Field(default=3, ge=1)


@dataclass(frozen=True, config=STRICT)
class SamplingConfig:
    """How latents are drawn.

    Attributes
    ----------
    sampler
        ``dpm_solver`` (second order) or ``ddim`` (first order), which visit few timesteps, or
        ``ddpm``, the paper's, which visits all.
    n_steps
        Timesteps that a few-step sampler visits.
    timestep_power
        1 spaces them evenly, a larger power sets more of them where there is little noise.
    eta
        Strength of the noise that ``dpm_solver`` and ``ddim`` add on the way: 1 is that of the
        diffusion, 0 none, so that the first noise alone decides a draw. Below 1 only for denoisers
        that predict velocity; see :mod:`tcga_coherent.diffusion.sampling.samplers`.
    n_draws
        Draws of each patient (K), even where they are antithetic; 38 antithetic ones or 19 others
        are needed for a 90 % interval.
    antithetic
        The noise of the second half of the draws is that of the first half negated, but for
        draws that were rejected and made again. Errors of the two halves cancel in the mean of the
        draws, which is then nearly that of endless draws.
    weights
        Of the ensemble: ``composed`` (learned on validation for each noise level, with the standard
        normal as unconditional expert), ``composed_trained`` (with the multi-condition model
        without conditions as expert, a generator that needs no source), ``learned`` (without an
        expert), ``inverse_mse`` on validation (the paper's) or ``equal``.
    linear_experts
        Whether the linear-Gaussian experts of the sources (:mod:`tcga_coherent.diffusion.linear_gaussian`) are
        members of the coherent ensemble beside the single-condition denoisers.
    multi_expert
        Whether the multi-condition denoiser, given the sources, is a member of the coherent ensemble too. The ensemble
        then holds a model that was trained on whole profiles, as an attacker of the multi-condition model has it.
    recalibrate
        Whether the spread of a patient's draws is multiplied by the factor that gave the best CRPS
        on validation.
    temperature
        1 gives calibrated draws, 0 the consensus mean in all of them, the best point estimate;
        between them draws shrink towards the mean.
    coherence
        Rejection of incoherent draws.
    precision
        Of matrix products, as in :class:`TrainingConfig`. In bfloat16 a patient's draws differ
        beyond the second decimal with the number of draws computed at a time.
    chunk_rows
        Draws that are denoised at the same time, at least all of one patient; bounds memory.
    allow_unconditional
        Whether draws may be asked for without any source. What a model then draws comes from
        nothing but what it kept of its training patients. Completion needs it never.
    seed
        Seed of the noise.
    """

    sampler: Literal["dpm_solver", "ddim", "ddpm"] = "dpm_solver"
    n_steps: int = Field(default=20, ge=2)
    timestep_power: float = Field(default=2.5, ge=1)
    eta: float = Field(default=0.0, ge=0, le=1)
    n_draws: int = Field(default=40, ge=2)
    antithetic: bool = True
    weights: Weighting = "composed"
    linear_experts: bool = True
    multi_expert: bool = False
    recalibrate: bool = True
    temperature: float = Field(default=1.0, ge=0, le=1)
    coherence: CoherenceConfig = field(default_factory=CoherenceConfig)
    precision: Precision = "float32"
    chunk_rows: int = Field(default=2048, ge=1)
    allow_unconditional: bool = False
    seed: int = 0

    @model_validator(mode="after")
    def _check_pairs(self) -> "SamplingConfig":
        if self.antithetic and (self.n_draws % 2 or self.n_draws < 4):
            raise ValueError(
                f"n_draws is {self.n_draws}, but antithetic draws come in pairs, and a spread needs two "
                f"of them. Make it even and at least 4, or set antithetic to false."
            )
        return self


def _refuse_number(folder: object) -> object:
    """Refuse 20240115 from the command line, where 0115 would already have lost its zero."""
    if isinstance(folder, int | float):
        raise ValueError(f"a folder named by a number reads as a number: write ./{folder}")
    return folder


Folder = Annotated[str, BeforeValidator(_refuse_number)]


@dataclass(frozen=True, config=STRICT)
class CompletionConfig:
    """How missing modalities of patients are generated.

    Attributes
    ----------
    method
        ``coherent`` (ensemble of single-condition models) or ``multi``.
    condition_on_generated
        Whether a modality generated earlier, in the order of reliability, is a source of the next.
    input_dir, output_dir
        Folders of a user's own patients; the catalog reads them from the run parameters.
    models
        Folder of a bundle that takes the place of the environment's models; the catalog reads it likewise.
    h5mu
        Whether ``completed.h5mu`` is written too; the catalog reads it likewise.
    costs
        Modality to what measuring it costs, in any unit: priorities are then also given for that. All or none.
    """

    method: Literal["coherent", "multi"] = "coherent"
    condition_on_generated: bool = False
    input_dir: Folder | None = None
    output_dir: Folder | None = None
    models: Folder | None = None
    h5mu: bool = False
    costs: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] | None = None
