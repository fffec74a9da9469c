"""Calls: one use of a task, a nested flow or a step inside a run.

Every call is in the run's journal. A *row* of its own, which listings and searches can find without opening the
journal, is written for the calls that somebody may look for: failed, retried, slow, named, placed, or asked for.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kapelle.model.failures import Failure


class CallState(StrEnum):
    """The states of a call. Cached and reused are marks of a succeeded call, not states."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether a call in this state is over."""
        return self in CALL_ENDS


CALL_ENDS = frozenset({CallState.SUCCEEDED, CallState.FAILED, CallState.SKIPPED, CallState.CANCELLED})

SLOW_CALL_US = 1_000_000
"""A call that took longer than this (microseconds) gets a row of its own."""


class CallRow(msgspec.Struct, frozen=True):
    """The row of a call that listings can find.

    id          the call's identity, hexadecimal; also the base of its idempotency key
    call        number of the call inside its generation's journal
    name        what a person called it (`run_name=`), or ""
    attempts    how many attempts it took
    mark        "" | "reused" | "cached"
    inputs      a short text of its arguments, for people
    """

    id: str
    call: int
    task: str
    name: str
    state: CallState
    started_at_us: int
    ended_at_us: int
    attempts: int = 1
    mark: str = ""
    reason: str = ""
    inputs: str = ""
    failure: Failure | None = None


class GroupRow(msgspec.Struct, frozen=True):
    """Counts over all calls of one task at one place of the flow (a map, a loop), at the end of an attempt."""

    path: str
    task: str
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    reused: int = 0
    cached: int = 0
    duration_us: int = 0
