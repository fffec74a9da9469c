"""Programs that write to a store, to be run beside one another and to be killed.

    python -m tests.stores.writers batches <store> <run> <count>
    python -m tests.stores.writers until-killed <store> <run>

Both write lines `[<number>]` to the journal of a run of their own, one transaction a line. The first waits for a line
on its input, and says at the end how long its transactions took; the second says each number once it is acknowledged.
"""

import json
import sys
import time
from pathlib import Path

from tests.conformance.samples import ALL, StoppedClock, new_run

from kapelle.model.runs import Attempt, RunState
from kapelle.stores.sqlite import SqliteStore


def begin(store: SqliteStore, run_id: str, attempt_id: str) -> Attempt:
    with store.write() as tx:
        tx.runs.create(ALL, new_run(run_id), RunState.QUEUED)
        return tx.runs.begin_attempt(ALL, run_id, 1, attempt_id, 1)


def append(store: SqliteStore, attempt: Attempt, offset: int, number: int) -> int:
    with store.write() as tx:
        return tx.journal.append(ALL, attempt, offset, b"[%d]\n" % number, [])


def batches(store: SqliteStore, run_id: str, count: int) -> None:
    attempt = begin(store, run_id, "first")
    print("ready", flush=True)
    sys.stdin.readline()
    offset, took = 0, []
    for number in range(count):
        started = time.perf_counter()
        offset = append(store, attempt, offset, number)
        took.append(time.perf_counter() - started)
    print(json.dumps({"max_s": max(took), "total_s": sum(took)}), flush=True)


def until_killed(store: SqliteStore, run_id: str) -> None:
    attempt = begin(store, run_id, f"{run_id}-{time.time_ns()}")
    offset = number = 0
    while True:
        offset = append(store, attempt, offset, number)
        print(number, flush=True)
        number += 1


def main() -> None:
    what, path, run_id, *more = sys.argv[1:]
    store = SqliteStore(Path(path), StoppedClock())
    if what == "batches":
        batches(store, run_id, int(more[0]))
        store.close()
    else:
        until_killed(store, run_id)


if __name__ == "__main__":
    main()
