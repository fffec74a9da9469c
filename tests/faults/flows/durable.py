"""Steps, time and chance, resources, outside effects, and arguments that a task changes."""

import os
import random
from typing import Any

from tests.faults.flows.witness import seen, witnessed

from kapelle import current_task, flow, resource, run, step, task


def draw(number: int) -> str:
    seen("start", "draw", number)
    return os.urandom(4).hex()


@task(interruptions=99)
def note(number: int, *drawn: Any) -> int:
    with witnessed("note", number, *map(str, drawn)):
        return number


@task(interruptions=99, effects="external")
def charge(number: int) -> str:
    with witnessed("charge", number):
        return current_task().idempotency_key


def create(name: str) -> str:
    seen("start", "create", name)
    return f"{name}-{os.urandom(4).hex()}"


def remove(thing: str) -> None:
    with witnessed("remove", thing.partition("-")[0], thing):
        pass


@task(interruptions=99, mutates=("model",))
def fit(model: dict[str, list[int]], number: int) -> int:
    with witnessed("fit", number):
        model["seen"].append(number)
        return number


@task(interruptions=99)
def score(model: dict[str, list[int]]) -> int:
    with witnessed("score", len(model["seen"])):
        return sum(model["seen"])


@flow
def durable() -> tuple[int, int]:
    model: dict[str, list[int]] = {"seen": []}
    keys = set()
    scores = 0
    for number in range(8):
        chance: random.Random = run.random()
        note(number, step(draw, number), run.now(), run.uuid(), chance.random(), chance.random())
        keys.add(charge(number))
        with resource(create, f"outer{number}", cleanup=remove) as outer:
            note(100 + number, outer)
            with resource(create, f"inner{number}", cleanup=remove) as inner:
                fit(model, number)
                note(200 + number, inner, outer)
        scores += score(model)
    return len(keys), scores
