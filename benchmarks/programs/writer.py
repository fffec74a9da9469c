"""One of several scripts that write into one home: begins when it is told, says how fast it was and what it waited."""

from __future__ import annotations

import json
import sys
import time

from kapelle import flow, task
from kapelle.supervisor.shipping import Shipper

waits: list[float] = []
steps: list[float] = []


@task
def step(x: int) -> int:
    return x + 1


@flow
def writer(calls: int) -> int:
    x = 0
    before = time.perf_counter()
    for _ in range(calls):
        x = step(x)
        now = time.perf_counter()
        steps.append(now - before)
        before = now
    return x


def watch() -> None:
    """Note how long the store takes for each piece, waiting for the others included."""
    ship = Shipper.ship

    def timed(self: Shipper) -> int:
        begin = time.perf_counter()
        more = ship(self)
        waits.append(time.perf_counter() - begin)
        return more

    Shipper.ship = timed  # type: ignore[method-assign]


if __name__ == "__main__":
    watch()
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.time()
    writer(int(sys.argv[1]))
    print(json.dumps({"begin": begin, "end": time.time(), "ship_s": max(waits), "step_s": max(steps)}))
