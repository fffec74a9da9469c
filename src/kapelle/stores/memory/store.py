"""The memory store and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kapelle.ports.storage.store import Transaction
from kapelle.stores.memory.cache import MemoryCache
from kapelle.stores.memory.journals import MemoryJournal, MemoryOutput
from kapelle.stores.memory.listings import MemoryListings
from kapelle.stores.memory.runs import MemoryRuns
from kapelle.stores.memory.state import State, View
from kapelle.stores.refusals import nested_write


class MemoryTransaction:
    """The domains over one view."""

    def __init__(self, view: View) -> None:
        self.runs = MemoryRuns(view)
        self.journal = MemoryJournal(view)
        self.output = MemoryOutput(view)
        self.cache = MemoryCache(view)
        self.listings = MemoryListings(view)


class MemoryStore:
    """A store in memory. One thread writes at a time; readers see the last published state and wait for nobody."""

    def __init__(self) -> None:
        self._state = State()
        self._writing = threading.Lock()
        self._writer: int | None = None

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may write: published when the block ends well, forgotten when it raises."""
        me = threading.get_ident()
        if self._writer == me:
            raise nested_write()
        with self._writing:
            self._writer = me
            view = View(self._state, writable=True)
            try:
                yield MemoryTransaction(view)
                self._state = view.publish()
            finally:
                view.discard()
                self._writer = None

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """The state as it is now, whatever is written meanwhile."""
        view = View(self._state, writable=False)
        try:
            yield MemoryTransaction(view)
        finally:
            view.discard()

    def close(self) -> None:
        """Nothing is held, so nothing is given back; what was kept stays as long as the object."""
