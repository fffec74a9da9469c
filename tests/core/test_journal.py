"""What a journal says: the fold of its lines."""

import msgspec
import pytest

from kapelle.core.journal import JournalIndex, index_of, read_lines, views_of
from kapelle.model.calls import CallRow, CallState
from kapelle.model.errors import ValueRefused
from kapelle.model.failures import Failure
from kapelle.model.journal import (
    JOURNAL_VERSION,
    AnyLine,
    Branched,
    Counted,
    Defined,
    Ended,
    EndedPlainly,
    EndedRow,
    Finished,
    Line,
    Noted,
    Opened,
    Read,
    Remembered,
    Replaced,
    Retried,
    Started,
    Tried,
)
from kapelle.model.values import StoredValue

VALUE = StoredValue("json", inline=msgspec.Raw(b"1"), size=1)
NO = Failure("ValueError", message="no")


def opened(number: int = 1, version: int = JOURNAL_VERSION) -> Opened:
    return Opened(version, "run", 1, number, f"id{number}", 0, 1, "host", "0.1", 1)


def started(call: int, branch: int = 0, occurrence: int = 0) -> Started:
    return Started(call, branch, "", 0, "00" * 16, occurrence, 10 + call)


TASK = Defined(0, "task", "flows.load", "code", "flows.py", 1)
ROW = CallRow("id", 0, "flows.load", "", CallState.SUCCEEDED, 0, 1, inputs="x=1")
EVERY_LINE: list[Line] = [
    opened(), TASK, Branched(1, 0, -1, "1"), started(0), Tried(0, 1, 1, 2, NO), Ended(0, "S", 3, VALUE),
    EndedRow(Ended(0, "F", 3, None, NO), ROW), Remembered(0, "k", "t", (("inputs", "x"),), 1, None, VALUE),
    Read(0, "k", 0, (VALUE,), False), Noted(1, -1, 30, "text"), Retried(1, "unchanged", ("load",), False),
    Replaced(0, 1), Counted(()), Finished("succeeded", 9, "", VALUE),
]  # fmt: skip


def bytes_of(*lines: Line) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def fold(*lines: Line) -> JournalIndex:
    return index_of([bytes_of(*lines)])


@pytest.mark.parametrize("line", EVERY_LINE, ids=lambda line: type(line).__name__)
def test_every_kind_of_line_is_read_again(line: AnyLine) -> None:
    assert list(read_lines([bytes_of(line)])) == [line]


def test_every_kind_of_line_is_tried() -> None:
    assert {type(line) for line in EVERY_LINE} == set(Line.__subclasses__()) - {EndedPlainly}


def test_the_short_form_of_an_end_is_read_as_the_end() -> None:
    (line,) = read_lines([bytes_of(EndedPlainly(0, "S", 5, ("json", 7)))])
    assert line == Ended(0, "S", 5, StoredValue("json", inline=msgspec.Raw(b"7")))


def test_a_torn_last_line_was_never_written() -> None:
    whole = bytes_of(opened(), TASK, started(0))
    torn = bytes_of(Ended(0, "S", 5, VALUE))
    for length in range(len(torn)):
        (call,) = index_of([whole + torn[:length]]).calls.values()
        assert call.ended is None
    assert index_of([whole + torn]).calls[0].ended is not None


def test_a_damaged_line_is_told_about() -> None:
    with pytest.raises(ValueRefused, match="damaged line"):
        index_of([bytes_of(opened()) + b'["s",broken]\n'])
    with pytest.raises(ValueRefused, match="damaged line"):
        index_of([bytes_of(opened()) + b"\0\0\0\n"])


def test_a_journal_of_a_newer_kapelle_is_refused() -> None:
    with pytest.raises(ValueRefused, match="has format") as refused:
        fold(opened(version=JOURNAL_VERSION + 1))
    assert "install Kapelle" in str(refused.value)


def test_a_call_that_was_open_when_its_process_died_was_interrupted() -> None:
    index = fold(opened(), TASK, started(0), opened(2), started(0))
    assert index.calls[0].interruptions == 2
    assert fold(opened(), TASK, started(0), opened(2), started(0), Ended(0, "S", 5)).calls[0].interruptions == 1


def test_only_the_innermost_open_calls_count_as_interrupted() -> None:
    lines = [opened(), TASK, started(0), Branched(1, 0, 0, ""), started(1, branch=1), started(2)]
    index = fold(*lines)
    assert [call.interruptions for call in index.calls.values()] == [0, 1, 1]


def test_a_process_that_was_replaced_on_purpose_interrupted_nothing() -> None:
    index = fold(opened(), TASK, started(0), Replaced(0, 5), opened(2), started(0))
    assert index.calls[0].interruptions == 1, "only the second death counts"


def test_the_first_reusable_end_counts() -> None:
    index = fold(opened(), TASK, started(0), Ended(0, "S", 5, VALUE), started(0), Ended(0, "F", 6, None, NO))
    assert index.calls[0].ended == Ended(0, "S", 5, VALUE)
    index = fold(opened(), TASK, started(0), Ended(0, "S", 5, VALUE, reusable=False), started(0), Ended(0, "F", 6))
    assert index.calls[0].ended == Ended(0, "F", 6)


def test_a_later_attempt_opens_a_finished_generation_again() -> None:
    assert fold(opened(), Finished("failed", 5)).finished is not None
    assert fold(opened(), Finished("failed", 5), opened(2)).finished is None


def test_the_identity_of_a_call_follows_from_its_lines() -> None:
    index = fold(opened(), TASK, Branched(1, 0, -1, "1"), started(0), started(1, branch=1), started(2, occurrence=1))
    assert len(index.by_id) == 3
    assert all(index.by_id[call.id] is call for call in index.calls.values())


def test_views_say_how_each_call_stands() -> None:
    lines = [opened(), TASK, started(0), Branched(1, 0, 0, ""), started(1, branch=1), Tried(1, 1, 5, 6, NO)]
    outer, inner = views_of(fold(*lines, Noted(7, 1, 30, "look")))
    assert (outer.state, outer.reason, outer.path) == (CallState.PENDING, "interrupted", ("load",))
    assert (inner.path, inner.parent, inner.attempts) == (("load", "load"), 0, 2)
    assert (inner.failure, inner.notes) == (NO, ("look",))
    (running, _) = views_of(fold(*lines), alive=True)
    assert running.state is CallState.RUNNING
