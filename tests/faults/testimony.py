"""What a run that was killed may and may not have done, told from its witness file and from its journals.

The witness says which calls started and ended, in which life of the run; the journal says, at each kill, which calls
had ended on record. `judge` compares the two:

* A call whose end was on record at a kill does not start again in a later life, whatever its outcome.
* A call that starts again was open in the journal at the kill before: cut off, and nothing else.
* Whatever starts is in the journal already, and keeps its idempotency key through all lives.
* The number of an attempt never goes back.

`judge_sequence` needs no journal: in a flow that does one thing after the other, a call is over for ever once another
one has begun behind it.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kapelle.core.journal import JournalIndex, read_lines


@dataclass(frozen=True)
class Seen:
    """A line of the witness."""

    life: int
    at_us: int
    phase: str
    task: str
    args: tuple[Any, ...]
    call: str
    attempt: int
    key: str


@dataclass(frozen=True)
class Standing:
    """How the calls of the run stood on record when one of its lives was over."""

    ended: frozenset[str]
    open: frozenset[str]


def testimony(path: Path) -> list[Seen]:
    """The lines of a witness file; one that is torn was not seen."""
    text = path.read_bytes() if path.exists() else b""
    lines = text[: text.rfind(b"\n") + 1].splitlines()
    found = []
    for life, at_us, phase, task, args, call, attempt, key in map(json.loads, lines):
        found.append(Seen(life, at_us, phase, task, tuple(args), call, attempt, key))
    return found


class Journals:
    """The journals of all lives of a run, read from its spools after each kill: before they are shipped and removed."""

    def __init__(self) -> None:
        self.index = JournalIndex()
        self._read: set[str] = set()

    def take(self, runs: Path) -> Standing | None:
        """Read what the life that is over has left; None if it left nothing, because nothing ran or all is shipped."""
        spools = [spool for spool in runs.glob("*/*.journal") if spool.name not in self._read]
        if not spools:
            return None
        for spool in sorted(spools, key=lambda path: int(path.name.split(".")[1])):
            self._read.add(spool.name)
            self.index.feed(read_lines([spool.read_bytes()]))
        known = self.index.by_id.values()
        return Standing(
            ended=frozenset(call.id.hex() for call in known if call.ended is not None and call.ended.reusable),
            open=frozenset(call.id.hex() for call in known if call.ended is None or not call.ended.reusable),
        )


def judge(seen: list[Seen], standing: dict[int, Standing]) -> None:
    """`standing` is how the calls stood at the end of each life that was cut off."""
    keys: dict[str, set[str]] = defaultdict(set)
    lives: dict[str, list[int]] = defaultdict(list)
    attempts: dict[str, list[int]] = defaultdict(list)
    names: dict[str, str] = {}
    for line in seen:
        if line.phase == "start" and line.call:
            keys[line.call].add(line.key)
            lives[line.call].append(line.life)
            attempts[line.call].append(line.attempt)
            names[line.call] = f"{line.task}{line.args}"
    for call, started in lives.items():
        for before, after in itertools.pairwise(started):
            for life in range(before, after):
                if life in standing:
                    assert call not in standing[life].ended, f"{names[call]} ended in life {life}, ran again in {after}"
        for life in set(started):
            if life in standing:
                known = standing[life].open | standing[life].ended
                assert call in known, f"{names[call]} ran in life {life} and is not in its journal"
    changed = {names[call]: each for call, each in keys.items() if len(each) > 1}
    assert not changed, f"the idempotency key changed: {changed}"
    backwards = {names[call]: each for call, each in attempts.items() if each != sorted(each)}
    assert not backwards, f"the attempts went back: {backwards}"


def judge_sequence(seen: list[Seen]) -> None:
    """Of a flow that makes one call after the other: what another call has followed never starts again."""
    over: set[str] = set()
    newest = ""
    for line in seen:
        if line.phase != "start":
            continue
        assert line.call not in over, f"{line.task}{line.args} started again in life {line.life}, long after its end"
        if newest and newest != line.call:
            over.add(newest)
        newest = line.call
