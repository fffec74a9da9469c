"""Journals and output in memory: lists of chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kapelle.model.access import Scope
from kapelle.model.calls import CallRow
from kapelle.model.runs import Attempt
from kapelle.stores.memory.state import Chunk, View
from kapelle.stores.refusals import not_current, require_whole_lines


class MemoryJournal:
    """Append-only journals, over one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def append(self, scope: Scope, attempt: Attempt, offset: int, lines: bytes, rows: Sequence[CallRow]) -> int:
        """Keep whole lines and rows of the current attempt, by offset."""
        self._view.require_writable()
        require_whole_lines(lines, offset)
        record = self._view.touch(scope, attempt.run_id)
        run = record.run
        if not attempt.id or (run.generation, run.attempt.id) != (attempt.generation, attempt.id):
            raise not_current(run, attempt, "write its journal")
        kept = record.journal_shipped.get(attempt.id, 0)
        if offset > kept:
            return kept
        if new := lines[kept - offset :]:
            record.journal.append(Chunk(run.generation, run.attempt.number, kept, new))
            kept += len(new)
            record.journal_shipped[attempt.id] = kept
        for row in rows:
            record.rows[run.generation, row.id] = row
        return kept

    def shipped(self, scope: Scope, attempt: Attempt) -> int:
        """How much of the attempt's spool is kept."""
        record = self._view.find(attempt.run_id)
        if record is None or not scope.sees(record.run.project):
            return 0
        return record.journal_shipped.get(attempt.id, 0)

    def read(self, scope: Scope, run_id: str, generation: int) -> Iterator[bytes]:
        """The journal of a generation, attempt by attempt."""
        chunks = self._view.record(scope, run_id).journal
        wanted = sorted((c for c in chunks if c.generation == generation), key=lambda c: (c.attempt, c.offset))
        return self._pieces(wanted)

    def rows(self, scope: Scope, run_id: str, generation: int) -> list[CallRow]:
        """The rows of calls, by call number."""
        rows = self._view.record(scope, run_id).rows
        return sorted((row for (of, _), row in rows.items() if of == generation), key=lambda row: (row.call, row.id))

    def bytes_stored(self, scope: Scope, run_id: str) -> int:
        """How many bytes the journals of the run take."""
        return sum(len(chunk.lines) for chunk in self._view.record(scope, run_id).journal)

    def _pieces(self, chunks: list[Chunk]) -> Iterator[bytes]:
        for chunk in chunks:
            self._view.require_open()
            yield chunk.lines


class MemoryOutput:
    """Append-only output, over one view. A cursor counts the bytes of a generation in the order of their arrival."""

    def __init__(self, view: View) -> None:
        self._view = view

    def append(self, scope: Scope, attempt: Attempt, offset: int, lines: bytes) -> int:
        """Keep whole lines of an attempt that began once, current or not."""
        self._view.require_writable()
        require_whole_lines(lines, offset)
        record = self._view.touch(scope, attempt.run_id)
        began = record.attempts.get(attempt.id)
        if began is None or began.generation != attempt.generation:
            raise not_current(record.run, attempt, "deliver output")
        kept = record.output_shipped.get(attempt.id, 0)
        if offset > kept:
            return kept
        if new := lines[kept - offset :]:
            record.output.append(Chunk(began.generation, began.number, kept, new))
            kept += len(new)
            record.output_shipped[attempt.id] = kept
        return kept

    def shipped(self, scope: Scope, attempt: Attempt) -> int:
        """How much of the attempt's output is kept."""
        record = self._view.find(attempt.run_id)
        if record is None or not scope.sees(record.run.project):
            return 0
        return record.output_shipped.get(attempt.id, 0)

    def read(self, scope: Scope, run_id: str, generation: int, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Pieces behind a cursor, in the order of their arrival."""
        chunks = self._view.record(scope, run_id).output
        return self._pieces([chunk.lines for chunk in chunks if chunk.generation == generation], after)

    def _pieces(self, pieces: list[bytes], after: int) -> Iterator[tuple[int, bytes]]:
        position = 0
        for lines in pieces:
            self._view.require_open()
            position += len(lines)
            if position > after:
                yield position, lines
