"""The life of a call, as a table.

A call is PENDING from the moment a flow asks for it: it waits for the calls that it depends on, for its turn under a
limit, or for a free thread. A direct call is pending for no time at all.

STARTED is written to the journal before the first line of user code; from then on the call may have had an effect. It
is RUNNING until it ends, with WAITING in between where it gives up its thread: before another attempt after a failure
(PAUSED), in a durable wait, or while work that it placed elsewhere is under way. RESUMED brings it back.

INTERRUPTED is what the next process calls a call that it finds started and not ended: it is PENDING again, and starts
again under the same identity and idempotency key. The journal has then two starts and, in the end, one end.

A call ends once in a generation. A call that was never started can end too: as SKIPPED by its rule (`when=`), as FAILED
because what it depends on failed and its rule wants to hear of it so, as CANCELLED, or as SUCCEEDED when its result was
found (cached, or reused from an earlier generation). These are marks of the end, not states. A call that runs can skip
itself (`raise Skip`). Nothing happens to a call that has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from kapelle.core.moves import ImpossibleMove
from kapelle.model.calls import CallState


class CallEvent(StrEnum):
    """What can happen to a call. The text completes "a call that is … cannot be …"."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "ended as succeeded"
    FAILED = "ended as failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


_S, _E = CallState, CallEvent

_ENDS = {
    _E.SUCCEEDED: _S.SUCCEEDED,
    _E.FAILED: _S.FAILED,
    _E.SKIPPED: _S.SKIPPED,
    _E.CANCELLED: _S.CANCELLED,
}

_BY_STATE: dict[CallState, dict[CallEvent, CallState]] = {
    _S.PENDING: {_E.STARTED: _S.RUNNING, **_ENDS},
    _S.RUNNING: {_E.PAUSED: _S.WAITING, _E.INTERRUPTED: _S.PENDING, **_ENDS},
    _S.WAITING: {_E.RESUMED: _S.RUNNING, _E.INTERRUPTED: _S.PENDING, **_ENDS},
    _S.SUCCEEDED: {},
    _S.FAILED: {},
    _S.SKIPPED: {},
    _S.CANCELLED: {},
}

CALL_MOVES: Mapping[tuple[CallState, CallEvent], CallState] = MappingProxyType(
    {(state, event): after for state, moves in _BY_STATE.items() for event, after in moves.items()}
)
"""All moves: (state, event) → state. What is not in it cannot happen."""


def after(state: CallState, event: CallEvent) -> CallState:
    """The state of a call after `event`. ImpossibleMove if that cannot happen in `state`."""
    try:
        return CALL_MOVES[state, event]
    except KeyError:
        raise ImpossibleMove("call", state, event, tuple(_BY_STATE[state])) from None


def is_possible(state: CallState, event: CallEvent) -> bool:
    """Whether `event` can happen to a call in `state`."""
    return (state, event) in CALL_MOVES
