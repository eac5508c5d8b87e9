import logging

import pytest

from tcga_coherent.figures.attempt import attempt


def fail(error: BaseException):
    def make() -> str:
        raise error

    return make


def test_what_can_be_made_is_made() -> None:
    assert attempt("The figure", lambda: "drawn", lambda reason: reason) == "drawn"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no patients\nat all"), "no patients"),
        (KeyError("stage"), "KeyError: 'stage'"),
        (IndexError(), "IndexError"),
    ],
)
def test_the_reason_takes_its_place_and_is_a_warning(caplog, error, told) -> None:
    with caplog.at_level(logging.WARNING):
        reason = attempt("The figure x", fail(error), lambda reason: reason)
    assert reason == f"The figure x could not be made: {told}"
    assert caplog.messages == [reason]


def test_whoever_stops_the_run_stops_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        attempt("The figure", fail(KeyboardInterrupt()), lambda reason: reason)
