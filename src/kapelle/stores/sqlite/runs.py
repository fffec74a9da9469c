"""Runs in SQLite. Each move is one UPDATE that names the states it may start from; no row touched means refused."""

from __future__ import annotations

from collections.abc import Sequence

from kapelle.model.access import Scope
from kapelle.model.calls import GroupRow
from kapelle.model.runs import Attempt, CallCounts, GenerationEnd, NewRun, Run, RunEnd, RunState
from kapelle.stores import refusals
from kapelle.stores.listing_keys import last_part
from kapelle.stores.sqlite.encoding import pack, pack_or_null, pack_value, projects_of, unpack
from kapelle.stores.sqlite.run_rows import run_of
from kapelle.stores.sqlite.session import Parameters, Session

_BEGINNINGS = frozenset({RunState.SCHEDULED, RunState.QUEUED})


class SqliteRuns:
    """The lifecycle of runs, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, scope: Scope, new: NewRun, state: RunState) -> Run:
        """Keep a new run; the same id again returns the run that is there."""
        self._session.require_writable()
        if state not in _BEGINNINGS:
            raise refusals.not_a_beginning(state)
        if not scope.sees(new.project):
            raise refusals.no_project(new.project)
        created = self._session.change(
            "runs",
            "create",
            {
                "projects": projects_of(scope),
                "run_id": new.id,
                "project": new.project,
                "flow": new.flow,
                "flow_last_part": last_part(new.flow),
                "name": new.name,
                "state": state.value,
                "entry": pack(new.entry),
                "parameters": pack_value(new.parameters),
                "parameters_text": new.parameters_text,
                "tags": pack(new.tags),
                "created_at_us": new.created_at_us,
                "kapelle_version": new.kapelle_version,
                "started_by": new.trigger,
                "previous": b"[]",
            },
        )
        if created and new.tags:
            self._session.change("runs", "add_tags", {"tags": pack(new.tags).decode(), "run_id": new.id})
        return self.get(scope, new.id)

    def begin_attempt(self, scope: Scope, run_id: str, generation: int, attempt_id: str, at_us: int) -> Attempt:
        """Make `attempt_id` the current attempt; the former one is superseded."""
        self._session.require_writable()
        visible = _visible(scope, run_id)
        known = self._session.row("runs", "find_attempt", visible | {"attempt_id": attempt_id})
        if known is not None and known[0] == generation:
            return Attempt(run_id, generation, known[1], attempt_id)
        wanted = visible | {"generation": generation, "attempt_id": attempt_id, "at_us": at_us}
        if known is not None or not attempt_id or not self._session.change("runs", "begin_attempt", wanted):
            raise refusals.no_attempt(self.get(scope, run_id), generation, attempt_id)
        self._session.change("runs", "add_attempt", visible | {"at_us": at_us})
        return self.get(scope, run_id).attempt

    def end(self, scope: Scope, attempt: Attempt, end: RunEnd) -> Run:
        """End the generation; the same end again changes nothing."""
        self._session.require_writable()
        if not end.state.is_end:
            raise refusals.not_an_end(end.state)
        ended = self._session.change(
            "runs",
            "end",
            _current(scope, attempt)
            | {
                "state": end.state.value,
                "reason": end.reason,
                "at_us": end.at_us,
                "result": None if end.result is None else pack_value(end.result),
                "failure": pack_or_null(end.failure),
            },
        )
        run = self.get(scope, attempt.run_id)
        if not ended and not _ended_so(run, attempt, end):
            raise refusals.not_current(run, attempt, "end it")
        return run

    def abandon(self, scope: Scope, attempt: Attempt, reason: str, at_us: int) -> Run:
        """RUNNING becomes WAITING if this attempt is still the one that runs."""
        self._session.change("runs", "abandon", _current(scope, attempt) | {"reason": reason})
        return self.get(scope, attempt.run_id)

    def cancelling(self, scope: Scope, attempt: Attempt) -> Run:
        """RUNNING becomes CANCELLING."""
        moved = self._session.change("runs", "cancelling", _current(scope, attempt))
        run = self.get(scope, attempt.run_id)
        if not moved:
            raise refusals.not_current(run, attempt, "cancel it")
        return run

    def next_generation(self, scope: Scope, run_id: str, generation: int, at_us: int) -> Run:
        """Open the next generation of a run that has ended."""
        self._session.require_writable()
        run = self.get(scope, run_id)
        ended = GenerationEnd(run.generation, run.state, run.reason, run.started_at_us, run.ended_at_us)
        opened = self._session.change(
            "runs",
            "next_generation",
            _visible(scope, run_id)
            | {"generation": generation, "at_us": at_us, "previous": pack((*run.previous, ended))},
        )
        if not opened and not self._was_opened_at(scope, run_id, generation + 1, at_us):
            raise refusals.not_ended(run, generation)
        return self.get(scope, run_id)

    def count(self, scope: Scope, attempt: Attempt, counts: CallCounts, groups: Sequence[GroupRow]) -> None:
        """Replace the counts of the attempt's generation."""
        counted = self._session.change(
            "runs", "count", _current(scope, attempt) | {"counts": pack(counts), "groups": pack(list(groups))}
        )
        if not counted:
            raise refusals.not_current(self.get(scope, attempt.run_id), attempt, "count its calls")

    def get(self, scope: Scope, run_id: str) -> Run:
        """The run with exactly this id."""
        row = self._session.row("runs", "get", _visible(scope, run_id))
        if row is None:
            raise refusals.no_run(run_id)
        return run_of(row)

    def groups(self, scope: Scope, run_id: str) -> list[GroupRow]:
        """The counts per group of the current generation."""
        row = self._session.row("runs", "groups", _visible(scope, run_id))
        if row is None:
            raise refusals.no_run(run_id)
        return [] if row[0] is None else unpack(row[0], list[GroupRow])

    def delete(self, scope: Scope, run_id: str) -> None:
        """Forget the run."""
        if not self._session.change("runs", "delete", _visible(scope, run_id)):
            raise refusals.no_run(run_id)

    def _was_opened_at(self, scope: Scope, run_id: str, generation: int, at_us: int) -> bool:
        return self._session.row("runs", "opened_at", _visible(scope, run_id)) == (generation, at_us)


def _visible(scope: Scope, run_id: str) -> Parameters:
    return {"projects": projects_of(scope), "run_id": run_id}


def _current(scope: Scope, attempt: Attempt) -> Parameters:
    return _visible(scope, attempt.run_id) | {"generation": attempt.generation, "attempt_id": attempt.id}


def _ended_so(run: Run, attempt: Attempt, end: RunEnd) -> bool:
    return (
        run.attempt.id == attempt.id
        and run.generation == attempt.generation
        and (run.state, run.reason, run.result, run.failure) == (end.state, end.reason, end.result, end.failure)
    )
