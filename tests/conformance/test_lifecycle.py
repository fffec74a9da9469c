"""Every store moves runs as the table in `core/run_lifecycle.py` says, for each state and each event."""

from collections.abc import Callable

import pytest
from tests.conformance.samples import ALL, new_run

from kapelle.core.run_lifecycle import BEGINNINGS, RUN_MOVES, RunEvent
from kapelle.model.errors import StaleAttempt
from kapelle.model.runs import Attempt, RunEnd, RunState
from kapelle.ports.storage.store import Store, Transaction

Move = Callable[[Transaction, Attempt], object]


def ending(state: RunState) -> Move:
    return lambda tx, attempt: tx.runs.end(ALL, attempt, RunEnd(state, 30, reason="by the walk"))


VERBS: dict[RunEvent, Move] = {
    RunEvent.ATTEMPTED: lambda tx, attempt: tx.runs.begin_attempt(ALL, "run1", 1, "second", 20),
    RunEvent.ABANDONED: lambda tx, attempt: tx.runs.abandon(ALL, attempt, "abandoned", 20),
    RunEvent.STOPPING: lambda tx, attempt: tx.runs.cancelling(ALL, attempt),
    RunEvent.SUCCEEDED: ending(RunState.SUCCEEDED),
    RunEvent.FAILED: ending(RunState.FAILED),
    RunEvent.CANCELLED: ending(RunState.CANCELLED),
    RunEvent.RETRIED: lambda tx, attempt: tx.runs.next_generation(ALL, "run1", 1, 20),
}

WITHOUT_A_VERB = {RunEvent.ADMITTED, RunEvent.SUSPENDED, RunEvent.WOKEN, RunEvent.WITHDRAWN}
"""Events of the control plane, whose verbs are not written yet."""

SAYS_NOTHING = {RunEvent.ABANDONED}
"""Events that leave a run alone which they cannot happen to, instead of refusing."""

WAY: dict[RunState, tuple[RunEvent, ...]] = {
    RunState.SCHEDULED: (),
    RunState.QUEUED: (),
    RunState.RUNNING: (RunEvent.ATTEMPTED,),
    RunState.WAITING: (RunEvent.ATTEMPTED, RunEvent.ABANDONED),
    RunState.CANCELLING: (RunEvent.ATTEMPTED, RunEvent.STOPPING),
    RunState.SUCCEEDED: (RunEvent.ATTEMPTED, RunEvent.SUCCEEDED),
    RunState.FAILED: (RunEvent.ATTEMPTED, RunEvent.FAILED),
    RunState.CANCELLED: (RunEvent.ATTEMPTED, RunEvent.CANCELLED),
}


def brought_to(tx: Transaction, state: RunState) -> Attempt:
    """A run in `state`; its current attempt, or one that it never had."""
    tx.runs.create(ALL, new_run(), RunState.SCHEDULED if state is RunState.SCHEDULED else RunState.QUEUED)
    attempt = Attempt("run1", 1, 1, "first")
    for event in WAY[state]:
        if event is RunEvent.ATTEMPTED:
            tx.runs.begin_attempt(ALL, "run1", 1, "first", 10)
        else:
            VERBS[event](tx, attempt)
    assert tx.runs.get(ALL, "run1").state is state
    return attempt


def test_every_event_is_walked_or_named_as_missing() -> None:
    assert set(VERBS) | WITHOUT_A_VERB == set(RunEvent)
    assert not set(VERBS) & WITHOUT_A_VERB


@pytest.mark.parametrize("event", VERBS, ids=lambda event: event.name)
@pytest.mark.parametrize("state", RunState)
def test_a_store_moves_as_the_table_says(store: Store, state: RunState, event: RunEvent) -> None:
    with store.write() as tx:
        attempt = brought_to(tx, state)
        before = tx.runs.get(ALL, "run1")
        wanted = RUN_MOVES.get((state, event))
        if wanted is not None:
            VERBS[event](tx, attempt)
            assert tx.runs.get(ALL, "run1").state is wanted
        elif event in SAYS_NOTHING or says_the_same_end_again(state, event):
            VERBS[event](tx, attempt)
            assert tx.runs.get(ALL, "run1") == before
        else:
            with pytest.raises(StaleAttempt):
                VERBS[event](tx, attempt)
            assert tx.runs.get(ALL, "run1") == before


@pytest.mark.parametrize("state", RunState)
def test_a_run_begins_where_the_table_lets_it(store: Store, state: RunState) -> None:
    with store.write() as tx:
        if state in BEGINNINGS:
            assert tx.runs.create(ALL, new_run(), state).state is state
        else:
            with pytest.raises(Exception, match="cannot be created"):
                tx.runs.create(ALL, new_run(), state)


def says_the_same_end_again(state: RunState, event: RunEvent) -> bool:
    return state.is_end and event.name == state.name
