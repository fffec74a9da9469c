"""A COMMIT whose answer was lost may have been one: every transaction can be done again with the same outcome."""

from collections.abc import Callable

import pytest
from tests.conformance.samples import (
    ALL,
    COUNTS,
    FAILURE,
    GROUPS,
    INLINE,
    cache_entry,
    call_row,
    ended,
    everything,
    new_run,
    running,
)

from kapelle.model.runs import Attempt, RunEnd, RunState
from kapelle.ports.storage.store import Store, Transaction

Verb = Callable[[Transaction, Attempt], object]

VERBS: dict[str, Verb] = {
    "create": lambda tx, attempt: tx.runs.create(ALL, new_run("run2"), RunState.QUEUED),
    "begin_attempt": lambda tx, attempt: tx.runs.begin_attempt(ALL, "run1", 1, "second", 5),
    "end": lambda tx, attempt: tx.runs.end(ALL, attempt, RunEnd(RunState.FAILED, 6, "lost", INLINE, FAILURE)),
    "abandon": lambda tx, attempt: tx.runs.abandon(ALL, attempt, "abandoned", 6),
    "cancelling": lambda tx, attempt: tx.runs.cancelling(ALL, attempt),
    "count": lambda tx, attempt: tx.runs.count(ALL, attempt, COUNTS, GROUPS),
    "append": lambda tx, attempt: tx.journal.append(ALL, attempt, 0, b"[1]\n", [call_row()]),
    "output": lambda tx, attempt: tx.output.append(ALL, attempt, 0, b"one\n"),
    "put": lambda tx, attempt: tx.cache.put(ALL, "ada", cache_entry()),
}


@pytest.mark.parametrize("name", VERBS)
def test_the_same_again_changes_nothing_and_answers_the_same(store: Store, name: str) -> None:
    attempt = running(store)
    with store.write() as tx:
        answer = VERBS[name](tx, attempt)
    once = everything(store)
    with store.write() as tx:
        assert VERBS[name](tx, attempt) == answer
    assert everything(store) == once


def test_a_retry_that_was_kept_can_be_asked_for_again(store: Store) -> None:
    ended(store)
    with store.write() as tx:
        answer = tx.runs.next_generation(ALL, "run1", 1, 9)
    once = everything(store)
    with store.write() as tx:
        assert tx.runs.next_generation(ALL, "run1", 1, 9) == answer
    assert everything(store) == once


def test_a_whole_batch_that_was_kept_can_be_delivered_again(store: Store) -> None:
    attempt = running(store)

    def deliver() -> object:
        with store.write() as tx:
            tx.journal.append(ALL, attempt, 0, b"[1]\n[2]\n", [call_row(1), call_row(2)])
            tx.output.append(ALL, attempt, 0, b"one\n")
            tx.runs.count(ALL, attempt, COUNTS, GROUPS)
            return tx.runs.end(ALL, attempt, RunEnd(RunState.SUCCEEDED, 9, result=INLINE))

    answer = deliver()
    once = everything(store)
    assert deliver() == answer
    assert everything(store) == once
