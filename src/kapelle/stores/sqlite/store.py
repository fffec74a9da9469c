"""The SQLite store: opening its file, and its transactions."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from kapelle.model.errors import StoreError, StoreUnwritable
from kapelle.ports.clock import Clock
from kapelle.ports.storage.store import Transaction
from kapelle.stores.refusals import nested_write
from kapelle.stores.sqlite import mounts, schema
from kapelle.stores.sqlite.cache import SqliteCache
from kapelle.stores.sqlite.connections import Connections, connect
from kapelle.stores.sqlite.failures import is_fatal, translated, translating
from kapelle.stores.sqlite.journal import SqliteJournal
from kapelle.stores.sqlite.listings import SqliteListings
from kapelle.stores.sqlite.lock import WAIT_S_MAX
from kapelle.stores.sqlite.output import SqliteOutput
from kapelle.stores.sqlite.runs import SqliteRuns
from kapelle.stores.sqlite.session import Session

_SQLITE_SOUND = (3, 51, 3)
"""Before this, SQLite could restart its log while another connection was still reading it, and lose pages."""

_HEAD = b"SQLite format 3\x00"


class SqliteTransaction:
    """The domains over one session."""

    def __init__(self, session: Session) -> None:
        self.runs = SqliteRuns(session)
        self.journal = SqliteJournal(session)
        self.output = SqliteOutput(session)
        self.cache = SqliteCache(session)
        self.listings = SqliteListings(session)


class SqliteStore:
    """A store in the file `path`, which is made when it is first used, with its folder.

    Several processes and threads may use one file, each process through an object of its own. `backup_dir` is where
    the file is copied to before a migration (None: beside it).
    """

    def __init__(self, path: str | os.PathLike[str], clock: Clock, backup_dir: Path | None = None) -> None:
        self.path = Path(path).absolute()
        self._clock = clock
        self._backup_dir = self.path.parent if backup_dir is None else Path(backup_dir)
        self._open = Connections(self.path, self.path.with_name(self.path.name + ".lock"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful about where the file lies, for people."""
        found = []
        if kind := mounts.network_file_system(self.path):
            found.append(f"{self.path} lies on a network file system ({kind}), whose locks cannot be relied on")
        if tuple(map(int, apsw.sqlite_lib_version().split("."))) < _SQLITE_SOUND:
            found.append(
                f"SQLite {apsw.sqlite_lib_version()} can lose pages when several connections write; install the apsw "
                "wheel, which brings a sound one"
            )
        return tuple(found)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may write. It waits for the owner's lock with its first statement, not before."""
        handles = self._handles()
        me = threading.get_ident()
        if me in handles.writer_threads:
            raise nested_write()
        handles.writer_threads.add(me)
        held: list[apsw.Connection] = []

        def begin() -> apsw.Connection:
            held.append(self._begin(handles))
            return held[0]

        session = Session(self.path, begin, writable=True)
        try:
            yield SqliteTransaction(session)
            session.require_open()
            session.close()
            if held:
                self._commit(held[0])
        except BaseException as error:
            session.close()
            if held and session.is_ours():
                self._roll_back(handles, held[0], error)
            if isinstance(error, apsw.Error):
                raise translated(self.path, error) from error
            raise
        finally:
            handles.writer_threads.discard(me)
            if held and session.is_ours():
                self._release(handles)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent view, of the moment of its first statement. It waits for nobody who writes."""
        handles = self._handles()
        held: list[apsw.Connection] = []

        def begin() -> apsw.Connection:
            self._prepare(handles)
            with translating(self.path):
                held.append(handles.take_reader())
                held[0].execute("BEGIN").fetchall()
            return held[0]

        session = Session(self.path, begin, writable=False)
        try:
            yield SqliteTransaction(session)
        finally:
            session.close()
            if held and session.is_ours():
                self._end_reading(handles, held[0])

    def close(self) -> None:
        """Move the log into the file if nobody else is busy with it, and close everything."""
        handles = self._handles()
        if threading.get_ident() in handles.writer_threads:
            raise nested_write()
        with handles.writing:
            try:
                if handles.has_writer() and handles.owner.try_acquire():
                    handles.writer().set_busy_timeout(0)
                    handles.writer().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except (apsw.Error, OSError):
                # The log is as durable as the file; whoever opens the store next reads it.
                pass
            finally:
                handles.close()

    def _handles(self) -> Connections:
        self._open.forget_inherited()
        return self._open

    def _begin(self, handles: Connections) -> apsw.Connection:
        """Take both locks and begin. What was taken is given back when that fails."""
        if not handles.writing.acquire(timeout=WAIT_S_MAX):
            raise StoreUnwritable(
                f"the store {self.path} is held by another thread of this process",
                cause=f"it has been writing for more than {WAIT_S_MAX:g} s",
                hint="keep transactions short: nothing slow belongs inside `with store.write()`",
            )
        try:
            with translating(self.path):
                self._prepare(handles, writing=True)
                handles.owner.acquire()
                connection = handles.writer()
                connection.execute("BEGIN IMMEDIATE").fetchall()
                schema.require_known(connection, self.path)
            return connection
        except BaseException as error:
            if handles.has_writer():
                self._roll_back(handles, handles.writer(), error)
            self._release(handles)
            raise

    def _commit(self, connection: apsw.Connection) -> None:
        connection.execute("COMMIT").fetchall()

    def _roll_back(self, handles: Connections, connection: apsw.Connection, error: BaseException) -> None:
        """Forget the transaction. A connection that cannot even do that is closed, which forgets it too."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK").fetchall()
            if is_fatal(error.__cause__ or error):
                handles.drop_writer()
        except apsw.Error:
            handles.drop_writer()

    def _release(self, handles: Connections) -> None:
        try:
            handles.owner.release()
        finally:
            handles.writing.release()

    def _end_reading(self, handles: Connections, reader: apsw.Connection) -> None:
        try:
            if reader.in_transaction:
                reader.execute("ROLLBACK").fetchall()
        except apsw.Error:
            handles.drop_reader(reader)
        else:
            handles.give_back(reader)

    def _prepare(self, handles: Connections, *, writing: bool = False) -> None:
        """Make the file if it is not there, and bring it to our schema; once in a process."""
        # Who reads inside a writing transaction of its own has the file open, and must not wait for itself.
        inside_write = not writing and threading.get_ident() in handles.writer_threads
        if handles.ready and (inside_write or not handles.is_gone()):
            return
        if not writing:
            with handles.writing:
                self._prepare(handles, writing=True)
            return
        handles.close()
        with translating(self.path):
            self._make_file()
            connection = connect(self.path)
            try:
                if not schema.is_current(connection, self.path):
                    handles.owner.acquire()
                    schema.migrate(connection, self.path, self._backup_dir, self._clock.now_us())
            finally:
                handles.owner.release()
                connection.close()
            handles.opened()

    def _make_file(self) -> None:
        if self.path.is_dir():
            raise StoreError(f"{self.path} is a folder", hint="name a file in it")
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # SQLite takes a very short file for an empty one, and would write over what somebody has there.
            if (head := os.pread(handle, len(_HEAD), 0)) and head != _HEAD:
                raise apsw.NotADBError("it does not begin as one")
        finally:
            os.close(handle)
