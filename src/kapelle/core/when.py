"""When a call runs after the calls that it depends on: the trigger rules.

A rule looks at the states of the dependencies, None for one that has not ended, and says: run now, never run (and
why), or wait. Rules that need every dependency wait for all of them; the `one_…` rules answer as soon as they can.
A dependency counts as failed also if it was cancelled, or never started because one of its own had failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from kapelle.model.calls import CallState
from kapelle.model.errors import UpstreamFailed
from kapelle.model.outcomes import Outcome


class Verdict(NamedTuple):
    """What a rule says: "run", "skip" with a reason, or "wait"."""

    action: Literal["run", "skip", "wait"]
    reason: str = ""
    upstream_failed: bool = False


RUN = Verdict("run")
WAIT = Verdict("wait")


class _Tally(NamedTuple):
    total: int
    pending: int
    succeeded: int
    failed: int
    skipped: int


def _tally(states: Sequence[CallState | None]) -> _Tally:
    succeeded = sum(state is CallState.SUCCEEDED for state in states)
    skipped = sum(state is CallState.SKIPPED for state in states)
    failed = sum(state in (CallState.FAILED, CallState.CANCELLED) for state in states)
    return _Tally(len(states), len(states) - succeeded - skipped - failed, succeeded, failed, skipped)


def _skip(reason: str, upstream_failed: bool = False) -> Verdict:
    return Verdict("skip", reason, upstream_failed)


def _all_success(t: _Tally) -> Verdict:
    if t.failed:
        return _skip(f"{t.failed} of {t.total} that it depends on failed", upstream_failed=True)
    if t.skipped:
        return _skip(f"{t.skipped} of {t.total} that it depends on were skipped")
    return RUN if not t.pending else WAIT


def _settled(holds: Callable[[_Tally], bool], wanted: str) -> Callable[[_Tally], Verdict]:
    """A rule that waits for every dependency and then looks once."""

    def rule(t: _Tally) -> Verdict:
        if t.pending:
            return WAIT
        return (
            RUN
            if holds(t)
            else _skip(f"wanted {wanted}; {t.succeeded} succeeded, {t.failed} failed, {t.skipped} skipped")
        )

    return rule


def _first(count: Callable[[_Tally], int], wanted: str) -> Callable[[_Tally], Verdict]:
    """A rule that runs as soon as one dependency qualifies."""

    def rule(t: _Tally) -> Verdict:
        if count(t):
            return RUN
        return WAIT if t.pending else _skip(f"wanted {wanted}; none of {t.total} did")

    return rule


_RULES: dict[str, Callable[[_Tally], Verdict]] = {
    "all_success": _all_success,
    "all_failed": _settled(lambda t: t.failed == t.total, "all to fail"),
    "all_done": _settled(lambda t: True, "all to end"),
    "all_done_min_one_success": _settled(lambda t: t.succeeded > 0, "all to end and one to succeed"),
    "all_skipped": _settled(lambda t: t.skipped == t.total, "all to be skipped"),
    "none_failed": _settled(lambda t: t.failed == 0, "none to fail"),
    "none_failed_min_one_success": _settled(
        lambda t: t.failed == 0 and t.succeeded > 0, "none to fail and one to succeed"
    ),
    "none_skipped": _settled(lambda t: t.skipped == 0, "none to be skipped"),
    "one_success": _first(lambda t: t.succeeded, "one to succeed"),
    "one_failed": _first(lambda t: t.failed, "one to fail"),
    "one_done": _first(lambda t: t.succeeded + t.failed, "one to succeed or fail"),
    "always": lambda t: RUN,
}

EARLY_RULES = frozenset({"one_success", "one_failed", "one_done", "always"})
"""Rules that may run a call while some of its dependencies have not ended."""


def decide(
    rule: str | Callable[[tuple[Outcome[Any], ...]], bool | None], outcomes: Sequence[Outcome[Any] | None]
) -> Verdict:
    """What `rule` says of these outcomes (None: not ended). Without dependencies every rule says run.

    A callable is asked once all have ended; True runs the call, anything else skips it.
    """
    if not outcomes:
        return RUN
    if callable(rule):
        if any(outcome is None for outcome in outcomes):
            return WAIT
        ended = tuple(outcome for outcome in outcomes if outcome is not None)
        return RUN if rule(ended) else _skip(f"its rule {getattr(rule, '__name__', 'in when=')} said no")
    return _RULES[rule](_tally([None if outcome is None else _state(outcome) for outcome in outcomes]))


def _state(outcome: Outcome[Any]) -> CallState:
    return CallState.FAILED if isinstance(outcome.error, UpstreamFailed) else outcome.state
