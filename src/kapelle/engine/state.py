"""The state of one run in this process: what all calls of it share.

`Engine` holds things and answers small questions; what happens to a call is in `calls`, what is started beside the
flow in `submit` and `mapping`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kapelle.core.journal import JournalIndex
from kapelle.core.retry import Reuse
from kapelle.engine.groups import Group
from kapelle.engine.interrupts import Deadlines, Lane
from kapelle.engine.recorder import Recorder
from kapelle.engine.values.code import code_digest
from kapelle.model.definitions import Definition
from kapelle.model.errors import DuplicateName, RunCancelled
from kapelle.model.journal import Noted
from kapelle.model.runs import Attempt
from kapelle.ports.clock import Chance, Clock
from kapelle.ports.runner import Runner
from kapelle.ports.session import RunInfo
from kapelle.ports.supervisor import Supervisor

logger = logging.getLogger("kapelle")


@dataclass(frozen=True)
class Options:
    """How this run is executed.

    strict        a task that changes an argument fails; else its call is only not reusable
    look_closely  arguments are compared in full after each call; else large ones by a sample
    use_cache     look results up in the project's cache and put them there
    environment   digest of the installed packages, asked for when a cache key needs it
    is_project    whether a source file belongs to the project, for code digests
    window        how many calls of a map may be under way at once
    grace_s       how long cancelled code may clean up
    persist_bytes encoded values above this are kept only where the author says so
    """

    strict: bool = True
    look_closely: bool = False
    use_cache: bool = True
    environment: Callable[[], str] = lambda: ""
    is_project: Callable[[str], bool] = lambda file: True
    window: int = 256
    grace_s: float = 10.0
    persist_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True)
class Parts:
    """What an engine is made from: all of it handed in by `wiring`."""

    attempt: Attempt
    name: str
    flow: str
    project: str
    parameters: Mapping[str, Any]
    tags: tuple[str, ...]
    recorder: Recorder
    supervisor: Supervisor
    clock: Clock
    chance: Chance
    runner: Runner
    index: JournalIndex
    reuse: Reuse | None = None
    options: Options = field(default_factory=Options)


class TaskEntry:
    """A definition as this run knows it: its number in the journal and the digest of its code."""

    __slots__ = ("code", "definition", "is_simple", "name", "number")

    def __init__(self, number: int, definition: Definition, name: str, code: str) -> None:
        self.number = number
        self.definition = definition
        self.name = name
        self.code = code
        self.is_simple = not (
            definition.hooks or definition.mutates or definition.cache or definition.run_name or definition.index
        )


class Engine:
    """One run in this process."""

    def __init__(self, parts: Parts, strand_type: type[Any], flow: Definition) -> None:
        self.parts = parts
        self.recorder = parts.recorder
        self.supervisor = parts.supervisor
        self.clock = parts.clock
        self.now_us = parts.clock.now_us
        self.chance = parts.chance
        self.runner = parts.runner
        self.index = parts.index
        self.reuse = parts.reuse
        self.options = parts.options
        self.strand_type = strand_type
        self.flow = flow
        self.replays = bool(parts.index.calls)
        self.root = Group((flow.name.rsplit(".", 1)[-1],), flow.name, "flow")
        self.deadlines = Deadlines(parts.clock.monotonic_s)
        self.cancelled: str | None = None
        self.cancel_hooks: dict[object, Callable[[], None]] = {}
        self.lanes: dict[int, Lane] = {}
        self.limits: dict[str, Any] = {}
        self.submitted = False
        self.output: Any = None
        self.loop: Any = None
        self.loop_thread: Any = None
        self.main_task: Any = None
        self.asyncio_tasks: set[Any] = set()
        self.on_stuck: Callable[[Any], None] | None = None
        self.started_us = parts.clock.now_us()
        self._entries: dict[Definition, TaskEntry] = {}
        self._by_name: dict[str, Definition] = {}
        self.lock = threading.RLock()
        self._waiters: set[threading.Event] = set()
        self._noted: set[tuple[int, str]] = set()
        self.info = RunInfo(
            id=parts.attempt.run_id,
            name=parts.name,
            flow=parts.flow,
            project=parts.project,
            generation=parts.attempt.generation,
            attempt=parts.attempt.number,
            parameters=parts.parameters,
            tags=parts.tags,
            logger=logging.getLogger(f"kapelle.run.{flow.name}"),
        )

    # Tasks

    def entry(self, definition: Definition) -> TaskEntry:
        """The run's entry of a definition; made, and written into the journal, when it is first used."""
        found = self._entries.get(definition)
        return found if found is not None else self._enter(definition)

    def _enter(self, definition: Definition) -> TaskEntry:
        with self.lock:
            other = self._by_name.setdefault(definition.name, definition)
        if other is not definition and not _same_function(other, definition):
            raise DuplicateName(
                f"two different functions carry the name {definition.name}",
                cause="the records of their calls could not be told apart",
                where=f"{other.file}:{other.line} and {definition.file}:{definition.line}",
                hint='give one of them a name of its own: @task(name="…")',
            )
        code = code_digest(definition.fn, self.options.is_project)
        name = self._recorded_name(definition)
        number = self.recorder.task_number(definition.kind, name, code, definition.file, definition.line)
        entry = self._entries[definition] = TaskEntry(number, definition, name, code)
        return entry

    def _recorded_name(self, definition: Definition) -> str:
        """The task's name, or the former one under which this run knows it, so that a rename loses no outcome."""
        if definition.aliases:
            indexes = [self.index] if self.reuse is None else [self.index, self.reuse.index]
            known = {task.name for index in indexes for task in index.tasks.values()}
            if definition.name not in known:
                return next((alias for alias in definition.aliases if alias in known), definition.name)
        return definition.name

    # Notes

    def note(self, text: str, *, call: int = -1, level: int = logging.WARNING, once: bool = True) -> None:
        """Tell people something about the run or a call: in the journal, and in the log from a warning on."""
        if once and (call, text) in self._noted:
            return
        self._noted.add((call, text))
        self.recorder.write(Noted(self.clock.now_us(), call, level, text))
        if level >= logging.WARNING:
            logger.log(level, text)

    # Waiting

    def lane(self) -> Lane:
        """The lane of this thread."""
        ident = threading.get_ident()
        lane = self.lanes.get(ident)
        if lane is None:
            lane = self.lanes[ident] = Lane()
        return lane

    def wait_until(
        self, ready: Callable[[], bool], event: threading.Event, lane: Lane, timeout_s: float | None = None
    ) -> bool:
        """Wait for `event` until `ready()`; False after `timeout_s` seconds.

        Raises RunCancelled when the run is cancelled meanwhile, and what else interrupts this thread.
        """
        end = None if timeout_s is None else self.clock.monotonic_s() + timeout_s
        self._waiters.add(event)
        try:
            with self.runner.blocked():
                while not ready():
                    self.check_cancelled()
                    lane.check()
                    left = None if end is None else end - self.clock.monotonic_s()
                    if left is not None and left <= 0:
                        return False
                    event.wait(left)
                    if not ready():
                        event.clear()
        finally:
            self._waiters.discard(event)
        return True

    def pause(self, delay_s: float, lane: Lane) -> None:
        """Let `delay_s` seconds pass; ends early by raising when the run is cancelled."""
        if delay_s > 0:
            self.wait_until(lambda: False, threading.Event(), lane, delay_s)

    def wake_waiters(self) -> None:
        """Have everybody who waits look again."""
        for event in tuple(self._waiters):
            event.set()

    def check_cancelled(self) -> None:
        """Raise RunCancelled if the run is being cancelled."""
        if self.cancelled is not None:
            raise RunCancelled(self.cancelled)

    def cancel(self, reason: str) -> None:
        """Refuse every new start and interrupt what runs. The second time does nothing."""
        with self.lock:
            if self.cancelled is not None:
                return
            self.cancelled = reason
        self.wake_waiters()
        for stop in tuple(self.cancel_hooks.values()):
            stop()
        for lane in tuple(self.lanes.values()):
            self.deadlines.interrupt(lane, RunCancelled)


def _same_function(one: Definition, other: Definition) -> bool:
    """Whether two definitions are of one function: the same object, the same code again (a reload, `with_options`)."""
    return one.fn is other.fn or getattr(one.fn, "__code__", one) == getattr(other.fn, "__code__", other)
