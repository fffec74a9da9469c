"""Output in SQLite: compressed chunks of whole lines, in the order of their arrival.

A cursor counts the bytes of a generation up to the end of a chunk. Late output of a superseded attempt comes behind
what was there before, so nobody who reads by cursor can miss it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kapelle.model.access import Scope
from kapelle.model.runs import Attempt
from kapelle.stores.refusals import no_run, not_current, require_whole_lines
from kapelle.stores.sqlite.encoding import compress, expand, projects_of
from kapelle.stores.sqlite.runs import SqliteRuns
from kapelle.stores.sqlite.session import Parameters, Session


class SqliteOutput:
    """Append-only output, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def append(self, scope: Scope, attempt: Attempt, offset: int, lines: bytes) -> int:
        """Keep whole lines of an attempt that began once, current or not."""
        self._session.require_writable()
        require_whole_lines(lines, offset)
        chunk = compress(lines)
        of_attempt = _visible(scope, attempt.run_id) | {"generation": attempt.generation, "attempt_id": attempt.id}
        found = self._session.row("output", "attempt", of_attempt)
        if found is None:
            raise not_current(SqliteRuns(self._session).get(scope, attempt.run_id), attempt, "deliver output")
        run, number, kept = found
        end = offset + len(lines)
        if offset > kept or end <= kept:
            return int(kept)
        if offset < kept:
            chunk = compress(lines[kept - offset :])
        of_run = {"run": run, "generation": attempt.generation}
        last = self._session.row("output", "last_cursor", of_run)
        behind = (0 if last is None else int(last[0])) + end - kept
        self._session.change("output", "add_chunk", of_run | {"behind": behind, "lines": chunk})
        self._session.change("output", "advance", of_run | {"attempt": number, "kept": end, "kept_before": kept})
        return end

    def shipped(self, scope: Scope, attempt: Attempt) -> int:
        """How much of the attempt's output is kept."""
        parameters = _visible(scope, attempt.run_id) | {"attempt_id": attempt.id}
        row = self._session.row("output", "shipped", parameters)
        return 0 if row is None else int(row[0])

    def read(self, scope: Scope, run_id: str, generation: int, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Pieces behind a cursor, in the order of their arrival."""
        row = self._session.row("output", "run", _visible(scope, run_id))
        if row is None:
            raise no_run(run_id)
        return self._pieces({"run": row[0], "generation": generation}, after)

    def _pieces(self, of_run: Parameters, after: int) -> Iterator[tuple[int, bytes]]:
        while chunks := self._session.rows("output", "chunks_behind", of_run | {"after": after}):
            for after, lines in chunks:
                self._session.require_open()
                yield after, expand(lines)


def _visible(scope: Scope, run_id: str) -> Parameters:
    return {"projects": projects_of(scope), "run_id": run_id}
