"""The open handles of one store in one process.

One connection writes; as many as there are readers at a time read, and are used again. All are made when they are first
needed. A forked child forgets what it inherited, without closing it: an inherited SQLite handle would write happily,
with the parent's locks, and closing it could take the parent's log away.
"""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

import apsw

from kapelle.stores.sqlite.lock import OwnerLock

_BUSY_MS = 10_000
_LOG_BYTES_MAX = 16 * 1024 * 1024
_IDLE_READERS_MAX = 4

_SETTINGS = f"""
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA checkpoint_fullfsync = ON;
PRAGMA foreign_keys = ON;
PRAGMA mmap_size = 0;
PRAGMA trusted_schema = OFF;
PRAGMA journal_size_limit = {_LOG_BYTES_MAX};
"""

_inherited: list[apsw.Connection] = []
"""Connections that a forked child got from its parent: kept, so that nothing ever closes them."""

_alive: weakref.WeakSet[Connections] = weakref.WeakSet()


def connect(path: Path) -> apsw.Connection:
    """A connection to a file that exists, with our settings."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(_BUSY_MS)
    # The last connection to be closed would otherwise move the log into the file without the owner's lock.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.execute(_SETTINGS).fetchall()
    return connection


class Connections:
    """The writer with its locks, and the idle readers."""

    def __init__(self, path: Path, lock_path: Path) -> None:
        self.path = path
        self._lock_path = lock_path
        self._fresh()
        _alive.add(self)

    def _fresh(self) -> None:
        self.pid = os.getpid()
        self.ready = False
        self.writing = threading.Lock()
        self.writer_threads: set[int] = set()
        self.identity: tuple[int, int] | None = None
        self.owner = OwnerLock(self._lock_path)
        self._writer: apsw.Connection | None = None
        self._readers: list[apsw.Connection] = []
        self._lent: set[apsw.Connection] = set()
        self._border = threading.Lock()

    def forget_inherited(self) -> None:
        """In a forked child: start with nothing open, and leave the parent's handles alone."""
        if self.pid == os.getpid():
            return
        _inherited.extend((*self._readers, *self._lent))
        if self._writer is not None:
            _inherited.append(self._writer)
        # An inherited handle of the lock file would keep the lock held after the death of a parent that had it.
        self.owner.close()
        self._fresh()

    def writer(self) -> apsw.Connection:
        """The connection that writes. The caller holds `writing`."""
        if self._writer is None:
            self._writer = connect(self.path)
        return self._writer

    def drop_writer(self) -> None:
        """Close the connection that writes; the next use opens another."""
        if self._writer is not None:
            connection, self._writer = self._writer, None
            connection.close()

    def is_gone(self) -> bool:
        """Whether the file that is open is no longer the one of its name: what is written there would be lost."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return True
        return (found.st_dev, found.st_ino) != self.identity

    def opened(self) -> None:
        """Remember which file was made ready."""
        found = os.stat(self.path)
        self.identity = (found.st_dev, found.st_ino)
        self.ready = True

    def has_writer(self) -> bool:
        """Whether this process has written, or tried to."""
        return self._writer is not None

    def take_reader(self) -> apsw.Connection:
        """A connection to read through, for one thread until it is given back."""
        with self._border:
            if self._readers:
                connection = self._readers.pop()
                self._lent.add(connection)
                return connection
        connection = connect(self.path)
        connection.execute("PRAGMA query_only = ON").fetchall()
        with self._border:
            self._lent.add(connection)
        return connection

    def give_back(self, reader: apsw.Connection) -> None:
        """Keep a reader for the next one who reads."""
        with self._border:
            known = reader in self._lent
            self._lent.discard(reader)
            if known and len(self._readers) < _IDLE_READERS_MAX:
                self._readers.append(reader)
                return
        reader.close()

    def drop_reader(self, reader: apsw.Connection) -> None:
        """Close a reader that failed."""
        with self._border:
            self._lent.discard(reader)
        reader.close()

    def close(self) -> None:
        """Close all that is open. Readers that are in use are closed when they are given back."""
        with self._border:
            self.ready = False
            readers, self._readers = self._readers, []
            self._lent.clear()
        for reader in readers:
            reader.close()
        self.drop_writer()
        self.owner.close()


def _after_fork() -> None:
    for connections in list(_alive):
        connections.forget_inherited()


os.register_at_fork(after_in_child=_after_fork)
