"""Tasks that fail a few times before they succeed."""

import os

from tests.faults.flows.witness import witnessed

from kapelle import TemporaryError, current_task, flow, task

PAUSE_S = float(os.environ.get("FAULTS_PAUSE_S", "0.02"))


@task(interruptions=99, retries=5, retry_delay=[0.02])
def flaky(number: int) -> int:
    with witnessed("flaky", number):
        if current_task().attempt <= number % 4:
            raise TemporaryError(f"not yet: {number}")
        return 100 * number + current_task().attempt


@task(interruptions=99, retries=3, retry_delay=[PAUSE_S])
async def flaky_async(number: int) -> int:
    with witnessed("flaky_async", number):
        if current_task().attempt <= 2:
            raise ConnectionError(number)
        return current_task().attempt


@task(interruptions=99, retries=2, retry_delay=[PAUSE_S])
def once_more() -> int:
    with witnessed("once_more"):
        if current_task().attempt == 1:
            raise OSError("again")
        return current_task().attempt


@flow
def persistent() -> list[int]:
    values = [flaky(number) for number in range(8)]
    values += [flaky_async(number) for number in range(3)]  # type: ignore[misc]
    return [*values, *flaky.map(list(range(10, 18))).results()]


@flow
def patient() -> int:
    return once_more()
