"""What a journal of several attempts says of calls, branches and the way they are shown."""

from typing import Any

import msgspec
import pytest

from kapelle.core.identity import ROOT_BRANCH, branch_id, call_seed, finish_call_id
from kapelle.core.journal import JournalIndex, index_of, short_name, views_of
from kapelle.model.calls import CallRow, CallState, GroupRow
from kapelle.model.errors import ValueRefused
from kapelle.model.failures import Failure
from kapelle.model.journal import (
    JOURNAL_VERSION,
    AnyLine,
    Branched,
    Counted,
    Defined,
    Ended,
    EndedRow,
    Noted,
    Opened,
    Read,
    Replaced,
    Retried,
    Started,
    Tried,
)
from kapelle.model.values import StoredValue

ONE = StoredValue("json", inline=msgspec.Raw(b"1"), size=1)
NO = Failure("ValueError", message="no")
LOAD = Defined(0, "task", "flows.load", "code", "flows.py", 1)
SAVE = Defined(1, "task", "flows.save", "code", "flows.py", 5)
X = "0a"


def opened(number: int = 1) -> Opened:
    return Opened(JOURNAL_VERSION, "run", 1, number, f"id{number}", 0, 1, "host", "0.1", 1)


def began(call: int, branch: int = 0, key: str = "", task: int = 0, occurrence: int = 0) -> Started:
    return Started(call, branch, key, task, X, occurrence, 10 + call)


def inside(branch: int, call: int, parent: int = 0) -> Branched:
    return Branched(branch, parent, call, "")


def succeeded(call: int, **more: Any) -> Ended:
    return Ended(call, "S", 20 + call, ONE, **more)


def bytes_of(*lines: AnyLine) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def fold(*lines: AnyLine) -> JournalIndex:
    """The index of a journal whose writer is gone."""
    return index_of([bytes_of(opened(), LOAD, SAVE, *lines)])


def interruptions(*lines: AnyLine) -> list[int]:
    return [call.interruptions for call in fold(*lines).calls.values()]


def test_an_empty_journal_says_nothing() -> None:
    index = index_of([])
    assert (index.calls, index.attempts, index.finished, views_of(index)) == ({}, [], None, [])
    assert [branch.id for branch in index.branches.values()] == [ROOT_BRANCH]


def test_each_attempt_may_end_in_a_torn_line() -> None:
    first = bytes_of(opened(), LOAD, began(0)) + b'["e",0,"S'
    second = bytes_of(opened(2), began(0), succeeded(0)) + b'["s",1'
    index = index_of([first, second])
    assert [line.attempt for line in index.attempts] == [1, 2]
    assert [(call.number, call.interruptions) for call in index.calls.values()] == [(0, 1)]
    assert index.calls[0].ended == succeeded(0)


def test_a_damaged_line_in_the_middle_is_no_torn_one() -> None:
    with pytest.raises(ValueRefused, match="damaged line"):
        index_of([bytes_of(opened()) + b"{}\n" + bytes_of(LOAD)])


def test_numbers_go_on_over_attempts() -> None:
    index = fold(
        began(0), succeeded(0), Branched(1, 0, -1, "1"), began(1, branch=1),
        opened(2), began(1, branch=1), succeeded(1), Defined(2, "task", "flows.more", "code", "flows.py", 9),
        Branched(2, 0, -1, "2"), began(2, branch=2, task=2),
    )  # fmt: skip
    assert list(index.calls) == list(index.branches) == list(index.tasks) == [0, 1, 2]
    assert [call.interruptions for call in index.calls.values()] == [0, 1, 1]


def test_a_call_that_starts_again_keeps_number_and_identity_and_has_a_new_start() -> None:
    later = msgspec.structs.replace(began(0), at_us=99)
    index = fold(began(0), opened(2), later)
    assert list(index.by_id.values()) == list(index.calls.values())
    assert index.calls[0].started.at_us == 99


def test_a_task_that_is_defined_again_has_its_newest_code() -> None:
    index = fold(began(0), opened(2), msgspec.structs.replace(LOAD, code="new"))
    assert index.tasks[0].code == "new"


def test_identities_are_those_that_the_engine_makes() -> None:
    index = fold(began(0), Branched(1, 0, -1, "4"), began(1, branch=1, key="7"), inside(2, 1, parent=1), began(2, 2))
    outer = finish_call_id(call_seed(ROOT_BRANCH, "flows.load"), b"\x0a", "", 0)
    beside = branch_id(ROOT_BRANCH, None, "4")
    submitted = finish_call_id(call_seed(beside, "flows.load"), b"\x0a", "7", 0)
    inner = finish_call_id(call_seed(branch_id(beside, submitted, ""), "flows.load"), b"\x0a", "", 0)
    assert [call.id for call in index.calls.values()] == [outer, submitted, inner]


