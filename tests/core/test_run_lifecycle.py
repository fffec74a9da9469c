"""The table of a run's life: each row is what the essay above it says."""

import pytest

from kapelle.core.moves import ImpossibleMove
from kapelle.core.run_lifecycle import BEGINNINGS, RUN_MOVES, RunEvent, after, is_possible, states_before
from kapelle.model.runs import ENDS, RunState

S, E = RunState, RunEvent

ENDINGS = {E.SUCCEEDED: S.SUCCEEDED, E.FAILED: S.FAILED, E.CANCELLED: S.CANCELLED}


@pytest.mark.parametrize("event", RunEvent)
@pytest.mark.parametrize("state", RunState)
def test_every_pair_is_a_move_or_the_one_clear_error(state: RunState, event: RunEvent) -> None:
    if is_possible(state, event):
        assert after(state, event) is RUN_MOVES[state, event]
        return
    with pytest.raises(ImpossibleMove, match=f"a run that is {state.value} cannot be {event.value}") as refused:
        after(state, event)
    for possible in (each for each in RunEvent if is_possible(state, each)):
        assert possible.value in refused.value.cause


def test_the_usual_life() -> None:
    state = S.SCHEDULED
    for event in (E.ADMITTED, E.ATTEMPTED, E.SUSPENDED, E.WOKEN, E.ATTEMPTED, E.ATTEMPTED, E.STOPPING, E.CANCELLED):
        state = after(state, event)
    assert state is S.CANCELLED


def test_an_attached_run_goes_on_by_a_resume() -> None:
    assert after(after(S.RUNNING, E.ABANDONED), E.ATTEMPTED) is S.RUNNING


def test_an_end_is_left_only_by_the_next_generation() -> None:
    for state in ENDS:
        assert [event for event in RunEvent if is_possible(state, event)] == [E.RETRIED]
        assert after(state, E.RETRIED) is S.QUEUED
    assert states_before(E.RETRIED) == ENDS


def test_what_is_open_can_come_to_an_end_and_every_state_can_be_reached() -> None:
    reached = set(BEGINNINGS)
    while more := {to for (state, _), to in RUN_MOVES.items() if state in reached} - reached:
        reached |= more
    assert reached == set(RunState)
    for state in set(RunState) - ENDS:
        assert any(RUN_MOVES[pair] in ENDS for pair in RUN_MOVES if pair[0] is state), state


def test_a_cancel_cannot_be_taken_back_and_starts_nothing() -> None:
    assert {to for (state, _), to in RUN_MOVES.items() if state is S.CANCELLING} == {S.CANCELLING, *ENDS}
    assert not is_possible(S.CANCELLING, E.ATTEMPTED)


def test_the_attempt_says_the_end_where_there_is_one() -> None:
    for event, end in ENDINGS.items():
        assert states_before(event) == {S.RUNNING, S.WAITING, S.CANCELLING}
        assert after(S.WAITING, event) is end


def test_the_table_cannot_be_written_to() -> None:
    with pytest.raises(TypeError):
        RUN_MOVES[S.SUCCEEDED, E.ATTEMPTED] = S.RUNNING  # type: ignore[index]
