"""Flows that the tests of the commands run. `KAPELLE_TEST_BAD` names the numbers that fail."""

import logging
import os
import time

from kapelle import flow, task

log = logging.getLogger("sample")


@task
def double(number: int) -> int:
    if str(number) in os.environ.get("KAPELLE_TEST_BAD", "").split(","):
        log.warning("%s looks odd", number)
        print("about to fail")
        raise ValueError(f"cannot double {number}")
    return 2 * number


@flow
def doubled(count: int = 3, label: str = "x") -> dict[str, int]:
    """Double some numbers."""
    print(f"doubling {count} numbers")
    return {label: sum(double.map(range(count)).results())}


@flow(timeout="50ms")
def too_slow() -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pass


@flow
def nothing() -> None:
    pass


@flow
def fragile(marker: str) -> int:
    """Its process dies at the first try, after one call that has ended."""
    first = double(20)
    if not os.path.exists(marker):
        with open(marker, "w"):
            os._exit(9)
    return first + double(1)
