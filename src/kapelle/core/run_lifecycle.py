"""The life of a run, as a table.

A run is created SCHEDULED, when its time has not come, or QUEUED, when it may start as soon as somebody has room for
it. It is ADMITTED from the first to the second.

An *attempt* is a process that works on the run. ATTEMPTED is possible wherever the run is open and not being
cancelled: from QUEUED, which is how a worker takes a run; from SCHEDULED, as a person may start a run by hand before
its time; from WAITING, which is how `kapelle resume` goes on with a run whose process died under its owner's hands;
and from RUNNING, because a process that died cannot say so: whoever takes over does not ask it. The attempt before is
superseded, and every store refuses its writes from then on.

A RUNNING run comes to WAITING in two ways. It is SUSPENDED when everything in it stands in a durable wait, so that
its process can be left; what it waits for wakes it, and WOKEN puts it into the queue like a new run. It is ABANDONED
when its process is gone and it belongs to a person: nothing wakes it but that person. A worker's run whose process
died does not wait: it is ATTEMPTED again.

Asking a run to stop takes two steps where a process is at work: STOPPING makes it CANCELLING, in which nothing new
can start, and the attempt then says how it really ended. A cancel is a wish and the end is a fact, so a run that is
CANCELLING may still succeed or fail. STOPPING twice is STOPPING once. A run without a process has nothing to stop: it
is WITHDRAWN, and CANCELLED at once.

The attempt says the end: SUCCEEDED, FAILED or CANCELLED. It may also say it of a WAITING run, when the process died
after it had written the end and before that was recorded: who finds its spool delivers it. The end of a generation is
final: it has no way out but RETRIED, which opens the *next* generation, QUEUED, and leaves the ended one as it is.

Being abandoned, timed out, lost or crashed is no state; it is the reason of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from kapelle.core.moves import ImpossibleMove
from kapelle.model.runs import RunState


class RunEvent(StrEnum):
    """What can happen to a run. The text completes "a run that is … cannot be …"."""

    ADMITTED = "admitted"
    ATTEMPTED = "attempted"
    SUSPENDED = "suspended"
    ABANDONED = "abandoned"
    WOKEN = "woken"
    STOPPING = "asked to stop"
    WITHDRAWN = "withdrawn"
    SUCCEEDED = "ended as succeeded"
    FAILED = "ended as failed"
    CANCELLED = "ended as cancelled"
    RETRIED = "retried"


_S, _E = RunState, RunEvent

BEGINNINGS = frozenset({_S.SCHEDULED, _S.QUEUED})
"""The states in which a run can be created."""

_ATTEMPT_ENDS = {_E.SUCCEEDED: _S.SUCCEEDED, _E.FAILED: _S.FAILED, _E.CANCELLED: _S.CANCELLED}

_BY_STATE: dict[RunState, dict[RunEvent, RunState]] = {
    _S.SCHEDULED: {_E.ADMITTED: _S.QUEUED, _E.ATTEMPTED: _S.RUNNING, _E.WITHDRAWN: _S.CANCELLED},
    _S.QUEUED: {_E.ATTEMPTED: _S.RUNNING, _E.WITHDRAWN: _S.CANCELLED},
    _S.RUNNING: {
        _E.ATTEMPTED: _S.RUNNING,
        _E.SUSPENDED: _S.WAITING,
        _E.ABANDONED: _S.WAITING,
        _E.STOPPING: _S.CANCELLING,
        **_ATTEMPT_ENDS,
    },
    _S.WAITING: {
        _E.WOKEN: _S.QUEUED,
        _E.ATTEMPTED: _S.RUNNING,
        _E.WITHDRAWN: _S.CANCELLED,
        **_ATTEMPT_ENDS,
    },
    _S.CANCELLING: {_E.STOPPING: _S.CANCELLING, **_ATTEMPT_ENDS},
    _S.SUCCEEDED: {_E.RETRIED: _S.QUEUED},
    _S.FAILED: {_E.RETRIED: _S.QUEUED},
    _S.CANCELLED: {_E.RETRIED: _S.QUEUED},
}

RUN_MOVES: Mapping[tuple[RunState, RunEvent], RunState] = MappingProxyType(
    {(state, event): after for state, moves in _BY_STATE.items() for event, after in moves.items()}
)
"""All moves: (state, event) → state. What is not in it cannot happen."""


def after(state: RunState, event: RunEvent) -> RunState:
    """The state of a run after `event`. ImpossibleMove if that cannot happen in `state`."""
    try:
        return RUN_MOVES[state, event]
    except KeyError:
        raise ImpossibleMove("run", state, event, tuple(_BY_STATE[state])) from None


def is_possible(state: RunState, event: RunEvent) -> bool:
    """Whether `event` can happen to a run in `state`."""
    return (state, event) in RUN_MOVES


def states_before(event: RunEvent) -> frozenset[RunState]:
    """The states in which `event` can happen: what a store's compare-and-set has to ask for."""
    return frozenset(state for state, possible in RUN_MOVES if possible is event)
