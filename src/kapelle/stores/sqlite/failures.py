"""What went wrong in SQLite or its file, as one of our errors with a cause and a remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from kapelle.model.errors import StoreError, StoreUnwritable

_FULL = "make room on the disk that it lies on and try again; everything acknowledged before is kept"
_RIGHTS = "check that its folder and its files belong to you and that the disk is not mounted read-only"
_DAMAGED = "put a backup in its place (`*.backup` beside it), or name another store"

_REMEDIES: tuple[tuple[type[apsw.Error], str, str], ...] = (
    (apsw.FullError, "the disk is full", _FULL),
    (apsw.NotADBError, "the file is not a database", "name another file; this one was left as it is"),
    (apsw.CorruptError, "the file is damaged", _DAMAGED),
    (apsw.ReadOnlyError, "it is read-only", _RIGHTS),
    (apsw.PermissionsError, "its access rights forbid it", _RIGHTS),
    (apsw.AuthError, "its access rights forbid it", _RIGHTS),
    (apsw.CantOpenError, "its files cannot be opened", _RIGHTS),
    (apsw.BusyError, "another program holds the database", "close the program that has the file open (an SQL shell?)"),
    (apsw.LockedError, "another program holds the database", "close the program that has the file open"),
    (apsw.IOError, "reading or writing the disk failed", "check the disk, and the room that is left on it"),
    (apsw.NoMemError, "there is no memory left", "close other programs"),
)


def is_fatal(error: BaseException) -> bool:
    """Whether a connection that raised this should not be used again."""
    return isinstance(error, (apsw.IOError, apsw.CorruptError, apsw.NotADBError, apsw.NoMemError))


def translated(path: Path, error: apsw.Error) -> StoreError:
    """An error of SQLite as one of ours."""
    for kind, cause, hint in _REMEDIES:
        if isinstance(error, kind):
            return StoreUnwritable(f"the store {path} cannot be used", cause=f"{cause} ({error})", hint=hint)
    return StoreError(f"the store {path} refused a statement", cause=f"{type(error).__name__}: {error}")


def from_os(path: Path, error: OSError) -> StoreUnwritable:
    """An error of the operating system around the store's files as one of ours."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return StoreUnwritable(
        f"the store {path} cannot be written",
        cause=f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""),
        hint=_FULL if full else _RIGHTS,
    )


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Around everything that touches the store's files: only our errors come out."""
    try:
        yield
    except apsw.Error as error:
        raise translated(path, error) from error
    except OSError as error:
        raise from_os(path, error) from error
