"""What the memory store holds, and how a transaction sees and changes it.

A `State` that is published is never changed again. A writing transaction copies a record before it touches it for the
first time, and commits by publishing a new state; rolling back is forgetting the copies. Readers keep the state that
they began with and take no lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kapelle.model.access import Scope
from kapelle.model.calls import CallRow, GroupRow
from kapelle.model.runs import Attempt, Run
from kapelle.ports.storage.cache import CacheEntry
from kapelle.stores.refusals import is_over, no_run, reading_only


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one attempt's spool, from byte `offset` of it."""

    generation: int
    attempt: int
    offset: int
    lines: bytes


@dataclass(slots=True)
class RunRecord:
    """A run with all that belongs to it. `shipped` counts the bytes kept per attempt id, journal and output apart."""

    run: Run
    opened_at_us: int
    attempts: dict[str, Attempt] = field(default_factory=dict)
    journal: list[Chunk] = field(default_factory=list)
    output: list[Chunk] = field(default_factory=list)
    journal_shipped: dict[str, int] = field(default_factory=dict)
    output_shipped: dict[str, int] = field(default_factory=dict)
    rows: dict[tuple[int, str], CallRow] = field(default_factory=dict)
    groups: dict[int, tuple[GroupRow, ...]] = field(default_factory=dict)

    def copy(self) -> RunRecord:
        """A record that can be changed without changing this one; what it holds is frozen."""
        return replace(
            self,
            attempts=dict(self.attempts),
            journal=list(self.journal),
            output=list(self.output),
            journal_shipped=dict(self.journal_shipped),
            output_shipped=dict(self.output_shipped),
            rows=dict(self.rows),
            groups=dict(self.groups),
        )


@dataclass(frozen=True, slots=True)
class State:
    """All runs by id, all cache entries by project and key."""

    runs: dict[str, RunRecord] = field(default_factory=dict)
    cache: dict[tuple[str, str], CacheEntry] = field(default_factory=dict)


class View:
    """A state as one transaction sees it: what was there when it began, with its own changes on top."""

    def __init__(self, state: State, *, writable: bool) -> None:
        self._state = state
        self._writable = writable
        self._open = True
        self._runs: dict[str, RunRecord | None] = {}
        self._cache: dict[tuple[str, str], CacheEntry | None] = {}

    def require_open(self) -> None:
        """Raise unless the transaction is still open."""
        if not self._open:
            raise is_over()

    def require_writable(self) -> None:
        """Raise unless the transaction is open for writing."""
        self.require_open()
        if not self._writable:
            raise reading_only()

    def find(self, run_id: str) -> RunRecord | None:
        """The record of a run, whoever it belongs to."""
        self.require_open()
        if run_id in self._runs:
            return self._runs[run_id]
        return self._state.runs.get(run_id)

    def record(self, scope: Scope, run_id: str) -> RunRecord:
        """The record of a run, for reading; NotFound when the scope does not see it."""
        found = self.find(run_id)
        if found is None or not scope.sees(found.run.project):
            raise no_run(run_id)
        return found

    def touch(self, scope: Scope, run_id: str) -> RunRecord:
        """The record of a run, for changing; NotFound when the scope does not see it."""
        self.require_writable()
        found = self.record(scope, run_id)
        if run_id not in self._runs:
            found = found.copy()
            self._runs[run_id] = found
        return found

    def put(self, record: RunRecord) -> None:
        """Add a run."""
        self.require_writable()
        self._runs[record.run.id] = record

    def remove(self, run_id: str) -> None:
        """Take a run away."""
        self.require_writable()
        self._runs[run_id] = None

    def records(self) -> Iterator[RunRecord]:
        """All runs, in no order."""
        self.require_open()
        for run_id, record in self._state.runs.items():
            if run_id not in self._runs:
                yield record
        for changed in self._runs.values():
            if changed is not None:
                yield changed

    def cache_entries(self, project: str) -> dict[str, CacheEntry]:
        """The cache entries of a project, by key."""
        self.require_open()
        merged: dict[tuple[str, str], CacheEntry | None] = {**self._state.cache, **self._cache}
        return {key: entry for (owner, key), entry in merged.items() if owner == project and entry is not None}

    def set_cache_entry(self, project: str, key: str, entry: CacheEntry | None) -> None:
        """Keep a cache entry, or forget it."""
        self.require_writable()
        self._cache[project, key] = entry

    def discard(self) -> None:
        """End the transaction; nothing can be read or written through it any more."""
        self._open = False

    def publish(self) -> State:
        """The state with the changes of the transaction in it."""
        if not self._runs and not self._cache:
            return self._state
        runs = {**self._state.runs, **self._runs}
        cache = {**self._state.cache, **self._cache}
        return State(
            {run_id: record for run_id, record in runs.items() if record is not None},
            {key: entry for key, entry in cache.items() if entry is not None},
        )
