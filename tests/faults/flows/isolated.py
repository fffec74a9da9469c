"""Tasks in processes of their own."""

from tests.faults.flows.witness import witnessed

from kapelle import flow, task


@task(interruptions=99, isolation="process")
def apart(number: int, before: int) -> int:
    with witnessed("apart", number):
        return number + 2 * before


@flow
def isolated() -> tuple[int, list[int]]:
    value = 0
    for number in range(6):
        value = apart(number, value)
    return value, apart.map([10, 11, 12], 1).results()
