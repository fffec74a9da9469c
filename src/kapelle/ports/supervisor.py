"""The supervisor, as the engine in a run process sees it.

The run process writes spools and asks; the supervisor ships, keeps and answers. It is a thread of the script for a run
that was started by hand, and the worker for one that a server drives.
"""

from __future__ import annotations

from typing import Protocol

from kapelle.ports.storage.cache import CacheEntry


class Keeper(Protocol):
    """Where the bytes of large values go and come from."""

    def put_blob(self, data: bytes) -> str:
        """Keep the bytes of a large value; returns their digest."""
        ...

    def get_blob(self, digest: str) -> bytes:
        """The bytes of a large value."""
        ...


class Supervisor(Keeper, Protocol):
    """What the engine asks of the one who drives its process."""

    def written(self, offset: int) -> None:
        """The journal spool now reaches to `offset`. Cheap; called after every line.

        Waits while more than the spool's bound is not acknowledged.
        """
        ...

    def wait_recorded(self, offset: int) -> None:
        """Return when the store has acknowledged the journal spool up to `offset`.

        Raises StaleAttempt when another attempt has taken over, and StoreUnwritable when the store stays away; the
        spool is kept then and shipped later.
        """
        ...

    def find_cached(self, key: str) -> CacheEntry | None:
        """The project's cache entry of this key."""
        ...

    def newest_cached(self, task: str) -> CacheEntry | None:
        """The project's newest cache entry of this task."""
        ...
