"""Stage and survival of the simulated patients."""

import numpy as np
import pandas as pd

from tcga_coherent.simulation.random_streams import random_stream
from tcga_coherent.simulation.settings import SimulationSettings

# Shares of patients up to stages I, II and III: about those of the staged TCGA cohorts.
STAGE_QUANTILES = (0.35, 0.65, 0.85)
# Sub-stages, as the raw clinical tables have them.
STAGES = (
    ("Stage I", "Stage IA", "Stage IB"),
    ("Stage II", "Stage IIA", "Stage IIB"),
    ("Stage III", "Stage IIIA", "Stage IIIC"),
    ("Stage IV", "Stage IVA", "Stage IVB"),
)
AGE_RANGE = (20.0, 90.0)


def risk_scores(settings: SimulationSettings, factors: np.ndarray) -> np.ndarray:
    """Compute the score on which stage and survival depend, standardised over patients.

    Parameters
    ----------
    settings
        Settings of the simulation.
    factors
        Shape (patients, factors), those of all groups first, in the groups' order.
    """
    score = np.zeros(len(factors))
    first = 0
    for group in settings.factor_groups.values():
        used = min(settings.outcomes.risk_factors_per_group, group.size)
        score += factors[:, first : first + used].sum(axis=1)
        first += group.size
    return (score - score.mean()) / score.std()


def simulate_outcomes(
    settings: SimulationSettings, cancer_types: pd.Series, factors: np.ndarray
) -> pd.DataFrame:
    """Draw the clinical data of all patients.

    Stage is an ordinal variable: a latent one, partly the risk score, cut at fixed quantiles.
    Survival is exponential with hazards proportional to ``hazard_ratio ** score`` and censored
    independently at a uniform time.

    Parameters
    ----------
    settings
        Settings of the simulation.
    cancer_types
        Index ``patient_id``.
    factors
        As in :func:`risk_scores`.

    Returns
    -------
    DataFrame
        Index `cancer_types`; ``cancer_type``, ``stage`` (AJCC text or None), ``os_event``,
        ``os_days``, ``age`` (years) and ``sex``.
    """
    outcomes = settings.outcomes
    n_patients = len(cancer_types)
    score = risk_scores(settings, factors)

    rng = random_stream(settings.seed, "stage")
    latent = np.sqrt(outcomes.stage_share) * score + np.sqrt(
        1.0 - outcomes.stage_share
    ) * rng.standard_normal(n_patients)
    ordinal = np.searchsorted(np.quantile(latent, STAGE_QUANTILES), latent)
    stage = np.array(STAGES, dtype=object)[ordinal, rng.integers(len(STAGES[0]), size=n_patients)]
    staged = cancer_types.map({name: cohort.staged for name, cohort in settings.cohorts.items()})
    stage[~staged.to_numpy() | (rng.random(n_patients) < outcomes.stage_missing)] = None

    rng = random_stream(settings.seed, "survival")
    hazard = np.log(2.0) / outcomes.median_days * outcomes.hazard_ratio**score
    death = rng.exponential(1.0 / hazard)
    censored = rng.uniform(*outcomes.follow_up_days, n_patients)

    rng = random_stream(settings.seed, "demography")
    sex = np.where(rng.random(n_patients) < 0.5, "female", "male").astype(object)
    only = cancer_types.map({name: cohort.sex for name, cohort in settings.cohorts.items()})
    return pd.DataFrame(
        {
            "cancer_type": cancer_types,
            "stage": stage,
            "os_event": (death <= censored).astype(float),
            "os_days": np.ceil(np.minimum(death, censored)),
            "age": np.round(np.clip(rng.normal(60.0, 12.0, n_patients), *AGE_RANGE)),
            "sex": only.where(only.notna(), sex).to_numpy(),
        },
        index=cancer_types.index,
    )
