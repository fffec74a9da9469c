"""What runs print and log: shipped like the journal, by offset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from kapelle.model.access import Scope
from kapelle.model.runs import Attempt


class OutputStore(Protocol):
    """Append-only output of attempts. An attempt that was superseded may still deliver what it had written."""

    def append(self, scope: Scope, attempt: Attempt, offset: int, lines: bytes) -> int:
        """Keep whole lines of the attempt's output spool; idempotent and gap-safe like the journal's `append`.

        StaleAttempt for an attempt that never began.
        """
        ...

    def shipped(self, scope: Scope, attempt: Attempt) -> int:
        """The offset up to which the attempt's output is kept."""
        ...

    def read(self, scope: Scope, run_id: str, generation: int, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Pieces of whole lines of a generation in the order of their arrival, with the cursor behind each.

        `after` is such a cursor; what arrives later, of whatever attempt, comes behind it. To be consumed inside the
        transaction.
        """
        ...
