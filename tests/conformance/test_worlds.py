"""Two stores that are told the same hold the same: random transactions on memory and SQLite, side by side.

The machine draws verbs with all their arguments from small sets, so that most of them meet something, puts up to
four into one transaction, and sometimes breaks it at its end. After each, the answers and all that can be seen must
be equal.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tests.conformance.samples import (
    ADA,
    ALL,
    BOB,
    COUNTS,
    FAILURE,
    GROUPS,
    INLINE,
    NOBODY,
    NULL,
    StoppedClock,
    cache_entry,
    call_row,
    everything,
    new_run,
)

from kapelle.model.access import Scope
from kapelle.model.errors import KapelleError
from kapelle.model.runs import Attempt, CallCounts, RunEnd, RunState
from kapelle.ports.storage.listings import RunFilter
from kapelle.ports.storage.store import Store, Transaction
from kapelle.stores.memory import MemoryStore
from kapelle.stores.sqlite import SqliteStore

Verb = Callable[[Transaction], Any]

RUN_IDS = st.sampled_from(["r1", "r2", "s\x00'3"])
PROJECTS = st.sampled_from(["ada", "bob"])
SCOPES = st.sampled_from([ALL, ALL, ALL, ADA, BOB, NOBODY, Scope("both", frozenset(["ada", "bob"]))])
TIMES = st.integers(0, 5)
ATTEMPT_IDS = st.sampled_from(["a1", "a2", "a3"])
GENERATIONS = st.sampled_from([1, 1, 1, 2, 3])
ATTEMPTS = st.builds(Attempt, RUN_IDS, GENERATIONS, st.just(1), ATTEMPT_IDS)
TEXTS = st.text(max_size=8)
ROWS = st.lists(st.builds(call_row, st.integers(1, 3), name=TEXTS, task=TEXTS), max_size=2)
LINES = st.lists(st.sampled_from([b"[1]\n", b"[22]\n", b"[" + b"7" * 9_000 + b"]\n"]), max_size=4).map(b"".join)
OFFSETS = st.sampled_from([0, 0, 4, 5, 8, 9, 18_008])
ENDS = st.builds(
    RunEnd,
    st.sampled_from([RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.RUNNING]),
    TIMES,
    TEXTS,
    st.sampled_from([None, INLINE, NULL]),
    st.sampled_from([None, FAILURE]),
)
FILTERS = st.builds(
    RunFilter,
    project=st.none() | PROJECTS,
    flow=st.none() | st.sampled_from(["daily", "m.daily", "weekly"]),
    states=st.frozensets(st.sampled_from(list(RunState)), max_size=3),
    id_prefix=st.none() | st.sampled_from(["r", "r1", "s\x00"]),
    name=st.none() | st.sampled_from(["fox", "owl"]),
    tag=st.none() | st.sampled_from(["x", "\x00y'"]),
    since_us=st.none() | TIMES,
)
NEW_RUNS = st.builds(
    new_run,
    RUN_IDS,
    PROJECTS,
    flow=st.sampled_from(["m.daily", "m:weekly"]),
    name=st.sampled_from(["fox", "owl"]),
    tags=st.lists(st.sampled_from(["x", "\x00y'", "x"]), max_size=3).map(tuple),
    created_at_us=TIMES,
)
ENTRIES = st.builds(
    cache_entry,
    st.sampled_from(["k1", "k2"]),
    task=st.sampled_from(["train", "load"]),
    made_at_us=TIMES,
    expires_at_us=st.none() | TIMES,
)


def listing(who: Scope, where: RunFilter, limit: int, pages: int) -> Verb:
    def verb(tx: Transaction) -> Any:
        found, cursor = [], None
        for _ in range(pages):
            page = tx.listings.runs(who, where, limit=limit, cursor=cursor)
            found.append(list(page.runs))
            if (cursor := page.next) is None:
                break
        return found, cursor

    return verb


def verb_of(function: Callable[..., Verb], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Verb]:
    return st.builds(function, *arguments)


VERBS = st.one_of(
    verb_of(
        lambda s, n, q: lambda tx: tx.runs.create(s, n, q),
        SCOPES,
        NEW_RUNS,
        st.sampled_from(["queued", "scheduled"]).map(RunState),
    ),
    verb_of(
        lambda s, r, g, a, t: lambda tx: tx.runs.begin_attempt(s, r, g, a, t),
        SCOPES,
        RUN_IDS,
        GENERATIONS,
        ATTEMPT_IDS,
        TIMES,
    ),
    verb_of(lambda s, a, e: lambda tx: tx.runs.end(s, a, e), SCOPES, ATTEMPTS, ENDS),
    verb_of(lambda s, a, r, t: lambda tx: tx.runs.abandon(s, a, r, t), SCOPES, ATTEMPTS, TEXTS, TIMES),
    verb_of(lambda s, a: lambda tx: tx.runs.cancelling(s, a), SCOPES, ATTEMPTS),
    verb_of(lambda s, r, g, t: lambda tx: tx.runs.next_generation(s, r, g, t), SCOPES, RUN_IDS, GENERATIONS, TIMES),
    verb_of(
        lambda s, a, c: lambda tx: tx.runs.count(s, a, c, GROUPS),
        SCOPES,
        ATTEMPTS,
        st.sampled_from([COUNTS, CallCounts()]),
    ),
    verb_of(lambda s, r: lambda tx: tx.runs.get(s, r), SCOPES, RUN_IDS),
    verb_of(lambda s, r: lambda tx: tx.runs.groups(s, r), SCOPES, RUN_IDS),
    verb_of(lambda s, r: lambda tx: tx.runs.delete(s, r), SCOPES, RUN_IDS),
    verb_of(lambda s, a, o, b, r: lambda tx: tx.journal.append(s, a, o, b, r), SCOPES, ATTEMPTS, OFFSETS, LINES, ROWS),
    verb_of(lambda s, a: lambda tx: (tx.journal.shipped(s, a), tx.output.shipped(s, a)), SCOPES, ATTEMPTS),
    verb_of(lambda s, r, g: lambda tx: b"".join(tx.journal.read(s, r, g)), SCOPES, RUN_IDS, GENERATIONS),
    verb_of(lambda s, r, g: lambda tx: tx.journal.rows(s, r, g), SCOPES, RUN_IDS, GENERATIONS),
    verb_of(lambda s, a, o, b: lambda tx: tx.output.append(s, a, o, b), SCOPES, ATTEMPTS, OFFSETS, LINES),
    verb_of(lambda s, r, g, o: lambda tx: list(tx.output.read(s, r, g, o)), SCOPES, RUN_IDS, GENERATIONS, OFFSETS),
    verb_of(lambda s, p, e: lambda tx: tx.cache.put(s, p, e), SCOPES, PROJECTS, ENTRIES),
    verb_of(lambda s, p, k: lambda tx: tx.cache.find(s, p, k), SCOPES, PROJECTS, st.sampled_from(["k1", "k3"])),
    verb_of(lambda s, p, t: lambda tx: tx.cache.clear(s, p, t), SCOPES, PROJECTS, st.sampled_from([None, "train"])),
    verb_of(listing, SCOPES, FILTERS, st.integers(1, 3), st.integers(1, 4)),
    verb_of(
        lambda s, p, f: lambda tx: tx.listings.durations(s, p, f),
        SCOPES,
        PROJECTS,
        st.sampled_from(["daily", "m.daily"]),
    ),
)


class BrokenAtItsEnd(Exception):
    """Ends a transaction that must leave nothing behind."""


class TwoStores(RuleBasedStateMachine):
    """Memory and SQLite, told the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryStore()
        self.sqlite = SqliteStore(Path(self.folder.name) / "store.db", StoppedClock())
        # A world in which something can happen at once.
        for store in (self.memory, self.sqlite):
            with store.write() as tx:
                tx.runs.create(ALL, new_run("r1", created_at_us=1, flow="m.daily"), RunState.QUEUED)
                tx.runs.begin_attempt(ALL, "r1", 1, "a1", 1)

    @rule(verbs=st.lists(VERBS, min_size=1, max_size=4), breaks=st.sampled_from([False, False, False, True]))
    def transaction(self, verbs: list[Verb], breaks: bool) -> None:
        before = everything(self.sqlite) if breaks else None
        assert self.told(self.sqlite, verbs, breaks) == self.told(self.memory, verbs, breaks)
        after = everything(self.sqlite)
        assert after == everything(self.memory)
        if breaks:
            assert after == before

    def told(self, store: Store, verbs: list[Verb], breaks: bool) -> list[Any]:
        answers: list[Any] = []
        try:
            with store.write() as tx:
                for verb in verbs:
                    try:
                        answers.append(verb(tx))
                    except KapelleError as refusal:
                        answers.append((type(refusal), str(refusal)))
                if breaks:
                    raise BrokenAtItsEnd
        except BrokenAtItsEnd:
            pass
        return answers

    def teardown(self) -> None:
        self.sqlite.close()
        self.folder.cleanup()


TwoStores.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_two_stores_that_are_told_the_same_hold_the_same = TwoStores.TestCase
