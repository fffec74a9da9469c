"""A flow that waits in its middle until a file is there, so that a test can look at it while it is alive."""

import os
import time
from pathlib import Path

from tests.faults.flows.witness import seen, witnessed

from kapelle import flow, task


@task
def work(number: int) -> int:
    with witnessed("work", number):
        print(f"worked on {number}")
        return number


@task(interruptions=99)
def wait(path: str) -> str:
    with witnessed("wait"):
        while not Path(path).exists():
            time.sleep(0.01)
        return "open"


@flow
def gate() -> tuple[int, str]:
    before = sum(work(number) for number in range(5))
    word = wait(os.environ["FAULTS_GATE"])
    after = sum(work(number) for number in range(5, 10))
    seen("reached", "end")
    return before + after, word


if __name__ == "__main__":
    print(gate())
