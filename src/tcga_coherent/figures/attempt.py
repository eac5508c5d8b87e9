"""Make a part of the results that must not cost the others."""

import logging
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger(__name__)

Part = TypeVar("Part")


def attempt(what: str, make: Callable[[], Part], otherwise: Callable[[str], Part]) -> Part:
    """Return what `make` makes, or what `otherwise` makes of the reason why it could not.

    A figure or an export shows what was computed before it: whatever stops one, the tables and the other
    figures are worth having. So this is the one place that catches every exception; the reason is logged as
    a warning, with the traceback at the level of debugging, and stands where the part would.

    Parameters
    ----------
    what
        The part, as the subject of the sentence that says why it is not there.
    make
        Makes it.
    otherwise
        Takes the reason, one sentence.
    """
    try:
        return make()
    except Exception as error:
        reason = f"{what} could not be made: {describe(error)}"
        logger.warning("%s", reason)
        logger.debug("%s", what, exc_info=True)
        return otherwise(reason)


def describe(error: Exception) -> str:
    """Return the first line of an error's message, with its type where the message alone says little."""
    lines = str(error).strip().splitlines()
    if isinstance(error, ValueError) and lines:
        return lines[0]
    return ": ".join([type(error).__name__, *lines[:1]])
