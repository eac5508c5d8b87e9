import pandas as pd
import pytest

from tcga_coherent.simulation.missingness import assign_modalities
from tcga_coherent.simulation.settings import parse_simulation


def test_the_demo_keeps_the_proportions_of_the_published_table(demo_settings, shared_dir):
    paper = pd.read_csv(shared_dir / "paper_tables" / "table4_cohort.csv", index_col="cancer_type")
    total = paper.loc["TOTAL"]
    patients = assign_modalities(parse_simulation(demo_settings))
    presence = patients.drop(columns="cancer_type")
    complete = presence.all(axis=1)

    assert len(patients) == demo_settings["patients"]
    assert presence.any(axis=1).all()
    assert complete.mean() == pytest.approx(total["complete"] / total["total"], abs=0.01)
    for name, group in patients.groupby("cancer_type"):
        scale = len(group) / paper.loc[name, "total"]
        assert scale == pytest.approx(len(patients) / total["total"], rel=0.04)
        assert complete[group.index].sum() == pytest.approx(
            scale * paper.loc[name, "complete"], abs=2
        )
        for modality in presence:
            counted = group[modality].sum()
            assert counted == pytest.approx(scale * paper.loc[name, modality], abs=4), modality


def test_the_configured_counts_are_those_published(demo_settings, shared_dir):
    paper = pd.read_csv(shared_dir / "paper_tables" / "table4_cohort.csv", index_col="cancer_type")
    typed = pd.DataFrame(
        {
            name: {"total": cohort["total"], "complete": cohort["complete"], **cohort["measured"]}
            for name, cohort in demo_settings["cohorts"].items()
        }
    ).T
    published = paper.drop("TOTAL")[typed.columns]
    pd.testing.assert_frame_equal(typed, published, check_names=False)


def test_a_modality_that_nobody_has_in_a_cohort_stays_absent(small):
    patients = assign_modalities(parse_simulation(small))
    assert not patients.loc[patients["cancer_type"] == "SKCM", "cna"].any()


def test_a_modality_without_counts_takes_its_measured_share(small, methylation):
    small["modalities"]["methylation"] = methylation
    patients = assign_modalities(parse_simulation(small))
    assert patients["methylation"].mean() == pytest.approx(0.9, abs=0.02)
    complete = patients.drop(columns="cancer_type").all(axis=1)
    assert complete.mean() == pytest.approx(0.9 * 43 / 100, abs=0.02)


def test_a_modality_with_neither_counts_nor_share_is_named(small, methylation):
    del methylation["measured"]
    small["modalities"]["methylation"] = methylation
    with pytest.raises(ValueError, match=r"cohorts\.BRCA\.measured does not count 'methylation'"):
        assign_modalities(parse_simulation(small))


@pytest.mark.parametrize("counts", [{"cna": 39}, {"cna": 41, "rnaseq": 41, "wsi": 41}])
def test_counts_that_contradict_each_other_are_named(small, counts):
    small["cohorts"]["BRCA"]["measured"].update(counts)
    with pytest.raises(ValueError, match=r"counts of simulation\.cohorts\.BRCA contradict"):
        assign_modalities(parse_simulation(small))


def test_too_few_patients_name_the_cohort_without_any(small):
    small["patients"] = 2
    with pytest.raises(ValueError, match="leaves the cohort SKCM without a patient"):
        assign_modalities(parse_simulation(small))
