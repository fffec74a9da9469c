"""Fan-outs: over a list, over an iterator that cannot be read again, nested, and read in order of completion."""

import os
from collections.abc import Iterator

from tests.faults.flows.witness import seen, witnessed

from kapelle import as_completed, flow, task, unmapped


@task(interruptions=99)
def square(number: int, offset: int) -> int:
    with witnessed("square", number):
        return number * number + offset


@task(interruptions=99)
def use(number: int, token: str) -> tuple[int, str]:
    """`token` is drawn anew whenever the iterator is read: a replay must give the recorded one."""
    with witnessed("use", number, token):
        return number, token


@task(interruptions=99)
def row(number: int) -> int:
    return sum(square.map(range(number), offset=unmapped(1000 * number)).results())


@task(interruptions=99)
def total(numbers: list[int]) -> int:
    with witnessed("total"):
        return sum(numbers)


def tokens(count: int) -> Iterator[str]:
    for number in range(count):
        seen("drawn", "tokens", number)
        yield os.urandom(8).hex()


@flow
def fan_out() -> tuple[int, list[int], list[int], int]:
    squares = square.map(list(range(40)), offset=1)
    used = use.map(iter(range(30)), tokens(30)).results()
    assert len({token for _, token in used}) == 30
    rows = row.map([3, 5, 7]).results()
    first_come = sorted(future.result() for future in as_completed(square.map(range(10), offset=2)))
    return total(squares), [number for number, _ in used], rows, sum(first_come)
