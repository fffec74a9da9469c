"""Runs: what is kept comes back as it was."""

import msgspec
import pytest
from tests.conformance.samples import (
    ALL,
    COUNTS,
    FAILURE,
    GROUPS,
    INLINE,
    PACKED,
    VALUES,
    ended,
    new_run,
    queued,
    running,
)

from kapelle.model.errors import NotFound, StaleAttempt, StoreError
from kapelle.model.runs import CallCounts, GenerationEnd, RunEnd, RunState
from kapelle.model.values import StoredValue
from kapelle.ports.storage.store import Store


def test_a_new_run_is_kept_with_everything_that_was_said_of_it(store: Store) -> None:
    new = new_run()
    with store.write() as tx:
        created = tx.runs.create(ALL, new, RunState.SCHEDULED)
    with store.read() as tx:
        assert tx.runs.get(ALL, "run1") == created
    for field in msgspec.structs.fields(new):
        assert getattr(created, field.name) == getattr(new, field.name), field.name
    assert (created.state, created.generation, created.attempt.id, created.attempt.number) == ("scheduled", 1, "", 0)
    assert (created.started_at_us, created.ended_at_us, created.result, created.failure) == (None, None, None, None)
    assert (created.counts, created.previous, created.reason) == (CallCounts(), (), "")


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.codec)
def test_parameters_and_results_come_back_exactly(store: Store, value: StoredValue) -> None:
    with store.write() as tx:
        tx.runs.create(ALL, new_run(parameters=value), RunState.QUEUED)
        attempt = tx.runs.begin_attempt(ALL, "run1", 1, "first", 2)
        tx.runs.end(ALL, attempt, RunEnd(RunState.FAILED, 3, "timed out", value, FAILURE))
    with store.read() as tx:
        run = tx.runs.get(ALL, "run1")
    assert (run.parameters, run.result, run.failure) == (value, value, FAILURE)
    assert (run.state, run.reason, run.ended_at_us) == (RunState.FAILED, "timed out", 3)


def test_creating_a_run_again_returns_the_one_that_is_there(store: Store) -> None:
    running(store)
    with store.write() as tx:
        again = tx.runs.create(ALL, new_run(name="another"), RunState.QUEUED)
    assert (again.name, again.state) == ("brisk-fox", RunState.RUNNING)


def test_the_id_of_a_run_that_one_may_not_see_cannot_be_used(store: Store) -> None:
    from_bob = new_run(project="bob")
    queued(store)
    with store.write() as tx, pytest.raises(NotFound):
        tx.runs.create(ALL.of_project("bob"), from_bob, RunState.QUEUED)


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.SCHEDULED, RunState.QUEUED}))
def test_a_run_begins_at_the_beginning(store: Store, state: RunState) -> None:
    with store.write() as tx, pytest.raises(StoreError, match=f"created as {state}"):
        tx.runs.create(ALL, new_run(), state)


def test_an_attempt_starts_the_run_and_the_next_one_supersedes_it(store: Store) -> None:
    first = running(store)
    with store.write() as tx:
        second = tx.runs.begin_attempt(ALL, "run1", 1, "second", 9_000)
        run = tx.runs.get(ALL, "run1")
    assert (first.number, second.number, second.id) == (1, 2, "second")
    assert (run.attempt, run.state, run.started_at_us) == (second, RunState.RUNNING, 2_000)


def test_beginning_an_attempt_again_returns_it_even_when_it_was_superseded(store: Store) -> None:
    first = running(store)
    with store.write() as tx:
        second = tx.runs.begin_attempt(ALL, "run1", 1, "second", 3)
        assert tx.runs.begin_attempt(ALL, "run1", 1, "first", 4) == first
        assert tx.runs.get(ALL, "run1").attempt == second


@pytest.mark.parametrize(("generation", "attempt_id"), [(0, "second"), (2, "second"), (2, "first"), (1, "")])
def test_no_attempt_begins_on_another_generation_or_without_an_id(
    store: Store, generation: int, attempt_id: str
) -> None:
    first = running(store)
    with store.write() as tx:
        with pytest.raises(StaleAttempt):
            tx.runs.begin_attempt(ALL, "run1", generation, attempt_id, 3)
        assert tx.runs.get(ALL, "run1").attempt == first


