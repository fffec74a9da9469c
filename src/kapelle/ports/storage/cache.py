"""The project's cache of results."""

from __future__ import annotations

from typing import Protocol

import msgspec

from kapelle.model.access import Scope
from kapelle.model.values import StoredValue


class CacheEntry(msgspec.Struct, frozen=True):
    """A result that other runs may take.

    key       digest of everything that must be equal
    parts     the digests that the key was made of, by name ("inputs", "code", "environment", "version"), so that a
              miss can say what differs
    run_id    the run that computed it
    """

    key: str
    task: str
    parts: tuple[tuple[str, str], ...]
    value: StoredValue
    made_at_us: int
    expires_at_us: int | None
    run_id: str


class CacheStore(Protocol):
    """Results of successful calls, by project and key. A project that the scope does not see has no entries, and cannot
    be given any (NotFound)."""

    def find(self, scope: Scope, project: str, key: str) -> CacheEntry | None:
        """The entry of this key, expired or not; the caller judges the time."""
        ...

    def newest(self, scope: Scope, project: str, task: str) -> CacheEntry | None:
        """The entry of this task that was made last, to say what differs."""
        ...

    def put(self, scope: Scope, project: str, entry: CacheEntry) -> None:
        """Keep an entry, in place of one with the same key."""
        ...

    def clear(self, scope: Scope, project: str, task: str | None = None) -> int:
        """Forget the entries of a task, or all of the project; returns how many."""
        ...
