"""Small worlds for the tests of stores."""

from dataclasses import dataclass
from typing import Any

import msgspec

from kapelle.model.access import Scope
from kapelle.model.calls import CallRow, CallState, GroupRow
from kapelle.model.failures import Failure
from kapelle.model.runs import Attempt, CallCounts, Entry, NewRun, RunEnd, RunState
from kapelle.model.values import StoredValue
from kapelle.ports.storage.cache import CacheEntry
from kapelle.ports.storage.listings import RunFilter
from kapelle.ports.storage.store import Store, Transaction

ALL = Scope.system()
ADA = Scope.of_project("ada", "user:ada")
BOB = Scope.of_project("bob", "user:bob")
NOBODY = Scope("user:nobody", frozenset())

INLINE = StoredValue("json", inline=msgspec.Raw(b'{"rate":[1,null,"\\u0000"]}'), size=26)
NULL = StoredValue("json", inline=msgspec.Raw(b"null"), size=4)
PACKED = StoredValue("array", packed=bytes(range(256)), size=256)
IN_BLOB = StoredValue("frame", digest="ab" * 32, size=10**9)
NOT_KEPT = StoredValue("pickle", size=2**40)
VALUES = (INLINE, NULL, PACKED, IN_BLOB, NOT_KEPT)
FAILURE = Failure("ValueError", "builtins", "no\nsuch rate", "Traceback …", b"\x80\x05\xff", ("a note",))
COUNTS = CallCounts(succeeded=5, failed=1, skipped=2, cancelled=3, reused=4, cached=1)
GROUPS = (GroupRow("daily/train", "train", succeeded=5, duration_us=9), GroupRow("daily/load", "load", failed=1))


@dataclass
class StoppedClock:
    """A clock that stands still."""

    at_us: int = 1_700_000_000_000_000

    def now_us(self) -> int:
        return self.at_us

    def monotonic_s(self) -> float:
        return self.at_us / 1e6


def new_run(run_id: str = "run1", project: str = "ada", **other: Any) -> NewRun:
    """A run as it is handed in, complete and with odd texts."""
    run = NewRun(
        id=run_id,
        project=project,
        flow="pipelines.sales.daily",
        name="brisk-fox",
        entry=Entry("/srv/flows/sales.py", "daily", "/srv/flows", "cd" * 32, ("sales.py", "--day", "ü\x00'\"")),
        parameters=INLINE,
        parameters_text="day=2024-02-29, name='O''Brien; --'",
        created_at_us=1_000,
        tags=("nightly", "ünï'); DROP TABLE runs; --"),
        kapelle_version="0.1.0",
        trigger="schedule",
    )
    return msgspec.structs.replace(run, **other)


def call_row(call: int = 1, **other: Any) -> CallRow:
    """A row of a call with everything set."""
    row = CallRow(
        id=f"{call:032x}",
        call=call,
        task="pipelines.train",
        name="train \x00 'north'",
        state=CallState.FAILED,
        started_at_us=5,
        ended_at_us=2**53 + 1,
        attempts=3,
        mark="cached",
        reason="timed out",
        inputs="rate=0.1",
        failure=FAILURE,
    )
    return msgspec.structs.replace(row, **other)


def cache_entry(key: str = "k1", **other: Any) -> CacheEntry:
    """An entry of the cache with everything set."""
    entry = CacheEntry(key, "train", (("inputs", "aa"), ("code", "bb")), INLINE, 10, 2**60, "run1")
    return msgspec.structs.replace(entry, **other)


def queued(store: Store, run_id: str = "run1", project: str = "ada", **other: Any) -> None:
    """Put a run into the queue."""
    with store.write() as tx:
        tx.runs.create(ALL, new_run(run_id, project, **other), RunState.QUEUED)


def running(store: Store, run_id: str = "run1", project: str = "ada", attempt_id: str = "first") -> Attempt:
    """A run with an attempt at work."""
    queued(store, run_id, project)
    with store.write() as tx:
        return tx.runs.begin_attempt(ALL, run_id, 1, attempt_id, 2_000)


def ended(store: Store, run_id: str = "run1", state: RunState = RunState.SUCCEEDED) -> Attempt:
    """A run that is over."""
    attempt = running(store, run_id)
    with store.write() as tx:
        tx.runs.end(ALL, attempt, RunEnd(state, 3_000))
    return attempt


def everything(store: Store) -> dict[str, Any]:
    """All that a store holds, as far as anybody can see it."""
    with store.read() as tx:
        return everything_in(tx)


def everything_in(tx: Transaction) -> dict[str, Any]:
    """All that a transaction sees, as values that can be compared."""
    found: dict[str, Any] = {}
    for run in tx.listings.runs(ALL, RunFilter(), limit=1_000).runs:
        of_run: dict[str, Any] = {"run": run, "got": tx.runs.get(ALL, run.id), "groups": tx.runs.groups(ALL, run.id)}
        for generation in range(1, run.generation + 1):
            of_run[f"journal {generation}"] = b"".join(tx.journal.read(ALL, run.id, generation))
            of_run[f"rows {generation}"] = tx.journal.rows(ALL, run.id, generation)
            of_run[f"output {generation}"] = list(tx.output.read(ALL, run.id, generation))
        found[run.id] = of_run
    for project in ("ada", "bob"):
        for task in ("train", "load"):
            found[f"cache {project} {task}"] = tx.cache.newest(ALL, project, task)
    return found
