import pytest

from tcga_coherent.omics.features.steps import (
    KNOWN_STEPS,
    build_step,
    build_steps,
    describe_step,
    with_implied_steps,
)
from tcga_coherent.omics.features.transforms import Clip


def test_names_and_mappings_become_transforms_in_their_order() -> None:
    steps = build_steps(["arcsinh", {"clip": {"low": -2, "high": 2}}], "modalities.cna.steps")
    assert [step.name for step in steps] == ["arcsinh", "clip"]
    assert steps[1] == Clip(low=-2, high=2)


def test_an_unknown_step_is_named_with_its_key_and_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"modalities\.rppa\.steps names the unknown step 'log3'.*arcsinh"
    ) as raised:
        build_steps(["log3"], "modalities.rppa.steps")
    assert all(name in str(raised.value) for name in KNOWN_STEPS)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"clip": {"low": -2}}, "high Field required"),
        ({"clip": {"low": -2, "high": 2, "middle": 0}}, "middle"),
        ({"clip": {"low": "a", "high": 2}}, "low Input should be a valid number"),
        ({"clip": {"low": 2, "high": -2}}, r"low \(2\) must be below high \(-2\)"),
        ("clip", "low Field required"),
    ],
)
def test_bad_arguments_are_named_with_key_and_step(spec, problem: str) -> None:
    with pytest.raises(ValueError, match=rf"modalities\.cna\.steps, step clip: .*{problem}"):
        build_steps([spec], "modalities.cna.steps")


def test_two_steps_in_one_entry_are_refused() -> None:
    with pytest.raises(ValueError, match="must map one step to its arguments"):
        build_steps([{"arcsinh": {}, "clip": {}}], "modalities.cna.steps")


def test_empty_features_go_before_the_first_step_that_learns_and_scaling_comes_last() -> None:
    steps = with_implied_steps(build_steps(["arcsinh", "center_median"], "key"))
    assert [step.name for step in steps] == [
        "arcsinh",
        "drop_empty_features",
        "center_median",
        "drop_constant_features",
        "standardise",
    ]


def test_the_description_of_a_step_builds_it_again() -> None:
    step = Clip(low=-1, high=3)
    assert build_step(describe_step(step), "key", KNOWN_STEPS) == step
