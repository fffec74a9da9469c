"""Failures that the flow catches: what was done about them stays done, in every life."""

import threading

from tests.faults.flows.witness import seen, witnessed

from kapelle import TaskFailed, flow, task


class Declined(Exception):
    """Defined in the script, with arguments of its own."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number = number


class Unpicklable(Exception):
    """Holds what no other process can have, and wants arguments that it does not keep."""

    def __init__(self, number: int, *, lock: object) -> None:
        super().__init__(f"no {number}")
        self.lock = lock


@task(interruptions=99)
def primary(number: int) -> str:
    """Its answer is another one in each process, as with a service that comes and goes."""
    with witnessed("primary", number):
        if threading.get_native_id() % 3 == 0:
            return "primary"
        if number % 2:
            raise Declined(number, "no money")
        raise Unpicklable(number, lock=threading.Lock())


@task(interruptions=99)
def publish(number: int, way: str) -> str:
    with witnessed("publish", number, way):
        return way


@flow
def shop() -> int:
    for number in range(30):
        try:
            way = primary(number)
        except Declined as error:
            way = "fallback" if error.number == number else "wrong"
        except TaskFailed:
            way = "stand-in"
        publish(number, way)
    seen("reached", "end")
    return 30
