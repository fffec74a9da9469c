"""A call under way, and a call that is over."""

from __future__ import annotations

from typing import Any

from kapelle.core.identity import finish_call_id, idempotency_key
from kapelle.engine.groups import Group
from kapelle.engine.state import TaskEntry
from kapelle.engine.strand import Strand
from kapelle.engine.values.fingerprint import Fingerprint
from kapelle.model.journal import Started
from kapelle.model.outcomes import Outcome
from kapelle.ports.session import TaskInfo

NO_INPUTS = Fingerprint(b"", True, ())


class Call:
    """One call under way.

    number    its number in the journal (-1: not written yet)
    strand    the branch that made it; `group` where it is counted
    tried     attempts that failed, in this and earlier processes
    expired   its time is over, and the interrupt that says so is its own
    closed    its end is written
    snapshot  what its arguments looked like before, if they can change
    """

    __slots__ = (
        "_id", "_key", "_occurrence", "cache_key", "closed", "definition", "engine", "entry", "expired", "group",
        "inputs", "not_before_us", "number", "snapshot", "started_us", "strand", "tried", "values",
    )  # fmt: skip

    def __init__(
        self,
        strand: Strand,
        entry: TaskEntry,
        key: str,
        occurrence: int,
        values: tuple[Any, ...],
        inputs: Fingerprint,
        group: Group,
    ) -> None:
        self.engine = strand.engine
        self.strand = strand
        self.entry = entry
        self.definition = entry.definition
        self._id: bytes | None = None
        self._key = key
        self._occurrence = occurrence
        self.values = values
        self.inputs = inputs
        self.group = group
        self.number = -1
        self.tried = 0
        self.not_before_us = 0
        self.started_us = 0
        self.expired = False
        self.closed = False
        self.snapshot: Any = None
        self.cache_key: Any = None

    @property
    def id(self) -> bytes:
        """Its identity; computed when somebody asks for it."""
        if self._id is None:
            seed = self.strand.slot(self.entry).seed
            self._id = finish_call_id(seed, self.inputs.digest, self._key, self._occurrence)
        return self._id

    def start_line(self) -> Started:
        """The line that says that it starts; `number` and `started_us` are set."""
        return Started(
            self.number,
            self.strand.branch,
            self._key,
            self.entry.number,
            self.inputs.digest.hex(),
            self._occurrence,
            self.started_us,
        )

    @property
    def attempt(self) -> int:
        """The attempt that runs now, 1 for the first."""
        return self.tried + 1

    @property
    def name(self) -> str:
        """What its author calls it by `run_name=`, or ""."""
        template = self.definition.run_name
        if not template:
            return ""
        try:
            return template.format(**dict(zip(self.definition.parameters, self.values, strict=False)))
        except Exception:
            return template

    @property
    def idempotency_key(self) -> str:
        """The key for outside services, the same for every start of this call."""
        run = self.engine.info
        return idempotency_key(run.id, run.generation, self.id)

    def info(self) -> TaskInfo:
        """The call as its own code may see it."""
        run = self.engine.info
        return TaskInfo(
            id=self.id.hex(),
            task=self.entry.name,
            name=self.name or self.entry.name.rsplit(".", 1)[-1],
            attempt=self.attempt,
            idempotency_key=self.idempotency_key,
            run=run,
            logger=run.logger.getChild(self.entry.name.rsplit(".", 1)[-1]),
        )


class Settled:
    """A call whose end is known without running it: replayed, reused, cached or skipped."""

    __slots__ = ("number", "outcome")

    def __init__(self, outcome: Outcome[Any], number: int) -> None:
        self.outcome = outcome
        self.number = number

    def get(self) -> Any:
        """Its value, or what it raised."""
        return self.outcome.get()
