"""The witness: what tasks write about themselves into a file that Kapelle knows nothing of.

A line is written, and on the disk, before `seen` returns: what the file says has happened, whoever dies afterwards. A
doorbell beside it (a named pipe) tells the test that there is something new to read.

FAULTS_WITNESS  the file
FAULTS_LIFE     the number of this process among those that carried the run on
FAULTS_LEASH    lines that this process may write; who wants to write one more waits there to be killed
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kapelle import KapelleError, current_task

_written = itertools.count(1)


def seen(phase: str, task: str, *args: Any) -> None:
    """Write down that `task` has come so far with these arguments."""
    path = os.environ.get("FAULTS_WITNESS")
    if not path:
        return
    if next(_written) > int(os.environ.get("FAULTS_LEASH") or 1 << 60):
        while True:
            time.sleep(3600)
    life = int(os.environ.get("FAULTS_LIFE") or 0)
    line = json.dumps([life, time.time_ns() // 1000, phase, task, list(args), *_call()]).encode() + b"\n"
    with _appended(path) as file:
        os.write(file, line)
        os.fsync(file)
    _ring(f"{path}.bell")


@contextmanager
def witnessed(task: str, *args: Any) -> Iterator[None]:
    """A block of a task, from "start" to "end"; what leaves it by an exception has "failed"."""
    seen("start", task, *args)
    try:
        yield
    except BaseException:
        seen("failed", task, *args)
        raise
    seen("end", task, *args)


def _call() -> tuple[str, int, str]:
    try:
        info = current_task()
    except KapelleError:
        return "", 0, ""
    return info.id, info.attempt, info.idempotency_key


@contextmanager
def _appended(path: str) -> Iterator[int]:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _ring(path: str) -> None:
    try:
        bell = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(bell, b".")
    except OSError:
        pass
    finally:
        os.close(bell)
