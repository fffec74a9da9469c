"""Journals in SQLite: compressed chunks of whole lines.

A spool that is shipped often comes in small pieces, which compress badly. A new piece is therefore put into the chunk
before it, as long as that one is small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kapelle.model.access import Scope
from kapelle.model.calls import CallRow
from kapelle.model.runs import Attempt
from kapelle.stores.refusals import no_run, not_current, require_whole_lines
from kapelle.stores.sqlite.encoding import compress, expand, pack, projects_of, unpack
from kapelle.stores.sqlite.runs import SqliteRuns
from kapelle.stores.sqlite.session import Parameters, Session

_SMALL_BYTES = 16 * 1024
"""Pieces are put together up to this size (before compression): about one page of the file."""


class SqliteJournal:
    """Append-only journals, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def append(self, scope: Scope, attempt: Attempt, offset: int, lines: bytes, rows: Sequence[CallRow]) -> int:
        """Keep whole lines and rows of the current attempt, by offset."""
        self._session.require_writable()
        require_whole_lines(lines, offset)
        # Compressed before the first statement, so before the lock: nearly always the store wants exactly these bytes.
        chunk = compress(lines) if len(lines) >= _SMALL_BYTES else None
        packed_rows = pack(list(rows)) if rows else b""
        parameters = _visible(scope, attempt.run_id) | {"generation": attempt.generation, "attempt_id": attempt.id}
        found = self._session.row("journal", "current_attempt", parameters)
        if found is None:
            raise not_current(SqliteRuns(self._session).get(scope, attempt.run_id), attempt, "write its journal")
        run, number, kept = found
        if offset > kept:
            return int(kept)
        place = {"run": run, "generation": attempt.generation, "attempt": number}
        end = offset + len(lines)
        if end > kept:
            if chunk is None or offset < kept:
                self._keep(place, int(kept), lines[kept - offset :])
            else:
                self._session.change("journal", "add_chunk", place | {"at_offset": kept, "lines": chunk})
            self._session.change("journal", "advance", place | {"kept": end, "kept_before": kept})
        if packed_rows:
            of_run = {"run": run, "generation": attempt.generation}
            self._session.change("journal", "put_rows", of_run | {"rows": packed_rows.decode()})
        return max(end, int(kept))

    def shipped(self, scope: Scope, attempt: Attempt) -> int:
        """How much of the attempt's spool is kept."""
        parameters = _visible(scope, attempt.run_id) | {"attempt_id": attempt.id}
        row = self._session.row("journal", "shipped", parameters)
        return 0 if row is None else int(row[0])

    def read(self, scope: Scope, run_id: str, generation: int) -> Iterator[bytes]:
        """The journal of a generation, attempt by attempt."""
        return self._pieces({"run": self._run(scope, run_id), "generation": generation})

    def rows(self, scope: Scope, run_id: str, generation: int) -> list[CallRow]:
        """The rows of calls, by call number."""
        of_run = {"run": self._run(scope, run_id), "generation": generation}
        return [unpack(content, CallRow) for (content,) in self._session.rows("journal", "rows", of_run)]

    def bytes_stored(self, scope: Scope, run_id: str) -> int:
        """How many bytes the journals of the run take."""
        row = self._session.row("journal", "bytes_stored", {"run": self._run(scope, run_id)})
        return 0 if row is None else int(row[0])

    def _keep(self, place: Parameters, at_offset: int, lines: bytes) -> None:
        """Keep a piece, in the chunk before it where the two together are still small."""
        least = at_offset + len(lines) - _SMALL_BYTES
        last = self._session.row("journal", "last_chunk", place | {"least": least}) if least < at_offset else None
        if last is None:
            self._session.change("journal", "add_chunk", place | {"at_offset": at_offset, "lines": compress(lines)})
        else:
            merged = compress(expand(last[1]) + lines)
            self._session.change("journal", "replace_chunk", place | {"at_offset": last[0], "lines": merged})

    def _run(self, scope: Scope, run_id: str) -> int:
        row = self._session.row("journal", "run", _visible(scope, run_id))
        if row is None:
            raise no_run(run_id)
        return int(row[0])

    def _pieces(self, of_run: Parameters) -> Iterator[bytes]:
        attempt, at_offset = 0, -1
        while True:
            behind = of_run | {"attempt": attempt, "at_offset": at_offset}
            chunks = self._session.rows("journal", "chunks_behind", behind)
            for attempt, at_offset, lines in chunks:  # noqa: B007 (the last one is where the next page begins)
                self._session.require_open()
                yield expand(lines)
            if not chunks:
                return


def _visible(scope: Scope, run_id: str) -> Parameters:
    return {"projects": projects_of(scope), "run_id": run_id}