def test_the_same_end_again_changes_nothing_and_another_one_is_refused(store: Store) -> None:
    attempt = running(store)
    end = RunEnd(RunState.SUCCEEDED, 3_000, "", INLINE)
    with store.write() as tx:
        run = tx.runs.end(ALL, attempt, end)
        assert tx.runs.end(ALL, attempt, msgspec.structs.replace(end, at_us=4_000)) == run
        for other in (RunEnd(RunState.FAILED, 3_000), msgspec.structs.replace(end, result=PACKED)):
            with pytest.raises(StaleAttempt):
                tx.runs.end(ALL, attempt, other)
        assert tx.runs.get(ALL, "run1") == run


def test_a_run_ends_in_an_end(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx, pytest.raises(StoreError, match="cannot end as waiting"):
        tx.runs.end(ALL, attempt, RunEnd(RunState.WAITING, 3))


def test_the_next_generation_starts_afresh_and_remembers_the_end_before(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        tx.runs.count(ALL, attempt, COUNTS, GROUPS)
        tx.runs.end(ALL, attempt, RunEnd(RunState.FAILED, 3_000, "timed out", None, FAILURE))
        run = tx.runs.next_generation(ALL, "run1", 1, 4_000)
        assert (run.generation, run.state, run.attempt.id, run.attempt.generation) == (2, RunState.QUEUED, "", 2)
        assert (run.started_at_us, run.ended_at_us, run.failure, run.counts) == (None, None, None, CallCounts())
        assert run.previous == (GenerationEnd(1, RunState.FAILED, "timed out", 2_000, 3_000),)
        assert tx.runs.groups(ALL, "run1") == []
        assert tx.runs.begin_attempt(ALL, "run1", 2, "second", 5_000).number == 1


def test_opening_the_same_generation_again_returns_it_and_a_second_retry_is_refused(store: Store) -> None:
    ended(store)
    with store.write() as tx:
        run = tx.runs.next_generation(ALL, "run1", 1, 4_000)
        assert tx.runs.next_generation(ALL, "run1", 1, 4_000) == run
        for generation in (0, 1, 2, 3):
            with pytest.raises(StaleAttempt):
                tx.runs.next_generation(ALL, "run1", generation, 4_001)


def test_abandoning_leaves_a_run_alone_that_has_moved_on(store: Store) -> None:
    first = running(store)
    with store.write() as tx:
        second = tx.runs.begin_attempt(ALL, "run1", 1, "second", 3)
        assert tx.runs.abandon(ALL, first, "abandoned", 4).state is RunState.RUNNING
        waiting = tx.runs.abandon(ALL, second, "abandoned", 5)
        assert (waiting.state, waiting.reason) == (RunState.WAITING, "abandoned")
        assert tx.runs.abandon(ALL, second, "lost", 6) == waiting
        assert tx.runs.begin_attempt(ALL, "run1", 1, "third", 7).number == 3
        assert tx.runs.get(ALL, "run1").reason == ""


def test_counts_are_replaced_not_added(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        tx.runs.count(ALL, attempt, CallCounts(succeeded=1), GROUPS[:1])
        tx.runs.count(ALL, attempt, COUNTS, GROUPS)
    with store.read() as tx:
        assert tx.runs.get(ALL, "run1").counts == COUNTS
        assert tx.runs.groups(ALL, "run1") == list(GROUPS)


def test_a_deleted_run_is_gone_and_its_id_is_free(store: Store) -> None:
    attempt = running(store)
    with store.write() as tx:
        tx.journal.append(ALL, attempt, 0, b"[1]\n", [])
        tx.output.append(ALL, attempt, 0, b"[1]\n")
        tx.runs.delete(ALL, "run1")
        for forgotten in (tx.runs.get, tx.runs.delete):
            with pytest.raises(NotFound):
                forgotten(ALL, "run1")
        assert tx.journal.shipped(ALL, attempt) == 0
        tx.runs.create(ALL, new_run(), RunState.QUEUED)
        assert list(tx.journal.read(ALL, "run1", 1)) == []
        assert list(tx.output.read(ALL, "run1", 1)) == []
