"""A flow that dies after so many calls, and notes when the first new call of its next life begins.

Every execution of a task puts one byte into the witness file, so that what ran twice is seen from outside.
"""

from __future__ import annotations

import os
import signal
import time

from kapelle import flow, task

witness = os.open(os.environ["BENCH_WITNESS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@task
def step(x: int) -> int:
    os.write(witness, b".")
    return x + 1


@task
def last(x: int) -> float:
    return time.time()


@flow
def killed(calls: int) -> float:
    x = 0
    for _ in range(calls):
        x = step(x)
    if "BENCH_KILL" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return last(x)
