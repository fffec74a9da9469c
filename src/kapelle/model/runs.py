"""Runs: one execution of a flow, its generations and its attempts.

A *run* is what a person started. A *generation* is one try of it from begin to end: a retry is the next generation of
the same run, and the end of a generation is final. An *attempt* is one process that works on a generation: after a
crash the next attempt goes on where the one before was. Only the current attempt may write.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kapelle.model.failures import Failure
from kapelle.model.values import StoredValue


class RunState(StrEnum):
    """The eight states of a run. Why it is in one (crashed, timed out, abandoned, …) is its `reason`."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether a generation in this state is over."""
        return self in ENDS


ENDS = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})

ABANDONED = "abandoned"
"""Reason of a waiting run whose process died while a person owned it: only `kapelle resume` goes on with it."""


class Entry(msgspec.Struct, frozen=True):
    """Where the flow of a run is found again by a later process.

    file     absolute path of the Python file; "" for a flow that lives in no file (a notebook, a prompt)
    flow     the flow's name inside the file, as an attribute path ("daily")
    root     absolute path of the project's root folder, put on `sys.path`
    digest   hexadecimal SHA-256 of the file's text when the run was created
    argv     the command line of a script that called the flow, () otherwise
    """

    file: str = ""
    flow: str = ""
    root: str = ""
    digest: str = ""
    argv: tuple[str, ...] = ()


class NewRun(msgspec.Struct, frozen=True):
    """What is needed to create a run. `parameters` are stored after validation, with the defaults filled in."""

    id: str
    project: str
    flow: str
    name: str
    entry: Entry
    parameters: StoredValue
    parameters_text: str
    created_at_us: int
    tags: tuple[str, ...] = ()
    kapelle_version: str = ""
    trigger: str = "manual"


class Attempt(msgspec.Struct, frozen=True):
    """One process that works on one generation of a run: the key that every write of the run carries.

    `id` is random; a write under another id than the run's current one is refused.
    """

    run_id: str
    generation: int
    number: int
    id: str


class CallCounts(msgspec.Struct, frozen=True):
    """How many calls of a generation ended in which way."""

    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    reused: int = 0
    cached: int = 0

    @property
    def ended(self) -> int:
        """All ended calls; reused and cached ones are among the succeeded."""
        return self.succeeded + self.failed + self.skipped + self.cancelled


class Run(msgspec.Struct, frozen=True):
    """A run as the store has it, in its current generation.

    `attempt` is the newest attempt of that generation (its `id` is "" before the first). `result` and `failure` are
    set at the end of a generation. `previous` names the ends of earlier generations, oldest first.
    """

    id: str
    project: str
    flow: str
    name: str
    state: RunState
    reason: str
    entry: Entry
    parameters: StoredValue
    parameters_text: str
    tags: tuple[str, ...]
    generation: int
    attempt: Attempt
    created_at_us: int
    started_at_us: int | None
    ended_at_us: int | None
    result: StoredValue | None
    failure: Failure | None
    counts: CallCounts
    kapelle_version: str = ""
    trigger: str = "manual"
    previous: tuple[GenerationEnd, ...] = ()


class GenerationEnd(msgspec.Struct, frozen=True):
    """How an earlier generation of a run ended."""

    generation: int
    state: RunState
    reason: str
    started_at_us: int | None
    ended_at_us: int | None


class RunEnd(msgspec.Struct, frozen=True):
    """The end of a generation, as the attempt that reached it reports it."""

    state: RunState
    at_us: int
    reason: str = ""
    result: StoredValue | None = None
    failure: Failure | None = None
