"""The store as a whole, and the transaction that spans its domains."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from kapelle.ports.storage.cache import CacheStore
from kapelle.ports.storage.journal import JournalStore
from kapelle.ports.storage.listings import Listings
from kapelle.ports.storage.output import OutputStore
from kapelle.ports.storage.runs import RunStore


class Transaction(Protocol):
    """The domains inside one transaction: what is done through them is kept together or not at all."""

    @property
    def runs(self) -> RunStore:
        """Runs and their lifecycle."""
        ...

    @property
    def journal(self) -> JournalStore:
        """Journals of runs."""
        ...

    @property
    def output(self) -> OutputStore:
        """What runs printed and logged."""
        ...

    @property
    def cache(self) -> CacheStore:
        """Results that later runs may take."""
        ...

    @property
    def listings(self) -> Listings:
        """Searches over many runs and calls, for people."""
        ...


class Store(Protocol):
    """A place where runs are kept. One object may be used by several threads."""

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that may write: committed when the block ends well, rolled back when it raises.

        Raises StoreUnwritable when the store cannot be written, at the latest with the first verb. When the block has
        ended well, what was written is durable. When its end raises anything else than what the block raised, it may
        have been kept all the same: do it again, every verb takes the same again. Not to be nested in one thread.
        """
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A consistent view; a verb that writes raises inside it."""
        ...

    def close(self) -> None:
        """Give back files and locks. Safe to call twice."""
        ...
