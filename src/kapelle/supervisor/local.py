"""The supervisor of a run that was started by hand: a thread of the same process.

It ships the run's spools into the store and answers the engine's questions. The store being away ends no run: the
spools grow up to a bound, at which the engine waits; what waits for an acknowledgement waits for a while, and then the
run's own files are left for the next process that opens this home.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from kapelle.model.access import Scope
from kapelle.model.errors import StaleAttempt, StoreError
from kapelle.ports.blobs import Blobs
from kapelle.ports.storage.cache import CacheEntry
from kapelle.ports.storage.store import Store
from kapelle.supervisor.shipping import Shipper

GATHER_S = 0.02
"""Lines are gathered this long before they are shipped, unless somebody waits for them."""

LARGE_PIECE = 1 << 18
"""Bytes of a piece that was worth shipping without gathering more."""

UNSHIPPED_MAX = 64 << 20
"""Bytes of journal that may wait to be shipped; beyond that the engine waits."""

PATIENCE_S = 20.0
"""How long a wait for the store's acknowledgement outlasts a store that refuses everything."""

RETRY_S = 0.2


class LocalSupervisor:
    """Drives one attempt in this process."""

    def __init__(
        self, shipper: Shipper, store: Store, blobs: Blobs, project: str, monotonic_s: Callable[[], float]
    ) -> None:
        self._shipper = shipper
        self._store = store
        self._blobs = blobs
        self._project = project
        self._scope = Scope.of_project(project)
        self._monotonic_s = monotonic_s
        self._work = threading.Event()
        self._awake = False
        self._hurry = threading.Event()
        self._moved = threading.Condition()
        self._closing = False
        self._urgent = 0
        self._stale: StaleAttempt | None = None
        self._broken: StoreError | None = None
        self._trouble: StoreError | None = None
        self._trouble_since = 0.0
        self._thread = threading.Thread(target=self._run, name="kapelle-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to ship."""
        self._shipper.begin()
        self._thread.start()

    # What the engine asks

    def written(self, offset: int) -> None:
        """The journal spool reaches to `offset`."""
        if not self._awake:
            self._awake = True
            self._work.set()
        if offset - self._shipper.journal_offset > UNSHIPPED_MAX:
            with self._moved:
                self._moved.wait_for(lambda: self._closing or offset - self._shipper.journal_offset <= UNSHIPPED_MAX)

    def wait_recorded(self, offset: int) -> None:
        """Return when the store has the journal up to `offset`."""
        with self._moved:
            self._urgent += 1
            self._hurry.set()
            self._work.set()
            try:
                while self._shipper.journal_offset < offset:
                    self._raise_trouble()
                    self._moved.wait(RETRY_S)
            finally:
                self._urgent -= 1

    def _raise_trouble(self) -> None:
        if self._stale is not None:
            raise self._stale
        if self._broken is not None:
            raise self._broken
        if self._trouble is not None and self._monotonic_s() - self._trouble_since > PATIENCE_S:
            raise self._trouble

    def put_blob(self, data: bytes) -> str:
        """Keep the bytes of a large value."""
        return self._blobs.put(self._project, data)

    def get_blob(self, digest: str) -> bytes:
        """The bytes of a large value."""
        return self._blobs.get(self._project, digest)

    def find_cached(self, key: str) -> CacheEntry | None:
        """The project's cache entry of this key. A store that is away has none."""
        try:
            with self._store.read() as tx:
                return tx.cache.find(self._scope, self._project, key)
        except StoreError:
            return None

    def newest_cached(self, task: str) -> CacheEntry | None:
        """The project's newest cache entry of this task."""
        try:
            with self._store.read() as tx:
                return tx.cache.newest(self._scope, self._project, task)
        except StoreError:
            return None

    # The thread

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            self._awake = False  # from here on a line sets `_work` again; those before are read below
            if not self._urgent and not self._closing:
                self._hurry.wait(GATHER_S)
            self._hurry.clear()
            self._ship()
            if self._closing:
                return

    def _ship(self) -> None:
        """Ship what there is; note what goes wrong, and try again later."""
        try:
            while shipped := self._shipper.ship():
                self._trouble = None
                self._tell()
                if shipped < LARGE_PIECE and not self._closing and not self._urgent:
                    break  # what was written meanwhile has set `_work`, and is gathered first
        except StaleAttempt as error:
            self._stale = error
        except StoreError as error:
            if self._trouble is None:
                self._trouble_since = self._monotonic_s()
                _say(f"kapelle: the store does not take what the run records; trying on\n  {error}\n")
            self._trouble = error
            if not self._closing:
                threading.Timer(RETRY_S, self._work.set).start()
        except Exception as error:  # ours is broken: whoever waits is told, and the spool stays
            self._broken = StoreError(
                "what the run records cannot be shipped",
                cause=f"{type(error).__name__}: {error}",
                hint="please report this",
            )
        self._tell()

    def _tell(self) -> None:
        with self._moved:
            self._moved.notify_all()

    def close(self) -> bool:
        """Ship the rest and end the thread. True when the store has everything."""
        self._closing = True
        self._hurry.set()
        self._work.set()
        self._tell()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        complete = self._stale is None and self._trouble is None and self._broken is None
        self._shipper.close()
        return complete


def _say(text: str) -> None:
    if sys.__stderr__ is not None:
        try:
            sys.__stderr__.write(text)
        except OSError:
            pass
