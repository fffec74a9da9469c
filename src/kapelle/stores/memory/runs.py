"""Runs in memory."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from kapelle.model.access import Scope
from kapelle.model.calls import GroupRow
from kapelle.model.runs import Attempt, CallCounts, GenerationEnd, NewRun, Run, RunEnd, RunState
from kapelle.stores import refusals
from kapelle.stores.memory.state import RunRecord, View

_BEGINNINGS = frozenset({RunState.SCHEDULED, RunState.QUEUED})
_BEGIN_FROM = frozenset({RunState.SCHEDULED, RunState.QUEUED, RunState.RUNNING, RunState.WAITING})
_END_FROM = frozenset({RunState.RUNNING, RunState.WAITING, RunState.CANCELLING})


class MemoryRuns:
    """The lifecycle of runs, over one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def create(self, scope: Scope, new: NewRun, state: RunState) -> Run:
        """Keep a new run; the same id again returns the run that is there."""
        self._view.require_writable()
        if state not in _BEGINNINGS:
            raise refusals.not_a_beginning(state)
        if not scope.sees(new.project):
            raise refusals.no_project(new.project)
        if self._view.find(new.id) is not None:
            return self._view.record(scope, new.id).run
        run = Run(
            id=new.id,
            project=new.project,
            flow=new.flow,
            name=new.name,
            state=state,
            reason="",
            entry=new.entry,
            parameters=new.parameters,
            parameters_text=new.parameters_text,
            tags=new.tags,
            generation=1,
            attempt=Attempt(new.id, 1, 0, ""),
            created_at_us=new.created_at_us,
            started_at_us=None,
            ended_at_us=None,
            result=None,
            failure=None,
            counts=CallCounts(),
            kapelle_version=new.kapelle_version,
            trigger=new.trigger,
        )
        self._view.put(RunRecord(run, opened_at_us=new.created_at_us))
        return run

    def begin_attempt(self, scope: Scope, run_id: str, generation: int, attempt_id: str, at_us: int) -> Attempt:
        """Make `attempt_id` the current attempt; the former one is superseded."""
        record = self._view.touch(scope, run_id)
        run = record.run
        known = record.attempts.get(attempt_id)
        if known is not None and known.generation == generation:
            return known
        if known is not None or not attempt_id or generation != run.generation or run.state not in _BEGIN_FROM:
            raise refusals.no_attempt(run, generation, attempt_id)
        attempt = Attempt(run_id, generation, run.attempt.number + 1, attempt_id)
        record.attempts[attempt_id] = attempt
        started = at_us if run.started_at_us is None else run.started_at_us
        record.run = replace(run, state=RunState.RUNNING, reason="", attempt=attempt, started_at_us=started)
        return attempt

    def end(self, scope: Scope, attempt: Attempt, end: RunEnd) -> Run:
        """End the generation; the same end again changes nothing."""
        self._view.require_writable()
        if not end.state.is_end:
            raise refusals.not_an_end(end.state)
        record = self._current(scope, attempt, "end it")
        run = record.run
        if run.state.is_end and (run.state, run.reason, run.result, run.failure) == (
            end.state,
            end.reason,
            end.result,
            end.failure,
        ):
            return run
        if run.state not in _END_FROM:
            raise refusals.not_current(run, attempt, "end it")
        record.run = replace(
            run, state=end.state, reason=end.reason, ended_at_us=end.at_us, result=end.result, failure=end.failure
        )
        return record.run

    def abandon(self, scope: Scope, attempt: Attempt, reason: str, at_us: int) -> Run:
        """RUNNING becomes WAITING if this attempt is still the one that runs."""
        record = self._view.touch(scope, attempt.run_id)
        if _is_current(record.run, attempt) and record.run.state is RunState.RUNNING:
            record.run = replace(record.run, state=RunState.WAITING, reason=reason)
        return record.run

    def cancelling(self, scope: Scope, attempt: Attempt) -> Run:
        """RUNNING becomes CANCELLING."""
        record = self._current(scope, attempt, "cancel it")
        if record.run.state not in (RunState.RUNNING, RunState.CANCELLING):
            raise refusals.not_current(record.run, attempt, "cancel it")
        record.run = replace(record.run, state=RunState.CANCELLING)
        return record.run

    def next_generation(self, scope: Scope, run_id: str, generation: int, at_us: int) -> Run:
        """Open the next generation of a run that has ended."""
        record = self._view.touch(scope, run_id)
        run = record.run
        if run.generation == generation + 1 and record.opened_at_us == at_us:
            return run
        if run.generation != generation or not run.state.is_end:
            raise refusals.not_ended(run, generation)
        ended = GenerationEnd(generation, run.state, run.reason, run.started_at_us, run.ended_at_us)
        record.opened_at_us = at_us
        record.run = replace(
            run,
            state=RunState.QUEUED,
            reason="",
            generation=generation + 1,
            attempt=Attempt(run_id, generation + 1, 0, ""),
            started_at_us=None,
            ended_at_us=None,
            result=None,
            failure=None,
            counts=CallCounts(),
            previous=(*run.previous, ended),
        )
        return record.run

    def count(self, scope: Scope, attempt: Attempt, counts: CallCounts, groups: Sequence[GroupRow]) -> None:
        """Replace the counts of the attempt's generation."""
        record = self._current(scope, attempt, "count its calls")
        record.run = replace(record.run, counts=counts)
        record.groups[attempt.generation] = tuple(groups)

    def get(self, scope: Scope, run_id: str) -> Run:
        """The run with exactly this id."""
        return self._view.record(scope, run_id).run

    def groups(self, scope: Scope, run_id: str) -> list[GroupRow]:
        """The counts per group of the current generation."""
        record = self._view.record(scope, run_id)
        return list(record.groups.get(record.run.generation, ()))

    def delete(self, scope: Scope, run_id: str) -> None:
        """Forget the run."""
        self._view.touch(scope, run_id)
        self._view.remove(run_id)

    def _current(self, scope: Scope, attempt: Attempt, verb: str) -> RunRecord:
        record = self._view.touch(scope, attempt.run_id)
        if not _is_current(record.run, attempt):
            raise refusals.not_current(record.run, attempt, verb)
        return record


def _is_current(run: Run, attempt: Attempt) -> bool:
    return bool(attempt.id) and run.generation == attempt.generation and run.attempt.id == attempt.id
