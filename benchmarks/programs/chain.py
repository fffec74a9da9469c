"""A sync chain. Says how long a call took, what it cost in memory, and how late the store had its end."""

from __future__ import annotations

import json
import resource
import sys
import time
from bisect import bisect_left
from itertools import pairwise

from benchmarks.rows import at
from kapelle import flow, task
from kapelle.model.access import Scope
from kapelle.supervisor.shipping import Shipper
from kapelle.wiring.local import open_home

WARM = 2000
EACH = 50
"""Every so manieth call is looked at for the time until the store has it."""

ended: list[float] = []
shipped: list[tuple[int, float]] = []
said: dict[str, float] = {}


@task
def step(x: int) -> int:
    return x + 1


@flow
def chain(calls: int) -> int:
    x = 0
    for _ in range(WARM):
        x = step(x)
    clock = time.perf_counter
    before = peak_bytes()
    cpu, begin = time.thread_time(), clock()
    for _ in range(calls // EACH):
        for _ in range(EACH):
            x = step(x)
        ended.append(clock())
    said["us"] = (clock() - begin) / calls * 1e6
    said["cpu_us"] = (time.thread_time() - cpu) / calls * 1e6
    said["memory_bytes"] = (peak_bytes() - before) / calls
    return x


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def watch() -> None:
    """Note when the store has acknowledged how much of the journal."""
    ship = Shipper.ship

    def noted(self: Shipper) -> int:
        more = ship(self)
        shipped.append((self.journal_offset, time.perf_counter()))
        return more

    Shipper.ship = noted  # type: ignore[method-assign]


def lags_ms() -> list[float]:
    """How long after its end each of the calls that were looked at was recorded."""
    ends: list[int] = []
    with open_home() as home, home.store.read() as tx:
        run = home.find("@last")
        journal = b"".join(tx.journal.read(Scope.system(), run.id, run.generation))
    offset = 0
    for line in journal.splitlines(keepends=True):
        offset += len(line)
        if line.startswith((b'["e"', b'["E"')):
            ends.append(offset)
    reached = [offset for offset, _ in shipped]
    looked_at = [ends[WARM + (number + 1) * EACH - 1] for number in range(len(ended))]
    return [
        (shipped[bisect_left(reached, offset)][1] - when) * 1e3 for offset, when in zip(looked_at, ended, strict=True)
    ]


if __name__ == "__main__":
    watch()
    chain(int(sys.argv[1]))
    lags = lags_ms()
    said["lag_p50_ms"], said["lag_p99_ms"] = at(lags, 0.5), at(lags, 0.99)
    said["pieces"] = float(sum(1 for (one, _), (two, _) in pairwise(shipped) if two > one))
    print(json.dumps(said))
