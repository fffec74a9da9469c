"""The lines of a journal: what a run process writes, in order, before it goes on.

A journal belongs to one generation of a run; each attempt appends to it from where the one before stopped. A line is
a JSON array on one line of text, its first element the tag of its kind. Numbers (`task`, `branch`, `call`) name things
that an earlier line of the same generation defined. A torn last line, without its newline, was never written.

Which lines become rows of the store is decided by who writes them: a call that deserves a row is closed with `EndedRow`
instead of `Ended`, so that a reader who wants rows need not look into the other lines.

The format is versioned by `JOURNAL_VERSION`, the first line of each attempt says which it is written in.
"""

from __future__ import annotations

import msgspec

from kapelle.model.calls import CallRow, GroupRow
from kapelle.model.failures import Failure
from kapelle.model.values import StoredValue

JOURNAL_VERSION = 1


class Line(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """A line of a journal."""


class Opened(Line, tag="o", frozen=True):
    """An attempt began to write. `pid` and `host` say where, for the one who finds the spool later."""

    version: int
    run_id: str
    generation: int
    attempt: int
    attempt_id: str
    at_us: int
    pid: int
    host: str
    kapelle: str
    fingerprints: int


class Defined(Line, tag="d", frozen=True):
    """A task, flow or step that calls refer to by number. `code` is the digest of what it computes."""

    task: int
    kind: str
    name: str
    code: str
    file: str
    line: int


class Branched(Line, tag="b", frozen=True):
    """A strand of the run in which calls happen one after the other.

    `parent` is the branch that made it, `call` the call whose inside it is (-1: no call's), `key` what tells it from
    its siblings by order of creation.
    """

    branch: int
    parent: int
    call: int
    key: str


class Started(Line, tag="s", frozen=True):
    """A call is about to run. Written before the first line of user code of the call.

    `key` tells a submitted call from its siblings ("" for a direct call); `inputs` is the fingerprint of its arguments
    in hexadecimal; `occurrence` counts equal calls in one branch. The call's identity follows from branch, key,
    task name, inputs and occurrence.
    """

    call: int
    branch: int
    key: str
    task: int
    inputs: str
    occurrence: int
    at_us: int


class Tried(Line, tag="a", frozen=True):
    """An attempt of a call failed and another will follow, not before `next_at_us`."""

    call: int
    attempt: int
    at_us: int
    next_at_us: int
    failure: Failure


class Ended(Line, tag="e", frozen=True):
    """A call is over. `state` is S(ucceeded), F(ailed), K (skipped) or C(ancelled).

    mark         "" or how the outcome came about without running: "reused" (earlier generation), "cached"
    reusable     False for a call that changed an argument in place: it runs again on replay
    mutated      the changed arguments that `mutates=` declares, in that order, restored on replay
    """

    call: int
    state: str
    at_us: int
    value: StoredValue | None = None
    failure: Failure | None = None
    reason: str = ""
    mark: str = ""
    reusable: bool = True
    mutated: tuple[StoredValue, ...] = ()


class EndedPlainly(Line, tag="e", frozen=True):
    """The same line, for writing the end of a call that succeeded with a plain JSON value; read as an `Ended`."""

    call: int
    state: str
    at_us: int
    value: tuple[str, int | bool | None]


class EndedRow(Line, tag="E", frozen=True):
    """A call is over, and has a row of its own."""

    ended: Ended
    row: CallRow


class Remembered(Line, tag="k", frozen=True):
    """The result of a call enters the project's cache. `parts` are the digests that the key was made of."""

    call: int
    key: str
    task: str
    parts: tuple[tuple[str, str], ...]
    at_us: int
    expires_at_us: int | None
    value: StoredValue


class Read(Line, tag="i", frozen=True):
    """A chunk of the items that a map read from an iterator, so that a replay maps what was read then."""

    branch: int
    key: str
    first: int
    values: tuple[StoredValue, ...]
    last: bool


class Noted(Line, tag="n", frozen=True):
    """Something that a person should know about the run or one call (-1: the run). `level` is a logging level."""

    at_us: int
    call: int
    level: int
    text: str


class Retried(Line, tag="r", frozen=True):
    """This generation is a retry: by which rules it takes outcomes of the generation before."""

    before: int
    mode: str
    again: tuple[str, ...]
    also_handled: bool


class Replaced(Line, tag="x", frozen=True):
    """The process ends here on purpose, because `call` cannot be stopped otherwise: nothing else was at fault."""

    call: int
    at_us: int


class Counted(Line, tag="g", frozen=True):
    """Counts per group, written at the end of an attempt and now and then before."""

    groups: tuple[GroupRow, ...]


class Finished(Line, tag="f", frozen=True):
    """The generation is over. `fatal` are the calls whose failures ended it; `unclaimed` counts outcomes that a replay
    did not ask for."""

    state: str
    at_us: int
    reason: str = ""
    value: StoredValue | None = None
    failure: Failure | None = None
    fatal: tuple[int, ...] = ()
    unclaimed: int = 0


AnyLine = (
    Opened | Defined | Branched | Started | Tried | Ended | EndedRow | Remembered | Read | Noted | Retried | Replaced
    | Counted | Finished
)  # fmt: skip


class OutputLine(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A line of a run's output: what it printed or logged.

    stream  "out" | "err" | "log"; `level` is a logging level (20 for out, 30 for err); `call` is -1 outside calls.
    """

    at_us: int
    call: int
    attempt: int
    stream: str
    level: int
    logger: str
    text: str
    task: str = ""
