"""Strands: the branches of a run, in the process that runs it.

A strand belongs to code that runs in sequence: the flow's own, the inside of a call, an asyncio task, the work of an
executor. It counts equal calls, numbers what it starts, and knows the call around it. What its code may ask of it is
in `session`, whose class extends this one.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from kapelle.core.identity import ROOT_BRANCH, branch_id, call_seed
from kapelle.engine.groups import Group
from kapelle.engine.interrupts import Lane
from kapelle.engine.state import Engine, TaskEntry


class Slot:
    """What a branch knows of one task: what its calls' identities have in common, and how many equal calls it made."""

    __slots__ = ("occurrences", "seed")

    def __init__(self, seed: blake2b) -> None:
        self.seed = seed
        self.occurrences: dict[bytes, int] = {}

    def occurrence(self, inputs: bytes) -> int:
        """How many calls with these inputs there were before; counts this one."""
        count = self.occurrences.get(inputs, 0)
        self.occurrences[inputs] = count + 1
        return count


class Strand:
    """One branch.

    parent   the branch that started it; None for the flow's own code
    around   the call around it; None outside calls
    key      what tells it from its siblings; "" for the inside of a call
    lane     how its thread is interrupted
    is_async whether its code runs in an event loop
    """

    __slots__ = (
        "_id",
        "around",
        "branch",
        "counts",
        "engine",
        "futures",
        "group",
        "is_async",
        "is_detached",
        "key",
        "lane",
        "next_key",
        "parallel_futures",
        "parent",
        "slots",
    )  # fmt: skip

    def __init__(
        self, engine: Engine, parent: Strand | None, around: Any, key: str, group: Group, lane: Lane, is_async: bool
    ) -> None:
        self.engine = engine
        self.parent = parent
        self.around = around
        self.key = key
        self.group = group
        self.lane = lane
        self.is_async = is_async
        self.is_detached = False
        self.counts: dict[bytes, int] | None = None
        self.slots: dict[int, Slot] | None = None
        self.next_key = 0
        self.futures: dict[Any, None] | None = None
        self.parallel_futures: list[Any] | None = None
        self._id: bytes | None = ROOT_BRANCH if parent is None else None
        self.branch = 0 if parent is None else -1

    @property
    def id(self) -> bytes:
        """The branch's identity; computed when its first call needs it."""
        if self._id is None:
            assert self.parent is not None
            inside = self.around.id if self.key == "" else None
            self._id = branch_id(b"" if inside is not None else self.parent.id, inside, self.key)
        return self._id

    @property
    def number(self) -> int:
        """The branch's number in the journal; written there when it is first asked for."""
        if self.branch < 0:
            assert self.parent is not None
            call = self.around.number if self.around is not None else -1
            self.branch = self.engine.recorder.branch_number(self.id, self.parent.number, call, self.key)
        return self.branch

    def define(self) -> None:
        """See that the branch is in the journal, before a line that names it is written under the recorder's lock."""
        if self.branch < 0:
            self.number  # noqa: B018  (asking for it defines it)

    def slot(self, entry: TaskEntry) -> Slot:
        """What this branch knows of one task."""
        slots = self.slots
        if slots is None:
            slots = self.slots = {}
        slot = slots.get(entry.number)
        if slot is None:
            slot = slots[entry.number] = Slot(call_seed(self.id, entry.name))
        return slot

    def count(self, what: bytes) -> int:
        """How often this branch asked for something that is no call; counts this time."""
        if self.counts is None:
            self.counts = {}
        count = self.counts.get(what, 0)
        self.counts[what] = count + 1
        return count

    def new_key(self) -> str:
        """The next number for something that this branch starts."""
        self.next_key += 1
        return str(self.next_key)

    def inside(self, call: Any, is_async: bool, lane: Lane) -> Strand:
        """The branch of the code inside `call`."""
        strand: Strand = self.engine.strand_type(self.engine, self, call, "", call.group, lane, is_async)
        return strand

    def seen_from(self, lane: Lane, is_async: bool) -> Strand:
        """The same branch, for a call that it submitted and that runs in another thread or in the loop."""
        strand: Strand = self.engine.strand_type(
            self.engine, self.parent, self.around, self.key, self.group, lane, is_async
        )
        strand._id, strand.branch, strand.slots, strand.is_detached = (
            self.id,
            self.number,
            self.slots,
            self.is_detached,
        )
        return strand

    def fork(self, key: str, is_async: bool, lane: Lane) -> Strand:
        """A branch beside this one, with the same call around it."""
        strand: Strand = self.engine.strand_type(self.engine, self, self.around, key, self.group, lane, is_async)
        strand.is_detached = self.is_detached
        return strand