def test_a_strand_that_a_call_starts_is_named_by_its_branch() -> None:
    index = fold(began(0), inside(1, 0), Branched(2, 1, 0, "1"), began(1, branch=2))
    assert index.branches[2].id == branch_id(index.branches[1].id, None, "1")
    assert [call.number for call in index.parents(index.calls[1])] == [0], "and still inside the call"


NESTED: list[AnyLine] = [began(0), inside(1, 0), began(1, 1, task=1), inside(2, 1, parent=1), began(2, 2)]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (NESTED, [0, 0, 1]),
        ([*NESTED, succeeded(2)], [0, 1, 0]),
        ([*NESTED, succeeded(2), succeeded(1)], [1, 0, 0]),
        ([*NESTED, succeeded(2), succeeded(1), succeeded(0)], [0, 0, 0]),
        ([*NESTED, began(3, 2, occurrence=1)], [0, 0, 1, 1]),
        ([*NESTED, opened(2), *NESTED], [0, 0, 2]),
        ([*NESTED, opened(2)], [0, 0, 1]),
        ([*NESTED, opened(2), began(0)], [1, 0, 1]),
        ([*NESTED, Replaced(2, 9)], [0, 0, 0]),
        ([*NESTED, Replaced(2, 9), opened(2), *NESTED], [0, 0, 1]),
    ],
    ids=[
        "the innermost", "the one around it", "the outermost", "none", "two side by side", "twice",
        "an attempt that did nothing", "an attempt that did not come far", "replaced on purpose",
        "only once on purpose",
    ],
)  # fmt: skip
def test_of_open_calls_the_innermost_were_interrupted(lines: list[AnyLine], wanted: list[int]) -> None:
    assert interruptions(*lines) == wanted


def test_while_its_process_lives_a_call_is_open_and_not_interrupted() -> None:
    index = JournalIndex().feed([opened(), LOAD, SAVE, *NESTED, succeeded(2)])
    assert [call.number for call in index.open_calls()] == [0, 1]
    assert not any(call.interruptions for call in index.calls.values())
    index.close_attempt()
    assert index.open_calls() == []


def test_an_end_with_a_row_is_an_end() -> None:
    row = CallRow("id", 0, "flows.load", "", CallState.SUCCEEDED, 0, 1, inputs="x=1")
    index = fold(began(0), EndedRow(succeeded(0), row))
    assert (index.calls[0].ended, index.calls[0].row) == (succeeded(0), row)
    assert views_of(index)[0].inputs == "x=1"


def test_reads_are_kept_by_branch_and_key_in_order() -> None:
    reads = [Read(0, "a", 0, (ONE,), False), Read(0, "b", 0, (), True), Read(0, "a", 1, (ONE,), True)]
    assert fold(*reads).reads == {(0, "a"): [reads[0], reads[2]], (0, "b"): [reads[1]]}


def test_the_newest_counts_and_rules_hold() -> None:
    counted = [Counted((GroupRow("", "load", succeeded=number),)) for number in (1, 2)]
    index = fold(Retried(1, "unchanged", (), False), *counted)
    assert index.groups == counted[1]
    assert index.retried == Retried(1, "unchanged", (), False)


@pytest.mark.parametrize(
    ("letter", "state"),
    [
        ("S", CallState.SUCCEEDED),
        ("F", CallState.FAILED),
        ("K", CallState.SKIPPED),
        ("C", CallState.CANCELLED),
    ],
)
def test_a_view_shows_how_a_call_ended(letter: str, state: CallState) -> None:
    ended = Ended(0, letter, 25, ONE, NO, "because", "cached")
    (view,) = views_of(fold(began(0), Tried(0, 1, 5, 6, NO), Tried(0, 2, 7, 8, NO), ended))
    assert (view.state, view.reason, view.mark, view.failure, view.value) == (state, "because", "cached", NO, ONE)
    assert (view.started_at_us, view.ended_at_us, view.attempts) == (10, 25, 3)


def test_views_come_in_the_order_of_start_with_their_place_in_the_flow() -> None:
    views = views_of(
        fold(*NESTED, succeeded(2), Noted(1, 2, 30, "one"), Noted(2, -1, 30, "run"), Noted(3, 2, 30, "two"))
    )
    assert [(view.call, view.parent) for view in views] == [(0, -1), (1, 0), (2, 1)]
    assert [view.path for view in views] == [("load",), ("load", "save"), ("load", "save", "load")]
    assert [view.notes for view in views] == [(), (), ("one", "two")]
    assert (views[1].task, views[1].kind) == ("flows.save", "task")


def test_a_short_name_is_the_last_part() -> None:
    assert [short_name(name) for name in ("flows.daily.load", "load", "")] == ["load", "load", ""]
