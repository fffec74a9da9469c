"""Runs: created, attempted, ended, retried. Every move is a compare-and-set; who loses is told so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kapelle.model.access import Scope
from kapelle.model.calls import GroupRow
from kapelle.model.runs import Attempt, CallCounts, NewRun, Run, RunEnd, RunState


class RunStore(Protocol):
    """The lifecycle of runs. A run of a project that the scope does not see does not exist (NotFound)."""

    def create(self, scope: Scope, new: NewRun, state: RunState) -> Run:
        """Keep a new run, generation 1, SCHEDULED or QUEUED. The same id again returns the run that is there."""
        ...

    def begin_attempt(self, scope: Scope, run_id: str, generation: int, attempt_id: str, at_us: int) -> Attempt:
        """Make `attempt_id` the current attempt of the generation; the run becomes RUNNING.

        Allowed from QUEUED, RUNNING (its former attempt is superseded), WAITING and SCHEDULED; else StaleAttempt.
        The same attempt id again returns the attempt that it made, and changes nothing.
        """
        ...

    def end(self, scope: Scope, attempt: Attempt, end: RunEnd) -> Run:
        """End the generation. StaleAttempt unless `attempt` is current and the generation is open.

        The same end by the same attempt again (whatever its time) returns the run unchanged.
        """
        ...

    def abandon(self, scope: Scope, attempt: Attempt, reason: str, at_us: int) -> Run:
        """The attempt's process is gone: RUNNING becomes WAITING with `reason`. Unchanged if the run has moved on."""
        ...

    def cancelling(self, scope: Scope, attempt: Attempt) -> Run:
        """A cancel was asked for and is under way: RUNNING becomes CANCELLING, and stays so when asked again.

        StaleAttempt unless `attempt` is current and the run is in one of the two.
        """
        ...

    def next_generation(self, scope: Scope, run_id: str, generation: int, at_us: int) -> Run:
        """Open generation + 1 as QUEUED after `generation` has ended; StaleAttempt if that is not so.

        The same again (with the same `at_us`) returns the run unchanged.
        """
        ...

    def count(self, scope: Scope, attempt: Attempt, counts: CallCounts, groups: Sequence[GroupRow]) -> None:
        """Replace the counts of the attempt's generation. StaleAttempt unless the attempt is current."""
        ...

    def get(self, scope: Scope, run_id: str) -> Run:
        """The run with exactly this id; NotFound otherwise."""
        ...

    def groups(self, scope: Scope, run_id: str) -> list[GroupRow]:
        """The counts per group of the current generation, as last written."""
        ...

    def delete(self, scope: Scope, run_id: str) -> None:
        """Forget the run with its journal, rows and output, in whatever state it is."""
        ...
