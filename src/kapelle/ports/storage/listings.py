"""Searches over many runs, for people. Keyset-paged, newest first; filters are a closed set of typed predicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from kapelle.model.access import Scope
from kapelle.model.runs import Run, RunState


class RunFilter(msgspec.Struct, frozen=True):
    """Which runs are wanted. Every field that is set must hold; an empty filter takes all.

    id_prefix and name match from the beginning and exactly; `flow` is a flow's full name or its last part.
    """

    project: str | None = None
    flow: str | None = None
    states: frozenset[RunState] = frozenset()
    id_prefix: str | None = None
    name: str | None = None
    tag: str | None = None
    since_us: int | None = None


class Page(msgspec.Struct, frozen=True):
    """A page of runs and the cursor of the next one (None: this was the last)."""

    runs: Sequence[Run]
    next: str | None


class Listings(Protocol):
    """Searches over rows."""

    def runs(self, scope: Scope, where: RunFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Runs by time of creation, newest first. A cursor that is none raises UsageError."""
        ...

    def durations(self, scope: Scope, project: str, flow: str, *, limit: int = 20) -> list[int]:
        """How long the flow's last successful runs took, in microseconds, newest first."""
        ...
