"""Blobs as files: `root/<project>/<first two digits>/<digest>`.

A file appears under its digest only when all of its bytes are on the disk: it is written under a temporary name in the
same folder, flushed, renamed, and the folder flushed. Two writers of the same bytes do no harm, the second rename
replaces the file by an equal one. What is read is checked against its digest, so a damaged file is never handed out;
`put` of the same bytes heals it. Temporary files that a killed process left behind are taken away by `sweep`.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import threading
from pathlib import Path

from kapelle.model.errors import NotFound, StoreError, StoreUnwritable, ValueRefused

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-")
_TEMPORARY = ".new-"
_NAME_BYTES_MAX = 200
_COMPARE_BYTES = 1 << 20
_DAY_US = 86_400_000_000
_numbers = itertools.count()


def folder_name(project: str) -> str:
    """A project's name as the name of a folder: never ".", "..", a path, or two names for one folder.

    All but small letters, digits, "_" and "-" is escaped, capitals too, as there are disks that do not tell them apart.
    """
    raw = project.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in raw)
    if not name or len(name) > _NAME_BYTES_MAX:
        return f"%%{hashlib.sha256(raw).hexdigest()}"
    return name


class FileBlobs:
    """Bytes in files below a folder of our own."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = Path(root)

    def put(self, project: str, data: bytes) -> str:
        """Keep the bytes; returns their digest. When it returns, they survive a loss of power."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(project, digest)
        try:
            self._make_folder(path.parent)
            if not _holds(path, data):
                _write(path, data)
            _flush_folder(path.parent)
        except OSError as error:
            raise _unwritable(self._root, error) from error
        return digest

    def get(self, project: str, digest: str) -> bytes:
        """The bytes of this digest, checked."""
        if _DIGEST.fullmatch(digest) is None:
            raise _not_there(project, digest)
        path = self._path(project, digest)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise _not_there(project, digest) from None
        except OSError as error:
            raise StoreError(f"a stored value cannot be read: {path}", cause=str(error)) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueRefused(
                f"a stored value is damaged: {path}",
                cause=f"its {len(data)} bytes are not the ones that were stored",
                hint="check the disk; running the task again writes the file anew",
            )
        return data

    def has(self, project: str, digest: str) -> bool:
        """Whether the bytes are there."""
        return _DIGEST.fullmatch(digest) is not None and self._path(project, digest).is_file()

    def delete(self, project: str, digest: str) -> None:
        """Forget the bytes, if they are there."""
        if _DIGEST.fullmatch(digest) is None:
            return
        try:
            self._path(project, digest).unlink(missing_ok=True)
        except NotADirectoryError:
            pass
        except OSError as error:
            raise _unwritable(self._root, error) from error

    def sweep(self, now_us: int, older_than_us: int = _DAY_US) -> int:
        """Take away temporary files that nobody has written to for a day; returns how many."""
        removed = 0
        for path in self._root.glob(f"*/*/{_TEMPORARY}*"):
            try:
                if path.stat().st_mtime_ns // 1000 + older_than_us < now_us:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unwritable(self._root, error) from error
        return removed

    def _path(self, project: str, digest: str) -> Path:
        return self._root / folder_name(project) / digest[:2] / digest

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        missing = [folder]
        while not missing[-1].parent.exists():
            missing.append(missing[-1].parent)
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            # A folder whose name is not on the disk takes its files with it, however well those were flushed.
            _flush_folder(path.parent)


def _write(path: Path, data: bytes) -> None:
    temporary, handle = _new_file(path.parent)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _new_file(folder: Path) -> tuple[Path, int]:
    while True:
        name = f"{_TEMPORARY}{os.getpid()}-{threading.get_ident()}-{next(_numbers)}"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            return folder / name, os.open(folder / name, flags, 0o600)
        except FileExistsError:
            # Left behind by a dead process of the same number; the sweep will have it.
            continue


def _holds(path: Path, data: bytes) -> bool:
    """Whether the file has exactly these bytes: comparing costs less than the digest did, and heals damaged files."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != len(data):
                return False
            rest = memoryview(data)
            while piece := file.read(_COMPARE_BYTES):
                if piece != rest[: len(piece)]:
                    return False
                rest = rest[len(piece) :]
            return not rest
    except OSError:
        return False


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot flush a folder and say so; on those the rename is as durable as it gets.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _not_there(project: str, digest: str) -> NotFound:
    return NotFound(f"there is no value {digest!r} in project {project!r}")


def _unwritable(root: Path, error: OSError) -> StoreUnwritable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        hint = "make room on this disk and go on; nothing was kept in part"
    else:
        hint = "check that the folder exists, is a folder, and may be written by you"
    return StoreUnwritable(f"values cannot be kept in {root}", cause=error.strerror or str(error), hint=hint)
