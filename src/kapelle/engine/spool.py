"""The spool: the file to which a run process writes its journal before it goes on.

One `write(2)` a line, straight to the operating system: what was written survives the death of the process, whatever
kills it. A line is whole only with its newline; a torn tail counts as never written.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from kapelle.model.errors import SpoolFull

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Spool:
    """An append-only file of lines. The caller serialises its writes.

    A file that is there already is taken up behind its last whole line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.offset = _end_of_lines(self._fd)
        os.ftruncate(self._fd, self.offset)
        os.lseek(self._fd, self.offset, os.SEEK_SET)

    def write(self, line: bytes) -> None:
        """Append one line (or several) that ends with a newline.

        Raises SpoolFull when the disk takes no more; nothing of the line is left in the file then.
        """
        try:
            written = os.write(self._fd, line)
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError as error:
            self._take_back()
            if error.errno in _NO_ROOM:
                raise SpoolFull(
                    "no room to write down what the run does",
                    cause=f"{os.strerror(error.errno or 0)}",
                    where=str(self.path),
                    hint="make room on the disk, then `kapelle resume @last`; everything up to here is kept",
                ) from error
            raise
        self.offset += len(line)

    def _take_back(self) -> None:
        """Remove a torn line, so that the next one does not grow together with it."""
        try:
            os.ftruncate(self._fd, self.offset)
            os.lseek(self._fd, self.offset, os.SEEK_SET)
        except OSError:
            pass  # readers leave a torn tail out anyway

    def close(self) -> None:
        """Give back the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _end_of_lines(fd: int) -> int:
    size = os.fstat(fd).st_size
    position = size
    while position > 0:
        start = max(0, position - 65536)
        block = os.pread(fd, position - start, start)
        newline = block.rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        position = start
    return 0
