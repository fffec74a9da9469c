"""The table of a call's life: each row is what the essay above it says."""

import pytest

from kapelle.core.call_lifecycle import CALL_MOVES, CallEvent, after, is_possible
from kapelle.core.moves import ImpossibleMove
from kapelle.model.calls import CALL_ENDS, CallState

S, E = CallState, CallEvent


@pytest.mark.parametrize("event", CallEvent)
@pytest.mark.parametrize("state", CallState)
def test_every_pair_is_a_move_or_the_one_clear_error(state: CallState, event: CallEvent) -> None:
    if is_possible(state, event):
        assert after(state, event) is CALL_MOVES[state, event]
        return
    with pytest.raises(ImpossibleMove, match=f"a call that is {state.value} cannot be {event.value}"):
        after(state, event)


def test_the_usual_life() -> None:
    state = S.PENDING
    for event in (E.STARTED, E.PAUSED, E.RESUMED, E.INTERRUPTED, E.STARTED, E.SUCCEEDED):
        state = after(state, event)
    assert state is S.SUCCEEDED


def test_nothing_happens_to_a_call_that_has_ended() -> None:
    assert not [pair for pair in CALL_MOVES if pair[0] in CALL_ENDS]
    with pytest.raises(ImpossibleMove) as refused:
        after(S.FAILED, E.STARTED)
    assert "it is over" in refused.value.cause


def test_an_open_call_can_end_in_every_way_even_before_it_started() -> None:
    for state in set(CallState) - CALL_ENDS:
        assert {CALL_MOVES[pair] for pair in CALL_MOVES if pair[0] is state} >= CALL_ENDS


def test_only_what_started_can_be_interrupted() -> None:
    assert {state for state, event in CALL_MOVES if event is E.INTERRUPTED} == {S.RUNNING, S.WAITING}
