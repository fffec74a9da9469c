"""Imported by Python before anything else where this folder is on PYTHONPATH: arms a process to die at one journal line.

FAULTS_DIE_AT    number of the write to a journal spool, 1 for the first, at which the process kills itself
FAULTS_DIE_HOW   "after" it is written, or in the middle of it ("torn")

What dies is the process as it is, by SIGKILL: no line of Kapelle's runs after that write.
"""

import os
import signal
from typing import Any

_write = os.write
_count = 0


def _is_journal(file: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{file}").endswith(".journal")
    except OSError:
        return False


def _counted(file: int, data: Any, /) -> int:
    global _count
    if not _is_journal(file):
        return _write(file, data)
    _count += 1
    if _count != int(os.environ["FAULTS_DIE_AT"]):
        return _write(file, data)
    torn = os.environ.get("FAULTS_DIE_HOW") == "torn"
    _write(file, data[: len(data) // 2] if torn else data)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


if os.environ.get("FAULTS_DIE_AT"):
    os.write = _counted
