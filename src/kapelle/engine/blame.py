"""Blame: which calls an exception ended.

A call's end tags the exception that leaves it. What finally ends the run tells from these tags which failures were
fatal, that is, which a retry forgets; a failure that the flow handled has ended nothing but its own call.
"""

from __future__ import annotations

from collections.abc import Iterable

STATE_ATTRIBUTE = "__kapelle_state__"
CALLS_ATTRIBUTE = "__kapelle_calls__"
"""Where an exception carries the numbers of the calls that it ended, from the inside out."""


def tag(error: BaseException, call: int, letter: str) -> None:
    """Have an exception remember which calls it ended and how it ended the last of them."""
    numbers = getattr(error, CALLS_ATTRIBUTE, ())
    if call not in numbers:
        _remember(error, CALLS_ATTRIBUTE, (*numbers, call))
    _remember(error, STATE_ATTRIBUTE, letter)


def letter_of(error: BaseException) -> str:
    """How the last call ended that raised `error`, as the journal's letter."""
    letter: str = getattr(error, STATE_ATTRIBUTE, "F")
    return letter


def join(error: BaseException, others: Iterable[BaseException | None]) -> None:
    """Have an exception stand for others that ended with it: failures that nobody had looked at yet."""
    numbers: tuple[int, ...] = getattr(error, CALLS_ATTRIBUTE, ())
    more = sorted({number for other in others for number in calls_of(other)}.difference(numbers))
    if more:
        _remember(error, CALLS_ATTRIBUTE, (*more, *numbers))


def _remember(error: BaseException, attribute: str, value: object) -> None:
    try:
        setattr(error, attribute, value)
    except Exception:
        pass  # an exception with slots: its calls count as handled


def calls_of(error: BaseException | None) -> set[int]:
    """The calls that an exception, what caused it, and what it groups ended.

    An exception that came out of a call may have been raised while its caller was handling the failure of an earlier
    one (its `__context__`). That one was handled: only calls that began inside the failed call count there.
    """
    found: set[int] = set()
    todo: list[tuple[BaseException | None, int]] = [(error, -1)]
    seen: set[int] = set()
    while todo:
        one, outermost = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        numbers: tuple[int, ...] = getattr(one, CALLS_ATTRIBUTE, ())
        found.update(number for number in numbers if number > outermost)
        todo.append((one.__context__, max(outermost, numbers[-1]) if numbers else outermost))
        todo.append((one.__cause__, outermost))
        if isinstance(one, BaseExceptionGroup):
            todo += [(each, outermost) for each in one.exceptions]
    return found
