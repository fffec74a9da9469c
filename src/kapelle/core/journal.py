"""What a journal says: the fold of its lines into an index that a replay asks.

The index is built from all attempts of one generation, in order. It knows every call by its identity, how it ended,
how often it was cut off, and the numbers that the next attempt goes on with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kapelle.core.identity import ROOT_BRANCH, branch_id, call_seed, finish_call_id
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
    EndedRow,
    Finished,
    Noted,
    Opened,
    Read,
    Replaced,
    Retried,
    Started,
    Tried,
)
from kapelle.model.values import StoredValue

STATE_LETTERS = {
    "S": CallState.SUCCEEDED,
    "F": CallState.FAILED,
    "K": CallState.SKIPPED,
    "C": CallState.CANCELLED,
}
LETTERS = {state: letter for letter, state in STATE_LETTERS.items()}

_decoder = msgspec.json.Decoder(AnyLine)


class Recorded:
    """What the journal knows of one call."""

    __slots__ = ("branch", "claimed", "ended", "id", "interruptions", "number", "row", "started", "task", "tried")

    def __init__(self, number: int, identity: bytes, task: int, branch: int, started: Started) -> None:
        self.number = number
        self.id = identity
        self.task = task
        self.branch = branch
        self.started = started
        self.ended: Ended | None = None
        self.row: CallRow | None = None
        self.tried: list[Tried] = []
        self.interruptions = 0
        self.claimed = False


class BranchEntry:
    """A branch: its id, and the call whose inside it is part of (-1: the flow's own code)."""

    __slots__ = ("call", "id", "key", "parent", "seeds")

    def __init__(self, identity: bytes, parent: int, call: int, key: str) -> None:
        self.id = identity
        self.parent = parent
        self.call = call
        self.key = key
        self.seeds: dict[int, object] = {}


class JournalIndex:
    """The journal of a generation, as a replay asks it. Feed the lines in order."""

    def __init__(self) -> None:
        self.calls: dict[int, Recorded] = {}
        self.by_id: dict[bytes, Recorded] = {}
        self.tasks: dict[int, Defined] = {}
        self.branches: dict[int, BranchEntry] = {0: BranchEntry(ROOT_BRANCH, -1, -1, "")}
        self.reads: dict[tuple[int, str], list[Read]] = {}
        self.notes: list[Noted] = []
        self.attempts: list[Opened] = []
        self.groups: Counted | None = None
        self.finished: Finished | None = None
        self.retried: Retried | None = None
        self._replaced = False
        self._open: dict[int, Recorded] = {}

    def feed(self, lines: Iterable[AnyLine]) -> JournalIndex:
        """Take in decoded lines. A Defined that repeats a number replaces it."""
        for line in lines:
            kind = type(line)
            if kind is Started:
                self._start(line)  # type: ignore[arg-type]
            elif kind is Ended:
                self._end(line)  # type: ignore[arg-type]
            elif kind is EndedRow:
                self._end(line.ended).row = line.row  # type: ignore[union-attr]
            else:
                self._other(line)
        return self

    def close_attempt(self) -> None:
        """The process that wrote the journal is gone: calls that it left open were interrupted.

        Only the innermost open calls count as interrupted: what surrounds them was merely waiting.
        """
        surrounding = {self.branches[call.branch].call for call in self._open.values()}
        for number, call in self._open.items():
            if number not in surrounding and not self._replaced:
                call.interruptions += 1
        self._open.clear()
        self._replaced = False

    def open_calls(self) -> list[Recorded]:
        """Calls that started and have not ended in the newest attempt."""
        return list(self._open.values())

    def parents(self, call: Recorded) -> Iterator[Recorded]:
        """The calls around a call, from the inside out."""
        number = self.branches[call.branch].call
        while number >= 0:
            parent = self.calls[number]
            yield parent
            number = self.branches[parent.branch].call

    def _start(self, line: Started) -> None:
        known = self.calls.get(line.call)
        if known is not None:
            known.started = line
            self._open[line.call] = known
            return
        branch = self.branches[line.branch]
        seed = branch.seeds.get(line.task)
        if seed is None:
            seed = branch.seeds[line.task] = call_seed(branch.id, self.tasks[line.task].name)
        identity = finish_call_id(seed, bytes.fromhex(line.inputs), line.key, line.occurrence)  # type: ignore[arg-type]
        call = Recorded(line.call, identity, line.task, line.branch, line)
        self.calls[line.call] = self.by_id[identity] = self._open[line.call] = call

    def _end(self, line: Ended) -> Recorded:
        call = self.calls[line.call]
        if call.ended is None or not call.ended.reusable:
            call.ended = line
        self._open.pop(line.call, None)
        return call

    def _other(self, line: AnyLine) -> None:
        match line:
            case Defined():
                self.tasks[line.task] = line
            case Branched():
                parent = self.branches[line.parent]
                call = self.calls[line.call].id if line.call >= 0 and line.key == "" else None
                identity = branch_id(parent.id, call, line.key)
                self.branches[line.branch] = BranchEntry(identity, line.parent, line.call, line.key)
            case Tried():
                self.calls[line.call].tried.append(line)
            case Read():
                self.reads.setdefault((line.branch, line.key), []).append(line)
            case Noted():
                self.notes.append(line)
            case Retried():
                self.retried = line
            case Replaced():
                self._replaced = True
            case Counted():
                self.groups = line
            case Finished():
                self.finished = line
            case Opened():
                if line.version > JOURNAL_VERSION:
                    raise ValueRefused(
                        f"the journal of this run has format {line.version}; this Kapelle reads {JOURNAL_VERSION}",
                        hint=f"install Kapelle {line.kapelle} or newer",
                    )
                self.close_attempt()
                self.finished = None
                self.attempts.append(line)
            case _:
                pass


def read_lines(chunks: Iterable[bytes]) -> Iterator[AnyLine]:
    """The lines in pieces of a journal. A torn last line is left out; a damaged one raises ValueRefused."""
    for chunk in chunks:
        whole = chunk[: chunk.rfind(b"\n") + 1]
        try:
            yield from _decoder.decode_lines(whole)
        except msgspec.MsgspecError as error:
            raise ValueRefused("the journal has a damaged line", cause=str(error)) from error


def index_of(chunks: Iterable[bytes]) -> JournalIndex:
    """The index of a journal whose writer is gone."""
    index = JournalIndex().feed(read_lines(chunks))
    index.close_attempt()
    return index


class CallView(msgspec.Struct, frozen=True):
    """A call as people are shown it. `path` are the short names from the flow down to the task."""

    id: str
    call: int
    parent: int
    path: tuple[str, ...]
    task: str
    kind: str
    state: CallState
    mark: str
    started_at_us: int
    ended_at_us: int | None
    attempts: int
    interruptions: int
    failure: Failure | None
    reason: str
    inputs: str
    notes: tuple[str, ...]
    value: StoredValue | None


def short_name(task: str) -> str:
    """The last part of a task's name."""
    return task.rsplit(".", 1)[-1]


def views_of(index: JournalIndex, *, alive: bool = False) -> list[CallView]:
    """All calls of a journal in the order of their start. An open call runs while its process lives."""
    notes: dict[int, list[str]] = {}
    for note in index.notes:
        notes.setdefault(note.call, []).append(note.text)
    return [_view(index, call, tuple(notes.get(call.number, ())), alive) for call in index.calls.values()]


def _view(index: JournalIndex, call: Recorded, notes: tuple[str, ...], alive: bool) -> CallView:
    task, ended = index.tasks[call.task], call.ended
    outer = [short_name(index.tasks[parent.task].name) for parent in index.parents(call)]
    state = STATE_LETTERS[ended.state] if ended else CallState.RUNNING if alive else CallState.PENDING
    return CallView(
        id=call.id.hex(),
        call=call.number,
        parent=index.branches[call.branch].call,
        path=(*reversed(outer), short_name(task.name)),
        task=task.name,
        kind=task.kind,
        state=state,
        mark=ended.mark if ended else "",
        started_at_us=call.started.at_us,
        ended_at_us=ended.at_us if ended else None,
        attempts=len(call.tried) + 1,
        interruptions=call.interruptions,
        failure=ended.failure if ended else (call.tried[-1].failure if call.tried else None),
        reason=ended.reason if ended else "" if alive else "interrupted",
        inputs=call.row.inputs if call.row else "",
        notes=notes,
        value=ended.value if ended else None,
    )
