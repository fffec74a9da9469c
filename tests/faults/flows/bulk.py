"""Results that fill a disk."""

import os
import time
from pathlib import Path

from tests.faults.flows.witness import witnessed

from kapelle import flow, task


@task(interruptions=99)
def page(number: int) -> str:
    with witnessed("page", number):
        return os.urandom(2000).hex()


@task(interruptions=99)
def wait(path: str) -> None:
    with witnessed("wait"):
        while path and not Path(path).exists():
            time.sleep(0.01)


@flow
def bulk() -> int:
    size = 0
    for number in range(int(os.environ.get("FAULTS_CALLS", "300"))):
        size += len(page(number))
    wait(os.environ.get("FAULTS_GATE", ""))
    return size
