"""Imported by Python before anything else where this folder is on PYTHONPATH: has a process die at one journal line.

FAULTS_DIE_AT    number of the write to a journal spool, 1 for the first, behind which the process kills itself

What dies is the process as it is, by SIGKILL: no line of Kapelle's runs after that write.
"""

import os
import signal
from typing import Any

from kapelle.engine.spool import Spool

_write = Spool.write
_count = 0


def _counted(spool: Spool, *line: Any) -> None:
    global _count
    _write(spool, *line)
    if spool.path.suffix == ".journal":
        _count += 1
        if _count == int(os.environ["FAULTS_DIE_AT"]):
            os.kill(os.getpid(), signal.SIGKILL)


if os.environ.get("FAULTS_DIE_AT"):
    Spool.write = _counted  # type: ignore[method-assign, assignment]
