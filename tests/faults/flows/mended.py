"""A flow that fails in its middle until somebody has mended what it needs."""

import os
from pathlib import Path

from tests.faults.flows.witness import witnessed

from kapelle import flow, task


@task(interruptions=99)
def work(number: int) -> int:
    with witnessed("work", number):
        return number


@task(interruptions=99)
def fragile() -> str:
    with witnessed("fragile"):
        if not Path(os.environ["FAULTS_MENDED"]).exists():
            raise RuntimeError("broken")
        return "mended"


@flow
def mended() -> tuple[int, str]:
    before = sum(work(number) for number in range(10))
    word = fragile()
    return before + sum(work(number) for number in range(10, 20)), word
