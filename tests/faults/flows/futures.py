"""Submitted calls that wait for one another, with every kind of rule, and some that fail or are skipped."""

import os
import random
import time
from typing import Any

from tests.faults.flows.witness import witnessed

from kapelle import Outcome, Skip, flow, parallel, task

_weather = random.Random(os.urandom(8))


@task(interruptions=99)
def make(number: int) -> int:
    with witnessed("make", number):
        time.sleep(_weather.uniform(0.0, 0.01))
        return number


@task(interruptions=99, allow_failure=True)
def break_down(number: int) -> int:
    with witnessed("break_down", number):
        raise ValueError(number)


@task(interruptions=99)
def sit_out() -> None:
    with witnessed("sit_out"):
        raise Skip("not today")


@task(interruptions=99)
def add(numbers: list[int], more: dict[str, int]) -> int:
    with witnessed("add"):
        return sum(numbers) + sum(more.values())


@task(interruptions=99, when="all_done")
def count(outcomes: list[Outcome[Any]]) -> list[str]:
    with witnessed("count"):
        return [outcome.state.value for outcome in outcomes]


@task(interruptions=99, when="one_failed")
def alarm(outcomes: list[Outcome[Any]]) -> str:
    with witnessed("alarm"):
        return "rung"


@task(interruptions=99, when="one_success")
def first(outcomes: list[Outcome[Any]]) -> str:
    with witnessed("first"):
        return "one came"


@task(interruptions=99, when="none_failed", allow_failure=True)
def proud(outcomes: list[Outcome[Any]]) -> str:
    with witnessed("proud"):
        return "no failure"


@flow
def dependent() -> list[Any]:
    made = [make.submit(number) for number in range(8)]
    broken, absent = break_down.submit(1), sit_out.submit()
    everything = [*made, broken, absent]
    counted, rung, came = count.submit(everything), alarm.submit(everything), first.submit(everything)
    not_reached = proud.submit(everything)
    added = add.submit(made[:4], {"a": made[4], "b": made[5]})
    then = add.submit([added, made[6]], {"c": made[7]})
    with parallel():
        for number in range(20, 26):
            make(number)
    skipped = [absent.outcome().state.value, not_reached.outcome().state.value]
    return [counted.result(), rung.result(), came.result(), then.result(), skipped]
