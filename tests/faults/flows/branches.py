"""Branches of an async flow that race, differently in each life, and make calls without arguments."""

import asyncio
import os
import random

from tests.faults.flows.witness import witnessed

from kapelle import flow, task

_weather = random.Random(os.urandom(8))


async def moment() -> None:
    await asyncio.sleep(_weather.uniform(0.0, 0.012))


@task(interruptions=99)
async def token() -> str:
    with witnessed("token"):
        await moment()
        return os.urandom(8).hex()


@task(interruptions=99)
def slow_token() -> str:
    with witnessed("slow_token"):
        return os.urandom(8).hex()


@task(interruptions=99)
async def open_account(name: str, number: int, word: str) -> str:
    with witnessed("open_account", f"{name}{number}", word):
        await moment()
        return word


async def customer(name: str) -> set[str]:
    words = set()
    for number in range(4):
        await moment()
        word = await token() if number % 2 else await slow_token.aio()
        words.add(await open_account(name, number, word))
    return words


@flow
async def bank() -> int:
    gathered = await asyncio.gather(*(customer(name) for name in ("ann", "bob", "eve")))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(customer(name)) for name in ("joe", "kim", "lea")]
    submitted = [open_account.submit("sub", number, "word") for number in range(3)]
    for future in submitted:
        await future  # type: ignore[unused-coroutine]
    return len(set().union(*gathered, *(task.result() for task in tasks)))
