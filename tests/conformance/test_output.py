"""Output: like the journal by offset, but whoever was superseded may still deliver."""

import pytest
from tests.conformance.samples import ALL, running

from kapelle.model.errors import NotFound, StaleAttempt, StoreError
from kapelle.model.runs import Attempt, RunEnd, RunState
from kapelle.ports.storage.store import Store


def output(store: Store, after: int = 0, generation: int = 1) -> list[tuple[int, bytes]]:
    with store.read() as tx:
        return list(tx.output.read(ALL, "run1", generation, after))


def test_output_comes_back_with_cursors_to_go_on_from(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        assert tx.output.append(ALL, attempt, 0, b"one\n") == 4
        assert tx.output.append(ALL, attempt, 4, b"two\nthree\n") == 14
    pieces = output(store)
    assert b"".join(lines for _, lines in pieces) == b"one\ntwo\nthree\n"
    for number, (cursor, _) in enumerate(pieces):
        assert output(store, cursor) == pieces[number + 1 :]


def test_output_is_idempotent_and_gap_safe(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        assert tx.output.append(ALL, attempt, 4, b"two\n") == 0
        assert tx.output.append(ALL, attempt, 0, b"one\n") == 4
        assert tx.output.append(ALL, attempt, 0, b"one\ntwo\n") == 8
        assert tx.output.append(ALL, attempt, 0, b"one\ntwo\n") == 8
        assert tx.output.append(ALL, attempt, 12, b"four\n") == 8
        assert tx.output.append(ALL, attempt, 8, b"") == 8
        assert tx.output.shipped(ALL, attempt) == 8
    assert b"".join(lines for _, lines in output(store)) == b"one\ntwo\n"


def test_late_output_of_a_superseded_attempt_comes_behind_the_cursors_that_were_given(store: Store) -> None:
    first = running(store)
    with store.write() as tx:
        tx.output.append(ALL, first, 0, b"first\n")
        second = tx.runs.begin_attempt(ALL, "run1", 1, "second", 3)
        tx.output.append(ALL, second, 0, b"second\n")
    cursor = output(store)[-1][0]
    with store.write() as tx:
        assert tx.output.append(ALL, first, 6, b"late\n") == 11
        tx.runs.end(ALL, second, RunEnd(RunState.SUCCEEDED, 9))
        tx.runs.next_generation(ALL, "run1", 1, 10)
        assert tx.output.append(ALL, second, 7, b"later\n") == 13
    assert b"".join(lines for _, lines in output(store, cursor)) == b"late\nlater\n"
    assert output(store, generation=2) == []


@pytest.mark.parametrize(
    "attempt", [Attempt("run1", 1, 1, ""), Attempt("run1", 1, 1, "x"), Attempt("run1", 2, 1, "first")]
)
def test_output_of_an_attempt_that_never_began_is_refused(store: Store, attempt: Attempt) -> None:
    running(store)
    with store.write() as tx, pytest.raises(StaleAttempt):
        tx.output.append(ALL, attempt, 0, b"one\n")
    with store.read() as tx:
        assert tx.output.shipped(ALL, Attempt("run1", 1, 1, "x")) == 0


def test_torn_lines_are_refused(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx, pytest.raises(StoreError):
        tx.output.append(ALL, attempt, 0, b"one")


def test_the_output_of_no_run_is_not_found(store: Store) -> None:
    with store.read() as tx, pytest.raises(NotFound):
        tx.output.read(ALL, "run1", 1)
