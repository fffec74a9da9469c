"""Tasks that do not come back when their time is over, because they stand in C code."""

import hashlib
import json
import time

from tests.faults.flows.witness import witnessed

from kapelle import TaskTimedOut, flow, task


@task
def before(number: int) -> int:
    with witnessed("before", number):
        return number


@task(timeout=0.3, grace=0.3)
def compute() -> str:
    """One call of C code that takes minutes and hears nothing."""
    with witnessed("compute"):
        return hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 1_000_000_000).hex()


@task(timeout=0.3, grace=0.3)
def sleep() -> str:
    """In a thread of the pool nothing wakes it; in the main thread a signal does."""
    with witnessed("sleep"):
        time.sleep(3600)
        return "awake"


@task(timeout=0.3, grace=0.3)
async def block() -> str:
    """Async code that stops its loop, so that nothing in the loop can stop it."""
    with witnessed("block"):
        time.sleep(3600)
        return "awake"


@task(isolation="process", timeout=0.3)
def compute_apart() -> str:
    with witnessed("compute_apart"):
        return hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 1_000_000_000).hex()


@task
def after(number: int) -> int:
    with witnessed("after", number):
        return number


def caught(call: object) -> str:
    try:
        return str(call())  # type: ignore[operator]
    except TaskTimedOut:
        return "timed out"


@flow
def in_main() -> list[object]:
    return [before(1), caught(compute), after(1)]


@flow
def in_pool() -> list[object]:
    first = before.submit(1)
    stuck = sleep.submit()
    return [first.result(), caught(stuck.result), after(1)]


@flow
async def in_loop() -> list[object]:
    values: list[object] = [before(1)]
    try:
        values.append(await block())
    except TaskTimedOut:
        values.append("timed out")
    return [*values, after(1)]


@flow
def in_loop_thread() -> list[object]:
    return [before(1), caught(block), after(1)]


@flow
def asleep_in_main() -> list[object]:
    return [before(1), caught(sleep), after(1)]


@flow
def apart() -> list[object]:
    return [before(1), caught(compute_apart), after(1)]


@flow
def fatal() -> str:
    before(1)
    return compute()


@flow
def first_flow() -> int:
    return before(100)


if __name__ == "__main__":
    print(json.dumps([first_flow(), in_main(), in_pool()]))
