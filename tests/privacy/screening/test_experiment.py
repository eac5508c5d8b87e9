import numpy as np
import pandas as pd
import pytest

from tcga_coherent.cohort import Cohort
from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.privacy.screening.experiment import (
    ALL,
    COMPLETED,
    HELD_OUT,
    OTHERS,
    REGENERATED,
    TEST,
    Generated,
    Screened,
    ScreeningParameters,
    closeness,
    find_threshold,
    flagged_records,
    screen,
)

N_TRAIN, N_VAL, N_TEST, SIZE = 300, 199, 200, 16


def make_cohort(seed: int = 0) -> Cohort:
    names = pd.Index([f"P{i}" for i in range(N_TRAIN + N_VAL + N_TEST)], name="patient_id")
    values = np.random.default_rng(seed).normal(size=(len(names), SIZE))
    frame = pd.DataFrame(values, names, [f"z{i:02d}" for i in range(SIZE)])
    return Cohort(
        {"cna": frame},
        names[:N_TRAIN],
        names[N_TRAIN : N_TRAIN + N_VAL],
        names[N_TRAIN + N_VAL :],
        pd.Series("A", names),
    )


def copies(
    cohort: Cohort, of: pd.Index, origin: str, noise: float = 1e-3, kind="draw"
) -> Generated:
    """Draws that lie next to the measured patients `of`, but carry the names of test patients."""
    frame = cohort.latents["cna"].loc[of]
    near = frame + noise * np.random.default_rng(9).normal(size=frame.shape)
    owners = of if origin == REGENERATED else cohort.test[: len(of)]
    if kind == "draw":
        near.index = pd.MultiIndex.from_product([owners, [0]], names=["patient_id", "draw"])
    else:
        near.index = owners
    return Generated("cna", "coherent", origin, kind, near)


def screened(
    cohort: Cohort, *generated: Generated, rate: float = 0.05
) -> dict[tuple[str, str, str], Screened]:
    found, skipped = screen(cohort, list(generated), ScreeningParameters(rate))
    assert not skipped
    return {(one.generated.origin, one.generated.kind, one.against): one for one in found}


@pytest.mark.parametrize("kind", ["draw", "mean"])
def test_records_that_copy_training_patients_are_flagged_with_whom_they_copy(kind: str) -> None:
    cohort = make_cohort()
    found = screened(cohort, copies(cohort, cohort.train[:40], TEST, kind=kind))[TEST, kind, ALL]
    assert found.flagged.all()
    assert list(found.nearest) == list(cohort.train[:40])


@pytest.mark.parametrize("split", ["val", "test"])
def test_records_that_copy_held_out_patients_are_not(split: str) -> None:
    """Fails where training and held-out patients are exchanged."""
    cohort = make_cohort()
    found = screened(cohort, copies(cohort, getattr(cohort, split)[:40], TEST))[TEST, "draw", ALL]
    assert found.flagged.mean() < 0.2


@pytest.mark.parametrize("kind", ["draw", "mean"])
def test_held_out_patients_are_flagged_at_the_nominal_rate(kind: str) -> None:
    rates = [screened(make_cohort(seed))[HELD_OUT, kind, ALL].flagged.mean() for seed in range(40)]
    # Thresholds of 199 patients vary by .016; the error of the mean of 40 is .0034.
    assert np.mean(rates) == pytest.approx(0.05, abs=0.012)


def test_the_threshold_is_the_order_statistic_that_keeps_the_rate() -> None:
    values = np.arange(1.0, 100.0)[::-1]
    threshold = find_threshold(values, 0.05, "cna")
    assert (threshold.value, threshold.rank, threshold.nominal) == (5.0, 5, 0.05)
    # The smallest of 99 leaves a share below p with probability 1 - (1 - p) ** 99.
    smallest = find_threshold(values, 0.01, "cna")
    expected = [1 - (1 - q) ** (1 / 99) for q in (0.025, 0.975)]
    assert smallest.nominal_interval(0.95) == pytest.approx(expected)


def test_too_few_held_out_patients_are_an_error_that_names_a_rate_that_works() -> None:
    with pytest.raises(CannotEvaluate, match=r"cna has 49 .*nominal_rate to at least 0\.02"):
        find_threshold(np.arange(49.0), 0.01, "cna")
    assert find_threshold(np.arange(49.0), 0.02, "cna").value == 0
    with pytest.raises(CannotEvaluate, match=r"to at least 0\.0081"):
        find_threshold(np.arange(123.0), 0.001, "cna")


def test_modalities_that_cannot_be_screened_are_skipped_with_the_reason() -> None:
    found, skipped = screen(make_cohort(), [], ScreeningParameters(0.001))
    assert found == []
    assert "too few" in skipped["cna"]


def test_a_regenerated_training_patient_is_compared_with_itself_and_with_all_others() -> None:
    cohort = make_cohort()
    found = screened(cohort, copies(cohort, cohort.train[:50], REGENERATED))
    own, others = (found[REGENERATED, "draw", against] for against in (ALL, OTHERS))
    assert own.flagged.all()
    assert (own.nearest == own.patients).all()
    assert not (others.nearest == others.patients).any()
    # Next to a training patient, the other training patients are as far as from anybody.
    assert others.flagged.mean() < 0.2
    frame = cohort.latents["cna"]
    distances = np.linalg.norm(
        own.generated.records.to_numpy()[0] - frame.loc[cohort.train].to_numpy(), axis=1
    )
    assert others.statistic[0] == pytest.approx(np.sort(distances)[1])


def test_means_near_the_centre_of_all_patients_are_not_taken_for_copies() -> None:
    cohort = make_cohort()
    centre = 0.5 * cohort.latents["cna"].loc[cohort.test]
    as_draws, as_means = (
        Generated("cna", "coherent", COMPLETED, kind, centre) for kind in ("draw", "mean")
    )
    found = screened(cohort, as_draws, as_means)
    assert found[COMPLETED, "draw", ALL].flagged.mean() > 0.5
    assert found[COMPLETED, "mean", ALL].flagged.mean() < 0.15


def test_the_report_lists_flagged_records_of_generated_patients_alone_closest_first() -> None:
    cohort = make_cohort()
    far = Generated(
        "cna", "multi", TEST, "draw", 50 + copies(cohort, cohort.train[:3], TEST).records
    )
    found, _ = screen(
        cohort, [copies(cohort, cohort.train[:5], TEST), far], ScreeningParameters(0.05)
    )
    report = flagged_records(found)
    assert list(report["patient_id"].sort_values()) == sorted(cohort.test[:5])
    assert set(report["closest_patient"]) == set(cohort.train[:5])
    assert (report["value"] < report["threshold"]).all()
    assert report["value"].is_monotonic_increasing
    assert not report["is_own_record"].any()


def test_nothing_to_screen_is_no_error() -> None:
    cohort = make_cohort()
    none = Generated("cna", "coherent", COMPLETED, "mean", cohort.latents["cna"].iloc[:0])
    found = screened(cohort, none)[COMPLETED, "mean", ALL]
    assert len(found.statistic) == 0
    assert flagged_records([found]).empty


def test_records_of_other_dimensions_are_refused() -> None:
    frame = make_cohort().latents["cna"]
    with pytest.raises(CannotEvaluate, match="there are 699 of 16, records have 5"):
        closeness(frame.iloc[:, :5], frame, "draw")
