"""The owner's lock: who holds it may write to the store and move its log into it (checkpoints).

SQLite itself lets one connection write at a time, but who waits for it by `busy_timeout` polls, and starves for seconds
behind somebody who writes without a pause. The operating system queues those who wait for a `flock`, so the lock file
`<store>.lock` is locked before BEGIN IMMEDIATE and given back after COMMIT. The file stays when nobody holds the lock;
removing it would let two processes lock two files of one name.

A blocking `flock` knows no deadline. When the lock is taken, a helper thread waits for it; if the deadline passes
first, the helper gives the lock back as soon as it gets it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path

from kapelle.model.errors import StoreUnwritable

WAIT_S_MAX = 30.0


class OwnerLock:
    """The lock of one store object in one process. Not for several threads at once: its user has a lock for those."""

    def __init__(self, path: Path, wait_s_max: float = WAIT_S_MAX) -> None:
        self._path = path
        self._wait_s_max = wait_s_max
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock. StoreUnwritable, naming the holder, when it stays taken."""
        handle = self._open()
        if not self._try(handle):
            self._wait(handle)
        os.pwrite(handle, b"%-20d\n" % os.getpid(), 0)

    def try_acquire(self) -> bool:
        """Take the lock if it is free."""
        return self._try(self._open())

    def release(self) -> None:
        """Give the lock back. Safe when it is not held."""
        if self._handle is not None:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock and its file back. In a forked child this leaves the parent's lock alone."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> str:
        """The process that had the lock last, for messages."""
        try:
            text = self._path.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            text = ""
        return f"process {text}" if text.isdecimal() else "another process"

    def _open(self) -> int:
        if self._handle is None:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._handle

    def _try(self, handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        return True

    def _wait(self, handle: int) -> None:
        # Until it is known how the waiting ended, the handle is the helper's.
        self._handle = None
        if _Waiting(handle).for_s(self._wait_s_max):
            self._handle = handle
            return
        raise StoreUnwritable(
            f"the store {self._path.with_suffix('')} is held by somebody else",
            cause=f"{self.holder()} has its lock ({self._path}) for more than {self._wait_s_max:g} s",
            hint="look at that process; when it is stopped or hangs, end it, and nothing acknowledged is lost",
        )


class _Waiting:
    """A thread that waits in the queue of a lock, and somebody who waits for the thread, but not for ever."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._border = threading.Lock()
        self._given_up = False
        self._locked = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="kapelle-store-lock", daemon=True)

    def for_s(self, wait_s_max: float) -> bool:
        """Whether the lock was got in time."""
        self._thread.start()
        try:
            self._thread.join(wait_s_max)
        except BaseException:
            self._give_up()
            raise
        if self._error is not None:
            raise self._error
        return not self._give_up()

    def _give_up(self) -> bool:
        """Leave the handle to the helper, unless it has the lock; whether that was so."""
        with self._border:
            self._given_up = not self._locked
            return self._given_up

    def _run(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
            os.close(self._handle)
            return
        with self._border:
            if self._given_up:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
                os.close(self._handle)
            else:
                self._locked = True
