"""Only the current attempt may write: whoever was superseded is told so, and changes nothing."""

from collections.abc import Callable

import pytest
from tests.conformance.samples import ALL, call_row, everything_in, running

from kapelle.model.errors import StaleAttempt
from kapelle.model.runs import Attempt, CallCounts, RunEnd, RunState
from kapelle.ports.storage.store import Store, Transaction

Write = Callable[[Transaction, Attempt], object]

WRITES: dict[str, Write] = {
    "append": lambda tx, attempt: tx.journal.append(ALL, attempt, 0, b"[1]\n", [call_row()]),
    "append nothing": lambda tx, attempt: tx.journal.append(ALL, attempt, 0, b"", []),
    "end": lambda tx, attempt: tx.runs.end(ALL, attempt, RunEnd(RunState.SUCCEEDED, 9)),
    "cancelling": lambda tx, attempt: tx.runs.cancelling(ALL, attempt),
    "count": lambda tx, attempt: tx.runs.count(ALL, attempt, CallCounts(succeeded=9), []),
}


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest) -> Write:
    return WRITES[request.param]


def test_a_superseded_attempt_is_refused(store: Store, write: Write) -> None:
    first = running(store)
    with store.write() as tx:
        tx.runs.begin_attempt(ALL, "run1", 1, "second", 3)
        before = everything_in(tx)
        with pytest.raises(StaleAttempt):
            write(tx, first)
        assert everything_in(tx) == before


def test_an_attempt_of_an_earlier_generation_is_refused(store: Store, write: Write) -> None:
    first = running(store)
    with store.write() as tx:
        tx.runs.end(ALL, first, RunEnd(RunState.FAILED, 9))
        tx.runs.next_generation(ALL, "run1", 1, 10)
        before = everything_in(tx)
        with pytest.raises(StaleAttempt):
            write(tx, first)
        assert everything_in(tx) == before


@pytest.mark.parametrize("attempt_id", ["", "forged"])
def test_an_attempt_that_never_began_is_refused(store: Store, write: Write, attempt_id: str) -> None:
    running(store)
    with store.write() as tx:
        before = everything_in(tx)
        with pytest.raises(StaleAttempt):
            write(tx, Attempt("run1", 1, 1, attempt_id))
        assert everything_in(tx) == before


def test_before_the_first_attempt_nobody_writes(store: Store, write: Write) -> None:
    first = running(store)
    with store.write() as tx:
        tx.runs.end(ALL, first, RunEnd(RunState.FAILED, 9))
        tx.runs.next_generation(ALL, "run1", 1, 10)
        with pytest.raises(StaleAttempt):
            write(tx, Attempt("run1", 2, 0, ""))


def test_the_attempt_of_an_abandoned_run_may_still_deliver_what_its_process_wrote(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        tx.runs.abandon(ALL, attempt, "abandoned", 9)
        assert tx.journal.append(ALL, attempt, 0, b"[1]\n", []) == 4
        assert tx.runs.end(ALL, attempt, RunEnd(RunState.SUCCEEDED, 9)).state is RunState.SUCCEEDED


def test_the_refusal_names_the_run_and_who_has_it(store: Store) -> None:
    first = running(store)
    with store.write() as tx:
        tx.runs.begin_attempt(ALL, "run1", 1, "second", 3)
        with pytest.raises(StaleAttempt, match="run run1: attempt 1 of generation 1") as refused:
            tx.runs.end(ALL, first, RunEnd(RunState.SUCCEEDED, 9))
    assert "attempt 2 has taken over" in refused.value.cause
    assert refused.value.hint
