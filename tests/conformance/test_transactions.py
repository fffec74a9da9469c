"""Transactions: all or nothing, and a view that stands still."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.conformance.samples import ALL, COUNTS, GROUPS, cache_entry, call_row, everything, new_run, queued, running

from kapelle.model.errors import NotFound, StaleAttempt, StoreError
from kapelle.model.runs import RunEnd, RunState
from kapelle.ports.storage.store import Store, Transaction


class Broken(BaseException):
    """What ends a transaction in these tests."""


def write_everywhere(tx: Transaction) -> None:
    tx.runs.create(ALL, new_run("run2"), RunState.QUEUED)
    attempt = tx.runs.begin_attempt(ALL, "run1", 1, "second", 5)
    tx.journal.append(ALL, attempt, 0, b"[9]\n", [call_row(9)])
    tx.output.append(ALL, attempt, 0, b"[9]\n")
    tx.runs.count(ALL, attempt, COUNTS, GROUPS)
    tx.cache.put(ALL, "ada", cache_entry("k9", made_at_us=99))
    tx.runs.end(ALL, attempt, RunEnd(RunState.FAILED, 6))
    tx.runs.next_generation(ALL, "run1", 1, 7)


def write_everything_and_break(store: Store) -> None:
    with store.write() as tx:
        write_everywhere(tx)
        assert tx.runs.get(ALL, "run1").generation == 2
        tx.runs.delete(ALL, "run1")
        tx.cache.clear(ALL, "ada")
        raise Broken


def test_what_raises_keeps_nothing(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        tx.journal.append(ALL, attempt, 0, b"[1]\n", [call_row()])
        tx.cache.put(ALL, "ada", cache_entry())
    before = everything(store)
    with pytest.raises(Broken):
        write_everything_and_break(store)
    assert everything(store) == before
    with store.write() as tx:
        write_everywhere(tx)
    assert everything(store) != before


def test_a_refused_verb_leaves_the_rest_of_the_transaction_alone(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        tx.journal.append(ALL, attempt, 0, b"[1]\n", [])
        with pytest.raises(NotFound):
            tx.runs.get(ALL, "nowhere")
        with pytest.raises(StaleAttempt):
            tx.runs.next_generation(ALL, "run1", 1, 9)
    with store.read() as tx:
        assert b"".join(tx.journal.read(ALL, "run1", 1)) == b"[1]\n"


def test_a_transaction_sees_its_own_writes_and_others_do_not_until_it_ends(store: Store) -> None:
    with store.write() as tx:
        tx.runs.create(ALL, new_run(), RunState.QUEUED)
        assert tx.runs.get(ALL, "run1").id == "run1"
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(everything, store).result() == everything(store)
        assert "run1" not in everything(store)
    assert "run1" in everything(store)


def test_a_reader_sees_one_moment(store: Store) -> None:
    queued(store)
    with store.read() as tx:
        assert tx.runs.get(ALL, "run1").state is RunState.QUEUED
        with store.write() as writing:
            writing.runs.begin_attempt(ALL, "run1", 1, "first", 5)
        assert tx.runs.get(ALL, "run1").state is RunState.QUEUED
    with store.read() as tx:
        assert tx.runs.get(ALL, "run1").state is RunState.RUNNING


def test_nothing_is_written_while_reading(store: Store) -> None:
    attempt = running(store)
    before = everything(store)
    with store.read() as tx:
        for write in (
            lambda: tx.runs.create(ALL, new_run("run2"), RunState.QUEUED),
            lambda: tx.runs.begin_attempt(ALL, "run1", 1, "second", 5),
            lambda: tx.runs.end(ALL, attempt, RunEnd(RunState.FAILED, 6)),
            lambda: tx.runs.abandon(ALL, attempt, "", 6),
            lambda: tx.runs.cancelling(ALL, attempt),
            lambda: tx.runs.next_generation(ALL, "run1", 1, 7),
            lambda: tx.runs.count(ALL, attempt, COUNTS, GROUPS),
            lambda: tx.runs.delete(ALL, "run1"),
            lambda: tx.journal.append(ALL, attempt, 0, b"[9]\n", []),
            lambda: tx.output.append(ALL, attempt, 0, b"[9]\n"),
            lambda: tx.cache.put(ALL, "ada", cache_entry()),
            lambda: tx.cache.clear(ALL, "ada"),
        ):
            with pytest.raises(StoreError, match="read transaction"):
                write()
    assert everything(store) == before


def test_a_transaction_that_is_over_cannot_be_used(store: Store) -> None:
    queued(store)
    with store.write() as written:
        written.runs.get(ALL, "run1")
    with store.read() as seen:
        seen.runs.get(ALL, "run1")
    for tx in (written, seen):
        with pytest.raises(StoreError, match="over"):
            tx.runs.get(ALL, "run1")


def test_a_thread_that_would_wait_for_itself_is_told_so(store: Store) -> None:
    with store.write() as tx:
        tx.runs.create(ALL, new_run(), RunState.QUEUED)
        with pytest.raises(StoreError, match="open already"), store.write():
            pass
    queued(store, "run2")
    assert {"run1", "run2"} <= set(everything(store))


def test_threads_write_side_by_side_and_lose_nothing(store: Store) -> None:
    attempt = running(store)
    together = threading.Barrier(4)

    def work(number: int) -> None:
        together.wait()
        for step in range(25):
            with store.write() as tx:
                kept = tx.journal.shipped(ALL, attempt)
                tx.journal.append(ALL, attempt, kept, b"[%d,%d]\n" % (number, step), [])
            with store.read() as tx:
                tx.runs.get(ALL, "run1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    with store.read() as tx:
        lines = b"".join(tx.journal.read(ALL, "run1", 1)).splitlines()
    assert sorted(lines) == sorted(b"[%d,%d]" % (number, step) for number in range(4) for step in range(25))
    for number in range(4):
        mine = [line for line in lines if line.startswith(b"[%d," % number)]
        assert mine == [b"[%d,%d]" % (number, step) for step in range(25)]


def test_an_empty_transaction_is_no_trouble(store: Store) -> None:
    with store.write():
        pass
    with store.read():
        pass


def test_closing_twice_is_safe(store: Store) -> None:
    queued(store)
    store.close()
    store.close()
