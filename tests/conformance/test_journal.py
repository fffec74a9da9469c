"""Journals: by offset, once, in order, whole lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.samples import ALL, call_row, queued, running

from kapelle.model.errors import NotFound, StoreError
from kapelle.model.runs import Attempt, RunEnd, RunState
from kapelle.ports.storage.store import Store
from kapelle.stores.sqlite.encoding import compress, expand


def journal(store: Store, generation: int = 1) -> bytes:
    with store.read() as tx:
        return b"".join(tx.journal.read(ALL, "run1", generation))


def append(store: Store, attempt: Attempt, offset: int, lines: bytes) -> int:
    with store.write() as tx:
        return tx.journal.append(ALL, attempt, offset, lines, [])


def test_lines_come_back_in_order(store: Store) -> None:
    attempt = running(store)
    assert append(store, attempt, 0, b"[1]\n[2]\n") == 8
    assert append(store, attempt, 8, b"[3]\n") == 12
    assert journal(store) == b"[1]\n[2]\n[3]\n"


def test_what_is_kept_already_is_passed_over(store: Store) -> None:
    attempt = running(store)
    append(store, attempt, 0, b"[1]\n[2]\n")
    assert append(store, attempt, 0, b"[1]\n[2]\n") == 8
    assert append(store, attempt, 4, b"[2]\n") == 8
    assert append(store, attempt, 4, b"[2]\n[3]\n") == 12
    assert append(store, attempt, 0, b"[1]\n[2]\n[3]\n[4]\n") == 16
    assert append(store, attempt, 0, b"") == 16
    assert journal(store) == b"[1]\n[2]\n[3]\n[4]\n"


def test_a_gap_keeps_nothing_and_says_what_is_wanted(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        assert tx.journal.append(ALL, attempt, 4, b"[2]\n", [call_row()]) == 0
        tx.journal.append(ALL, attempt, 0, b"[1]\n", [])
        assert tx.journal.append(ALL, attempt, 8, b"[3]\n", [call_row()]) == 4
        assert tx.journal.rows(ALL, "run1", 1) == []
    assert journal(store) == b"[1]\n"


@pytest.mark.parametrize(("offset", "lines"), [(0, b"[1]"), (0, b"[1]\n[2"), (-4, b"[1]\n")])
def test_torn_lines_are_refused(store: Store, offset: int, lines: bytes) -> None:
    attempt = running(store)
    with store.write() as tx, pytest.raises(StoreError):
        tx.journal.append(ALL, attempt, offset, lines, [])


def test_each_attempt_has_offsets_of_its_own_and_they_are_read_in_order(store: Store) -> None:
    first = running(store)
    append(store, first, 0, b"[1]\n")
    with store.write() as tx:
        second = tx.runs.begin_attempt(ALL, "run1", 1, "second", 3)
    assert append(store, second, 0, b"[2]\n[3]\n") == 8
    with store.read() as tx:
        assert (tx.journal.shipped(ALL, first), tx.journal.shipped(ALL, second)) == (4, 8)
        assert tx.journal.shipped(ALL, Attempt("run1", 1, 1, "unheard")) == 0
        assert tx.journal.shipped(ALL, Attempt("nowhere", 1, 1, "first")) == 0
    assert journal(store) == b"[1]\n[2]\n[3]\n"


def test_each_generation_has_a_journal_of_its_own(store: Store) -> None:
    first = running(store)
    with store.write() as tx:
        tx.journal.append(ALL, first, 0, b"[1]\n", [call_row(1)])
        tx.runs.end(ALL, first, RunEnd(RunState.FAILED, 3))
        tx.runs.next_generation(ALL, "run1", 1, 4)
        second = tx.runs.begin_attempt(ALL, "run1", 2, "second", 5)
        tx.journal.append(ALL, second, 0, b"[2]\n", [call_row(1, name="again")])
        assert [row.name for row in tx.journal.rows(ALL, "run1", 1)] == [call_row(1).name]
        assert [row.name for row in tx.journal.rows(ALL, "run1", 2)] == ["again"]
    assert (journal(store), journal(store, 2), journal(store, 3)) == (b"[1]\n", b"[2]\n", b"")


def test_pieces_are_whole_lines_however_they_were_shipped(store: Store) -> None:
    attempt = running(store)
    lines = [b"[%d,%s]\n" % (number, b'"' + b"x" * (number * 97 % 5_000) + b'"') for number in range(300)]
    offset = 0
    for line in lines:
        offset = append(store, attempt, offset, line)
    with store.read() as tx:
        pieces = list(tx.journal.read(ALL, "run1", 1))
        assert 0 < tx.journal.bytes_stored(ALL, "run1") <= offset
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert b"".join(pieces) == b"".join(lines)


def test_rows_are_kept_exactly_and_those_of_a_known_call_are_replaced(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        tx.journal.append(ALL, attempt, 0, b"[1]\n", [call_row(7), call_row(3)])
        tx.journal.append(ALL, attempt, 0, b"[1]\n", [call_row(7, name="better", failure=None), call_row(10)])
        rows = tx.journal.rows(ALL, "run1", 1)
    assert rows == [call_row(3), call_row(7, name="better", failure=None), call_row(10)]


def test_the_journal_of_no_run_is_not_found(store: Store) -> None:
    with store.read() as tx:
        for verb in (tx.journal.read, tx.journal.rows):
            with pytest.raises(NotFound):
                verb(ALL, "run1", 1)
        with pytest.raises(NotFound):
            tx.journal.bytes_stored(ALL, "run1")


def test_a_journal_cannot_be_read_on_when_its_transaction_is_over(store: Store) -> None:
    queued(store)
    attempt = running(store, "run2")
    with store.write() as tx:
        for number in range(20):
            tx.journal.append(ALL, attempt, number * 20_000, b"x" * 19_999 + b"\n", [])
    with store.read() as tx:
        pieces = tx.journal.read(ALL, "run2", 1)
        next(pieces)
    with pytest.raises(StoreError, match="over"):
        next(pieces)


@given(st.binary(max_size=20_000))
def test_lines_survive_compression(lines: bytes) -> None:
    assert expand(compress(lines)) == lines
