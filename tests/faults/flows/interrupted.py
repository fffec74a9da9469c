"""Flows that are stopped by hand while they hold something that has to be given back."""

import asyncio
import subprocess
import sys
import time

from tests.faults.flows.witness import seen, witnessed

from kapelle import flow, resource, task


def create() -> str:
    seen("start", "create")
    return "thing"


def remove(thing: str) -> None:
    with witnessed("remove", thing):
        pass


@task
def linger() -> None:
    try:
        with witnessed("linger"):
            time.sleep(3600)
    finally:
        seen("finally", "linger")


@task
async def linger_async(number: int) -> None:
    try:
        with witnessed("linger", number):
            await asyncio.sleep(3600)
    finally:
        seen("finally", "linger", number)


@task
def busy(number: int) -> None:
    """Python code in a thread of the pool."""
    try:
        with witnessed("linger", number):
            while True:
                time.sleep(0.01)
    finally:
        seen("finally", "linger", number)


@task(isolation="process")
def apart() -> None:
    """With a process of its own that it starts."""
    with witnessed("linger"):
        subprocess.run([sys.executable, "-c", "import time; time.sleep(3600)"], check=False)


@task
def stubborn() -> None:
    """Takes its time to clean up."""
    try:
        with witnessed("stubborn"):
            time.sleep(3600)
    finally:
        seen("finally", "stubborn")
        time.sleep(3600)


@task
def never() -> None:
    seen("start", "never")


@flow
def in_sequence() -> None:
    with resource(create, cleanup=remove):
        try:
            linger()
        finally:
            seen("finally", "flow")
    never()


@flow
async def in_branches() -> None:
    async with resource(create, cleanup=remove):  # type: ignore[attr-defined]
        try:
            await asyncio.gather(linger_async(1), linger_async(2))
        finally:
            seen("finally", "flow")
    never()


@flow
def in_threads() -> None:
    with resource(create, cleanup=remove):
        try:
            busy.map([1, 2, 3]).results()
        finally:
            seen("finally", "flow")
    never()


@flow
def in_process() -> None:
    with resource(create, cleanup=remove):
        try:
            apart()
        finally:
            seen("finally", "flow")
    never()


@flow
def without_end() -> None:
    stubborn()
    never()


if __name__ == "__main__":
    in_sequence()
