"""The simulated cohort as a whole, and the truth about it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tcga_coherent.simulation.build_model import build_factor_model
from tcga_coherent.simulation.factor_model import FactorModel
from tcga_coherent.simulation.missingness import assign_modalities
from tcga_coherent.simulation.outcomes import simulate_outcomes
from tcga_coherent.simulation.random_streams import random_stream
from tcga_coherent.simulation.raw_units import to_raw_units
from tcga_coherent.simulation.settings import SimulationSettings


@dataclass(frozen=True)
class DemoCohort:
    """Simulated patients, the model they come from, and its exact conditional distributions.

    The processed scale is that of the model: the values after the steps of conf/base for the
    modality (log2(CPM + 1), log2(copies / 2)), except that proteins' medians are not subtracted.

    Attributes
    ----------
    settings
        All settings.
    model
        The generative model.
    factors
        Patients x factors, shape (patients, factors), in the order of `presence`.
    processed
        Modality to patients x features, processed scale, of *all* patients: what would have been
        measured where the modality is missing. Neither missing cells nor degraded samples.
    presence
        Boolean, patients x modalities, index ``patient_id``: what is measured.
    degraded
        Boolean, like `presence`: measurements that were spoiled on the way to the files.
    clinical
        See :func:`tcga_coherent.simulation.outcomes.simulate_outcomes`.

    Examples
    --------
    The reference for generated latents of test patients, K draws each::

        cohort = load_truth("data/01_raw/demo/xena")
        draws = cohort.sample_conditional("rnaseq", ["rppa", "wsi"], patients, n_draws=100, seed=0)
        raw = cohort.to_raw_units("rnaseq", draws)  # columns and units of modality_tables
        # ... then through the fitted preprocessor and encoder, as measured values go.
    """

    settings: SimulationSettings
    model: FactorModel
    factors: np.ndarray
    processed: dict[str, pd.DataFrame]
    presence: pd.DataFrame
    degraded: pd.DataFrame
    clinical: pd.DataFrame

    def observed(self, sources: Sequence[str], patients: Sequence[str]) -> dict[str, np.ndarray]:
        """Return patients' measured values, processed scale, as the model's methods want them.

        Raises
        ------
        ValueError
            When a patient or a source is unknown, or a source of a patient is not measured.
        """
        unknown = [patient for patient in patients if patient not in self.presence.index]
        if unknown:
            raise ValueError(f"The demo cohort has no patient {unknown[0]!r}.")
        for source in sources:
            if source not in self.processed:
                raise ValueError(
                    f"The demo cohort has no modality {source!r}: it has {', '.join(self.processed)}."
                )
            measured = self.presence.loc[list(patients), source]
            if not measured.all():
                raise ValueError(
                    f"Source {source!r} of patient {measured.index[~measured][0]} is not measured: "
                    f"leave out the patient or the source."
                )
        return {source: self.processed[source].loc[list(patients)].to_numpy() for source in sources}

    def conditional_mean(
        self, target: str, sources: Sequence[str], patients: Sequence[str]
    ) -> pd.DataFrame:
        """Expect the target's features given the sources: patients x features, processed scale."""
        values = self.model.conditional_mean(target, self.observed(sources, patients))
        return self._frame(target, values, patients)

    def conditional_variance(
        self, target: str, sources: Sequence[str], patients: Sequence[str]
    ) -> pd.DataFrame:
        """Variance of the target's features given the sources, as :meth:`conditional_mean`."""
        values = self.model.conditional_variance(target, self.observed(sources, patients))
        return self._frame(target, values, patients)

    def sample_conditional(
        self,
        target: str,
        sources: Sequence[str],
        patients: Sequence[str],
        n_draws: int,
        seed: int,
    ) -> pd.DataFrame:
        """Draw the target from its exact distribution given the patients' measured sources.

        Cancer types are not conditioned on: like the models, the draws know the sources only.

        Parameters
        ----------
        target
            Modality to draw.
        sources
            Modalities to condition on.
        patients
            Patients that have all sources.
        n_draws
            Draws for each patient.
        seed
            Same seed and patients, same draws.

        Returns
        -------
        DataFrame
            Index (``patient_id``, ``draw``), columns features, processed scale; see
            :meth:`to_raw_units`.

        Raises
        ------
        ValueError
            As :meth:`observed`.
        """
        rng = random_stream(seed, "conditional draws", target, *sources)
        draws = self.model.sample_conditional(
            target, self.observed(sources, patients), n_draws, rng
        )
        index = pd.MultiIndex.from_product(
            [list(patients), range(n_draws)], names=["patient_id", "draw"]
        )
        features = self.model.views[target].features
        return pd.DataFrame(draws.reshape(-1, len(features)), index=index, columns=features)

    def to_raw_units(self, modality: str, processed: pd.DataFrame) -> pd.DataFrame:
        """Return processed values, such as draws, in the columns and units of the raw matrix.

        See :func:`tcga_coherent.simulation.raw_units.to_raw_units`. Features that preprocessing
        discards are empty.
        """
        return to_raw_units(processed, modality, self.settings.modalities[modality])

    def _frame(self, target: str, values: np.ndarray, patients: Sequence[str]) -> pd.DataFrame:
        return pd.DataFrame(
            values,
            index=pd.Index(list(patients), name="patient_id"),
            columns=self.model.views[target].features,
        )


def simulate_cohort(settings: SimulationSettings) -> DemoCohort:
    """Simulate the cohort; the same settings always give the same one.

    Raises
    ------
    ValueError
        When the cohorts' counts contradict one another, see
        :func:`tcga_coherent.simulation.missingness.assign_modalities`.
    """
    model = build_factor_model(settings)
    presence = assign_modalities(settings)
    presence.index = pd.Index(
        [f"TCGA-00-{np.base_repr(number, 36).zfill(4)}" for number in range(len(presence))],
        name="patient_id",
    )
    cancer_types = presence.pop("cancer_type")
    types = pd.Index(model.cancer_types).get_indexer(pd.Index(cancer_types))
    factors = model.simulate_factors(types, random_stream(settings.seed, "factors"))
    processed = {}
    degraded = pd.DataFrame(False, index=presence.index, columns=presence.columns)
    for name, spec in settings.modalities.items():
        values = model.simulate(name, factors, random_stream(settings.seed, "noise", name))
        processed[name] = values.set_axis(presence.index, axis=0)
        spoiled = random_stream(settings.seed, "degraded", name).random(len(presence))
        degraded[name] = presence[name] & (spoiled < spec.degraded_samples)
    return DemoCohort(
        settings=settings,
        model=model,
        factors=factors,
        processed=processed,
        presence=presence,
        degraded=degraded,
        clinical=simulate_outcomes(settings, cancer_types, factors),
    )
