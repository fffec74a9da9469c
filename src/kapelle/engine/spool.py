"""The spool: the file to which a run process writes its journal before it goes on.

A line is copied into a shared mapping of the file, that is, into the operating system's pages of it: the death of this
process, by whatever signal, loses nothing that was copied. No system call is made, so no other thread gets in between
(a `write(2)` a line gives up the interpreter's lock each time; with eight threads that costs ten times the write).

The newline of a line is stored after all of its other bytes. What a death leaves behind the last newline was never
written; behind that the file is filled with zeros up to its allocated size. Room is allocated before it is written to,
so a full disk is an error here and never a signal.
"""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path

from kapelle.model.errors import SpoolFull

FIRST_BYTES = 1 << 16
GROWTH_BYTES_MAX = 1 << 22
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NEWLINE = 10


class Spool:
    """An append-only file of lines. The caller serialises its writes.

    A file that is there already is taken up behind its last whole line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.offset = _end_of_lines(self._fd)
        os.ftruncate(self._fd, self.offset)
        self._size = 0
        self._map: mmap.mmap | None = None

    def write(self, line: bytes) -> None:
        """Append one line, given without its newline.

        Raises SpoolFull when the disk takes no more; nothing of the line is in the file then.
        """
        offset = self.offset
        end = offset + len(line)
        if end >= self._size:
            self._grow(end + 1)
        mapped = self._map
        mapped[offset:end] = line  # type: ignore[index]
        mapped[end] = _NEWLINE  # type: ignore[index]
        self.offset = end + 1

    def _grow(self, needed: int) -> None:
        """Allocate room for at least `needed` bytes, and map it."""
        if self._fd < 0:
            raise ValueError("the spool is closed")
        size = max(FIRST_BYTES, min(self._size * 2, self._size + GROWTH_BYTES_MAX), needed)
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        try:
            _allocate(self._fd, self._size, size)
            grown = mmap.mmap(self._fd, size)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise SpoolFull(
                "no room to write down what the run does",
                cause=os.strerror(error.errno),
                where=str(self.path),
                hint="make room on the disk, then `kapelle resume @last`; everything up to here is kept",
            ) from error
        if self._map is not None:
            self._map.close()
        self._map, self._size = grown, size

    def close(self) -> None:
        """Give back the file, cut to what was written."""
        if self._fd < 0:
            return
        if self._map is not None:
            self._map.close()
            self._map, self._size = None, 0
        os.ftruncate(self._fd, self.offset)
        os.close(self._fd)
        self._fd = -1


def _allocate(fd: int, before: int, size: int) -> None:
    """See that the file has blocks on the disk from `before` to `size`."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, before, size - before)
        return
    position = before
    zeros = bytes(1 << 16)
    while position < size:
        position += os.pwrite(fd, zeros[: size - position], position)


def _end_of_lines(fd: int) -> int:
    """Where the last whole line ends."""
    position = os.fstat(fd).st_size
    while position > 0:
        start = max(0, position - FIRST_BYTES)
        newline = os.pread(fd, position - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        position = start
    return 0
