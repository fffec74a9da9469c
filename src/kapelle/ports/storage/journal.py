"""Journals, as chunks of whole lines, and the rows of calls that stand out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from kapelle.model.access import Scope
from kapelle.model.calls import CallRow
from kapelle.model.runs import Attempt


class JournalStore(Protocol):
    """Append-only journals. What `append` returned is recorded."""

    def append(self, scope: Scope, attempt: Attempt, offset: int, lines: bytes, rows: Sequence[CallRow]) -> int:
        """Keep `lines` (whole lines of the attempt's spool, beginning at byte `offset` of it) and `rows`.

        Idempotent: bytes below the offset already kept are passed over, rows of a known call are replaced. Returns
        the offset up to which the attempt's spool is now kept. A gap (offset beyond that) keeps nothing and returns
        the offset that is wanted next. StaleAttempt unless `attempt` belongs to the run's current generation and is
        its current attempt.
        """
        ...

    def shipped(self, scope: Scope, attempt: Attempt) -> int:
        """The offset up to which the attempt's spool is kept; 0 for one never heard of."""
        ...

    def read(self, scope: Scope, run_id: str, generation: int) -> Iterator[bytes]:
        """The journal of a generation, all its attempts in order, in pieces of whole lines.

        To be consumed inside the transaction.
        """
        ...

    def rows(self, scope: Scope, run_id: str, generation: int) -> list[CallRow]:
        """The rows of calls of a generation, by call number."""
        ...

    def bytes_stored(self, scope: Scope, run_id: str) -> int:
        """How many bytes the journals of the run take in the store."""
        ...
