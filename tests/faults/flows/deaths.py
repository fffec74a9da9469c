"""A task that kills its own process."""

import os
import signal

from tests.faults.flows.witness import witnessed

from kapelle import TaskCrashed, flow, task


@task
def harmless(number: int) -> int:
    with witnessed("harmless", number):
        return number


@task(interruptions=1)
def deadly() -> str:
    with witnessed("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
        return "alive"


@task(isolation="process", retries=1, retry_delay=0)
def deadly_apart() -> str:
    with witnessed("deadly_apart"):
        os.kill(os.getpid(), signal.SIGSEGV)
        return "alive"


@flow
def careless() -> str:
    harmless(1)
    return deadly()


@flow
def careful() -> str:
    harmless(1)
    try:
        return deadly()
    except TaskCrashed as error:
        harmless(2)
        return f"crashed: {error.what}"


@flow
def fenced() -> str:
    harmless(1)
    try:
        return deadly_apart()
    except TaskCrashed as error:
        return error.cause
