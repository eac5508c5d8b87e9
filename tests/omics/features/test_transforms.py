import numpy as np
import pandas as pd
import pytest

from tcga_coherent.omics.features.transforms import (
    Arcsinh,
    Clip,
    Log2CopyRatio,
    Log2CountsToCpm,
    Log2PlusOne,
    Transform,
    ZerosToMissing,
)


def frame(values: list[list[float]], dtype: type = np.float32) -> pd.DataFrame:
    values = np.array(values, dtype=dtype)
    return pd.DataFrame(
        values,
        index=[f"P{i}" for i in range(len(values))],
        columns=[f"G{j}" for j in range(values.shape[1])],
    )


def fitted(step: Transform, table: pd.DataFrame) -> Transform:
    step.fit(table)
    return step


def test_zeros_become_missing_and_nothing_else_changes() -> None:
    step = ZerosToMissing()
    result = step.forward(frame([[0, 1], [-2, np.nan]]))
    np.testing.assert_array_equal(result, [[np.nan, 1], [-2, np.nan]])


def test_copies_become_log_ratios_to_the_diploid_state_and_come_back() -> None:
    copies = frame([[1, 2], [4, np.nan]])
    step = fitted(Log2CopyRatio(), copies)
    ratios = step.forward(copies)
    np.testing.assert_array_equal(ratios, [[-1, 0], [1, np.nan]])
    np.testing.assert_array_equal(step.backward(ratios), copies)


def test_copy_ratio_of_zero_copies_names_the_cell_and_the_missing_step() -> None:
    with pytest.raises(
        ValueError, match=r"log2_copy_ratio: feature G1 of patient P0 .* zeros_to_missing"
    ):
        Log2CopyRatio().forward(frame([[1, 0]]))


def test_clip_limits_values_and_keeps_missing_ones() -> None:
    result = Clip(low=-2, high=2).forward(frame([[-3, 0.5, np.nan, 9]]))
    np.testing.assert_array_equal(result, [[-2, 0.5, np.nan, 2]])


def test_cpm_are_counts_over_the_library_in_millions() -> None:
    counts = np.array([[1, 3, 0], [10, 20, 70]])
    cpm = Log2CountsToCpm().forward(frame(np.log2(counts + 1)))
    np.testing.assert_allclose(cpm, [[250_000, 750_000, 0], [1e5, 2e5, 7e5]], rtol=1e-5)


def test_cpm_come_back_at_the_median_training_library_size() -> None:
    counts = np.array([[2, 2], [4, 6], [50, 50]])  # libraries of 4, 10 and 100
    step = Log2CountsToCpm()
    logs = frame(np.log2(counts + 1))
    step.fit(logs)
    back = step.backward(step.forward(logs))
    expected = counts / counts.sum(axis=1, keepdims=True) * 10
    np.testing.assert_allclose(back, np.log2(expected + 1), rtol=1e-5)


def test_a_patient_without_counts_has_missing_cpm() -> None:
    assert Log2CountsToCpm().forward(frame([[0, 0], [1, 1]])).isna().to_numpy().tolist() == [
        [True, True],
        [False, False],
    ]


@pytest.mark.parametrize(("value", "problem"), [(-0.5, "is negative"), (1500.0, "is too large")])
def test_values_that_are_no_log_counts_are_named(value: float, problem: str) -> None:
    with pytest.raises(
        ValueError, match=rf"log2_counts_to_cpm: feature G0 of patient P1 {problem}"
    ):
        Log2CountsToCpm().forward(frame([[1], [value]]))


def test_log2_plus_one_refuses_negative_values_and_names_arcsinh() -> None:
    with pytest.raises(ValueError, match="feature G0 of patient P0 is negative; use arcsinh"):
        Log2PlusOne().forward(frame([[-1]]))


@pytest.mark.parametrize("step", [Log2PlusOne(), Arcsinh()])
def test_logarithmic_steps_come_back(step: Transform) -> None:
    table = frame([[0, 0.25, 7], [1e3, np.nan, 1e6]])
    np.testing.assert_allclose(step.backward(step.forward(table)), table, rtol=1e-4)


def test_arcsinh_is_the_logarithm_it_is_defined_as() -> None:
    x = np.array([-30.0, -1, 0, 2])
    expected = np.log(x + np.sqrt(x**2 + 1))
    np.testing.assert_allclose(Arcsinh().forward(frame([x])).to_numpy()[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    "step", [Log2CopyRatio(), Log2PlusOne(), Arcsinh(), Log2CountsToCpm(), Clip(low=-1, high=1)]
)
def test_the_way_back_is_finite_and_single_precision_for_any_generated_value(
    step: Transform,
) -> None:
    step.fit(frame([[1, 2, 3, 4]]))
    back = step.backward(frame([[-1e30, -1e3, 1e3, 1e30]]))
    assert np.isfinite(back.to_numpy()).all()
    assert (back.dtypes == np.float32).all()


@pytest.mark.parametrize(
    "step",
    [
        ZerosToMissing(),
        Log2CopyRatio(),
        Log2PlusOne(),
        Arcsinh(),
        Log2CountsToCpm(),
        Clip(low=-1, high=1),
    ],
)
def test_row_wise_steps_treat_a_patient_alone_as_among_others(step: Transform) -> None:
    assert step.row_wise
    table = frame([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    together = step.forward(table)
    assert (together.dtypes == np.float32).all()
    pd.testing.assert_frame_equal(step.forward(table.iloc[[1]]), together.iloc[[1]])


def test_calls_of_gistic_are_told_from_copies() -> None:
    calls = ZerosToMissing().forward(frame([[1, 0], [-2, 2]]))
    with pytest.raises(
        ValueError, match=r"feature G0 of patient P1 is negative .*GISTIC's calls.* take clip alone"
    ):
        Log2CopyRatio().forward(calls)


def test_counts_without_their_logarithm_are_doubted(caplog: pytest.LogCaptureFixture) -> None:
    counts = np.random.default_rng(0).poisson(9, size=(10, 20))
    fitted(Log2CountsToCpm(), frame(np.log2(counts + 1)))
    assert caplog.text == ""
    fitted(Log2CountsToCpm(), frame(counts))
    assert "all values are whole numbers: are they counts" in caplog.text


def test_counts_that_are_missing_are_made_up_by_their_share_of_training_libraries() -> None:
    """A gene holds 60 % of one training library and 20 % of another: 40 % on average."""
    counts = np.array([[60.0, 30, 10], [20, 40, 40]])
    train = pd.DataFrame(np.log2(counts + 1), columns=["a", "b", "c"])
    step = Log2CountsToCpm()
    step.fit(train)
    np.testing.assert_allclose(step.state["shares"], [0.4, 0.35, 0.25], rtol=1e-6)
    new = pd.DataFrame(
        np.log2(np.array([[np.nan, 30, 30], [20, 40, 40]]) + 1), columns=["a", "b", "c"]
    )
    cpm = step.forward(new)
    # 60 counts are the other 60 % of a library of 100.
    np.testing.assert_allclose(cpm.iloc[0, 1:], [3e5, 3e5], rtol=1e-5)
    np.testing.assert_allclose(cpm.iloc[1], [2e5, 4e5, 4e5], rtol=1e-5)
