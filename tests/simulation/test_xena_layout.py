import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.features.steps import build_steps
from tcga_coherent.simulation.xena_layout import (
    split_by_cancer_type,
    tabulate_clinical,
    tabulate_samples,
    tabulate_slides,
)


def tumours(samples: pd.DataFrame) -> pd.DataFrame:
    """First vials of tumour samples, index patient."""
    kept = samples[samples.index.str.fullmatch(r".{12}-0[16]A")]
    return kept.set_axis(kept.index.str[:12], axis=0)


def test_every_measured_patient_has_one_first_vial_of_the_right_type(small_cohort):
    samples = tabulate_samples(small_cohort, "rnaseq")
    first = tumours(samples)
    measured = small_cohort.presence.index[small_cohort.presence["rnaseq"]]
    assert list(first.index) == list(measured)
    is_skin = small_cohort.clinical["cancer_type"] == "SKCM"
    codes = samples.index.to_series().str[13:16]
    patients = samples.index.str[:12]
    assert set(codes[is_skin.loc[patients].to_numpy()]) <= {"06A", "06B", "11A"}
    assert set(codes[~is_skin.loc[patients].to_numpy()]) == {"01A", "01B", "11A"}


def test_preprocessing_recovers_the_model_but_for_degraded_samples(small_cohort):
    table = tumours(tabulate_samples(small_cohort, "rnaseq"))
    for step in build_steps(["log2_counts_to_cpm", "log2_plus_one"], "steps"):
        table = step.forward(table)
    truth = small_cohort.processed["rnaseq"].loc[table.index]
    degraded = small_cohort.degraded.loc[table.index, "rnaseq"]
    assert degraded.sum() > 3
    error = (table[truth.columns] - truth).abs()
    assert error[~degraded].max(axis=None) < 0.01
    assert error[degraded].mean(axis=1).min() > 0.5


def test_copies_hold_zeros_missing_cells_and_an_unmeasured_gene(small_cohort):
    table = tumours(tabulate_samples(small_cohort, "cna"))
    truth = small_cohort.processed["cna"].loc[table.index]
    modelled = table[truth.columns].to_numpy()
    assert (modelled == 0).mean() == pytest.approx(0.01, abs=0.008)
    assert np.isnan(modelled).mean() == pytest.approx(0.01, abs=0.008)
    kept = (modelled != 0) & ~np.isnan(modelled)
    np.testing.assert_allclose(np.log2(modelled[kept] / 2), truth.to_numpy()[kept])
    assert table.drop(columns=truth.columns).isna().all(axis=None)


def test_second_vials_resemble_the_first_and_normals_do_not(small_cohort):
    samples = tabulate_samples(small_cohort, "cna")
    spread = samples.std()
    for suffix, low, high in (("B", 0.0, 0.6), ("11A", 0.7, 3.0)):
        others = samples[samples.index.str.endswith(suffix)]
        assert len(others) > 5
        first = tumours(samples).loc[others.index.str[:12]]
        difference = (others.to_numpy() - first.to_numpy()) / spread.to_numpy()
        assert low < np.sqrt(np.nanmedian(difference**2)) < high


def test_slides_of_a_patient_average_to_the_patient(small_cohort):
    slides = tabulate_slides(small_cohort, "wsi")
    by_patient = slides.groupby(slides.index.str[:12])
    assert set(by_patient.size()) == {1, 2}
    assert slides.index.str.fullmatch(r"TCGA-00-.{4}-0[16]Z-00-DX[12]").all()
    mean = by_patient.mean()
    truth = small_cohort.processed["wsi"].loc[mean.index]
    np.testing.assert_allclose(mean, truth, atol=1e-6)
    assert (by_patient.std().dropna() > 0).all(axis=None)


def test_clinical_and_survival_tables_say_what_was_simulated(small_cohort):
    clinical, survival = tabulate_clinical(small_cohort)
    truth = small_cohort.clinical
    assert list(survival["_PATIENT"]) == list(truth.index)
    assert list(clinical.index) == list(survival.index)
    np.testing.assert_array_equal(survival["OS"], truth["os_event"])
    np.testing.assert_array_equal(
        clinical["vital_status.demographic"] == "Dead", truth["os_event"] == 1
    )


def test_tables_are_divided_by_cancer_type_without_empty_ones(small_cohort):
    parts = split_by_cancer_type(small_cohort, tabulate_samples(small_cohort, "cna"))
    assert list(parts) == ["BRCA", "OV"]
    for name, part in parts.items():
        assert set(small_cohort.clinical["cancer_type"].loc[part.index.str[:12]]) == {name}
