"""Shipping: whole lines of an attempt's spools into the store, by offset, as often as it takes.

A shipper reads from where the store says it is, so shipping the same bytes twice changes nothing, and a new shipper
goes on where a dead one stopped. The few lines that mean something to the store beside being kept (rows of calls,
results for the cache, counts, the end of the generation) are told by their first letters and written in the same
transaction as the lines.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from kapelle.model.access import Scope
from kapelle.model.calls import CallRow
from kapelle.model.errors import StaleAttempt
from kapelle.model.journal import Counted, EndedRow, Finished, Remembered
from kapelle.model.runs import Attempt, CallCounts, RunEnd, RunState
from kapelle.ports.storage.cache import CacheEntry
from kapelle.ports.storage.store import Store, Transaction

CHUNK_BYTES = 1 << 20
"""Bytes that one transaction takes from a spool."""

_MEANT = (b'["E"', b'["k"', b'["g"', b'["f"')
_decode = msgspec.json.Decoder(EndedRow | Remembered | Counted | Finished).decode


class Shipper:
    """Ships the spools of one attempt."""

    def __init__(self, store: Store, project: str, attempt: Attempt, journal: Path, output: Path) -> None:
        self._store = store
        self._project = project
        self._scope = Scope.of_project(project, f"run:{attempt.run_id}")
        self._attempt = attempt
        self._journal = journal
        self._output = output
        self.journal_offset = 0
        self.output_offset = 0
        self.ended: RunState | None = None
        self._journal_fd = -1
        self._output_fd = -1

    def begin(self) -> None:
        """Ask the store how far it is."""
        with self._store.read() as tx:
            self.journal_offset = tx.journal.shipped(self._scope, self._attempt)
            self.output_offset = tx.output.shipped(self._scope, self._attempt)

    def ship(self) -> int:
        """Ship what there is, up to a chunk of each spool; how many bytes that was.

        Raises StaleAttempt when another attempt has taken over, StoreError when the store is away.
        """
        lines = self._read(self._journal, "_journal_fd", self.journal_offset)
        printed = self._read(self._output, "_output_fd", self.output_offset)
        if not lines and not printed:
            return 0
        rows, others = _meant(lines)
        with self._store.write() as tx:
            journal, output = self.journal_offset, self.output_offset
            if printed:
                output = tx.output.append(self._scope, self._attempt, output, printed)
            if lines:
                journal = tx.journal.append(self._scope, self._attempt, journal, lines, rows)
                for line in others:
                    self._act(tx, line)
        self.journal_offset, self.output_offset = journal, output
        return len(lines) + len(printed)

    def ship_all(self) -> None:
        """Ship until nothing is left; output that a superseded attempt left is kept, its journal is not."""
        try:
            while self.ship():
                pass
        except StaleAttempt:
            self._journal = Path(os.devnull)
            while self.ship():
                pass

    def _act(self, tx: Transaction, line: Remembered | Counted | Finished) -> None:
        match line:
            case Remembered():
                entry = CacheEntry(
                    line.key, line.task, line.parts, line.value, line.at_us, line.expires_at_us, self._attempt.run_id
                )
                tx.cache.put(self._scope, self._project, entry)
            case Counted():
                tx.runs.count(self._scope, self._attempt, _total(line), line.groups)
            case Finished():
                self.ended = RunState(line.state)
                end = RunEnd(self.ended, line.at_us, line.reason, line.value, line.failure)
                tx.runs.end(self._scope, self._attempt, end)

    def _read(self, path: Path, attribute: str, offset: int) -> bytes:
        fd: int = getattr(self, attribute)
        if fd < 0:
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return b""
            setattr(self, attribute, fd)
        size = CHUNK_BYTES
        while True:
            data = os.pread(fd, size, offset)
            # The writer goes on while this reads, so behind a gap of zeros there may be lines that came in later.
            unwritten = data.find(0)
            end = (data.rfind(b"\n") if unwritten < 0 else data.rfind(b"\n", 0, unwritten)) + 1
            if end or unwritten >= 0 or len(data) < size:
                return data[:end]
            size *= 4  # a single line that is longer than a chunk

    def close(self) -> None:
        """Close the spools."""
        for fd in (self._journal_fd, self._output_fd):
            if fd >= 0:
                os.close(fd)
        self._journal_fd = self._output_fd = -1


def _meant(lines: bytes) -> tuple[list[CallRow], list[Remembered | Counted | Finished]]:
    """The lines that the store acts on. A damaged line is shipped like any other: whoever reads the journal is told."""
    rows: list[CallRow] = []
    others: list[Remembered | Counted | Finished] = []
    if not any(mark in lines for mark in _MEANT):
        return rows, others
    for line in lines.split(b"\n"):
        if line.startswith(_MEANT):
            try:
                decoded = _decode(line)
            except msgspec.MsgspecError:
                continue
            if isinstance(decoded, EndedRow):
                rows.append(decoded.row)
            else:
                others.append(decoded)
    return rows, others


def _total(counted: Counted) -> CallCounts:
    groups = counted.groups
    return CallCounts(
        succeeded=sum(group.succeeded for group in groups),
        failed=sum(group.failed for group in groups),
        skipped=sum(group.skipped for group in groups),
        cancelled=sum(group.cancelled for group in groups),
        reused=sum(group.reused for group in groups),
        cached=sum(group.cached for group in groups),
    )
