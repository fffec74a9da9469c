"""Runs in this process, and deaths that cost nothing.

A `Bench` plays a flow as an attempt of a run: the real engine, spools, supervisor and shipping, over a store and blobs
in memory. What comes back is a `Life`: how the run ended, what its tasks did (they say so with `did`), and everything
that stands in its journal. A journal line is written before the engine goes on, so the death of the process at some
moment *is* a journal that ends there: `resume(life, after=n)` plays the attempt of a process that finds the first `n`
lines and nothing else. A small flow can be killed at each of its lines in this way, within milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from kapelle.authoring.flows import Flow
from kapelle.authoring.parameters import validate_call
from kapelle.blobs.memory import MemoryBlobs
from kapelle.core.journal import CallView, JournalIndex, index_of, read_lines, views_of
from kapelle.core.retry import RetryPlan
from kapelle.engine.execute import Ending
from kapelle.engine.state import Engine
from kapelle.model.access import Scope
from kapelle.model.calls import CallState
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Entry, NewRun, Run, RunState
from kapelle.ports.progress import Display
from kapelle.settings import Settings
from kapelle.stores.memory import MemoryStore
from kapelle.supervisor.rundir import RunDir
from kapelle.supervisor.shipping import Shipper
from kapelle.wiring.attempts import LocalAttempt, Retry
from kapelle.wiring.clock import SystemClock
from kapelle.wiring.loading import Loaded, definitions_of
from kapelle.wiring.local import LocalHome
from kapelle.wiring.runs import (
    RunOptions,
    create_run,
    parameters_of,
    plan_retry,
    prepare_resume,
    read_index,
    result_of,
)

SYSTEM = Scope.system()
PATIENCE_S = 20.0
"""How long tests wait for what must happen; only a failing test waits this long."""

_lives: list[list[str]] = []


def did(what: object) -> None:
    """Called by tasks of tests: this was really done, in the life that is being played."""
    _lives[-1].append(str(what))


def wait_for(event: threading.Event) -> None:
    """Wait for something that another thread of the test does."""
    assert event.wait(PATIENCE_S), "what the test waits for did not happen"


class HandClock:
    """A clock whose wall time is moved by hand; its monotonic time is the machine's."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self.wall_us = now_us
        self._system = SystemClock()

    def now_us(self) -> int:
        return self.wall_us

    def monotonic_s(self) -> float:
        return self._system.monotonic_s()

    def advance(self, seconds: float) -> None:
        self.wall_us += int(seconds * 1e6)


class FixedChance:
    """Chance without any: always the same fraction, and tokens that count."""

    def __init__(self, fraction: float) -> None:
        self._fraction = fraction
        self._numbers = itertools.count(1)

    def token(self) -> bytes:
        return next(self._numbers).to_bytes(16, "big")

    def fraction(self) -> float:
        return self._fraction


@dataclass
class Life:
    """One attempt of a run, as it went."""

    run: Run
    ending: Ending
    ran: list[str]
    home: LocalHome
    flow: Flow[Any, Any]
    pauses: list[float]
    journal: bytes
    past: tuple[bytes, ...] = ()
    before: Life | None = None
    _index: JournalIndex | None = field(default=None, repr=False)

    @property
    def state(self) -> RunState:
        """The state of the run in the store."""
        return self.run.state

    @property
    def result(self) -> Any:
        """What the flow returned, as the store has it; raises what the flow raised."""
        if self.ending.error is not None:
            raise self.ending.error
        assert self.run.state is RunState.SUCCEEDED
        return result_of(self.home, self.run)

    @property
    def error(self) -> BaseException:
        """What the flow raised."""
        assert self.ending.error is not None, f"the flow ended {self.ending.state} with {self.ending.value!r}"
        return self.ending.error

    @property
    def lines(self) -> list[bytes]:
        """The journal lines of this attempt."""
        return self.journal.splitlines(keepends=True)

    @property
    def index(self) -> JournalIndex:
        """The journal of the generation up to the end of this attempt."""
        if self._index is None:
            self._index = index_of([*self.past, self.journal])
        return self._index

    @property
    def calls(self) -> list[CallView]:
        """Every call of the generation."""
        return views_of(self.index)

    def of(self, task: str) -> list[CallView]:
        """The calls of a task, by the last part of its name, in the order of their start."""
        return [call for call in self.calls if call.task.rsplit(".", 1)[-1] == task]

    def call(self, task: str) -> CallView:
        """The only call of a task."""
        (found,) = self.of(task)
        return found

    def states(self, task: str) -> list[CallState]:
        """The states of the calls of a task."""
        return [call.state for call in self.of(task)]

    @property
    def notes(self) -> list[str]:
        """What the engine noted."""
        return [note.text for note in self.index.notes]

    @property
    def output(self) -> list[OutputLine]:
        """What the run printed and logged."""
        with self.home.store.read() as tx:
            pieces = [piece for _, piece in tx.output.read(SYSTEM, self.run.id, self.run.generation)]
        return msgspec.json.Decoder(OutputLine).decode_lines(b"".join(pieces))

    def behind(self, wanted: Callable[[bytes], bool]) -> int:
        """The number of lines up to and with the first one that is wanted: the `after` of a resume."""
        return next(number for number, line in enumerate(self.lines, 1) if wanted(line))

    def ends(self, count: int) -> int:
        """The number of lines up to and with the end of the `count`-th call to end: the `after` of a resume."""
        places = [number for number, line in enumerate(self.lines, 1) if line.startswith((b'["e"', b'["E"'))]
        return places[count - 1]

    def known(self, after: int) -> JournalIndex:
        """What a process knows that finds the first `after` lines of this attempt."""
        return index_of([*self.past, b"".join(self.lines[:after])])

    @property
    def cuts(self) -> range:
        """Each number of lines after which the process can die with the run unfinished."""
        whole = self.lines
        return range(len(whole) - (1 if whole and whole[-1].startswith(b'["f"') else 0))


class Bench:
    """Plays attempts of runs.

    clock     where the wall time comes from
    fraction  what chance says; None: the real one
    waiting   False: pauses between attempts of a call are written down in `Life.pauses` and not waited for
    options   of the engine: strict, persist_bytes, window, grace_s, use_cache, …
    watch     called with the engine before the flow begins
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Any = None,
        fraction: float | None = None,
        waiting: bool = False,
        watch: Callable[[Engine], None] | None = None,
        threads: int = 8,
        display: Display | None = None,
        **options: Any,
    ) -> None:
        self.folder = folder
        self.clock = clock or SystemClock()
        self.watch = watch
        self.options = options
        self.blobs = MemoryBlobs()
        self._fraction = fraction
        self._waiting = waiting
        self._threads = threads
        self._display = display
        self._homes = itertools.count()
        self.home = self.new_home()

    def new_home(self) -> LocalHome:
        """An empty store of its own; the blobs are shared."""
        settings = Settings(home=self.folder / str(next(self._homes)), threads=self._threads, quiet=True)
        return LocalHome(settings, MemoryStore(), self.blobs, self.clock)

    # Playing

    def run(self, flow: Flow[..., Any], *args: Any, **kwargs: Any) -> Life:
        """A new run of `flow`, in the home of this bench: its cache is that of the runs before."""
        return self.start(flow, args, kwargs)

    def start(
        self, flow: Flow[..., Any], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None, **options: Any
    ) -> Life:
        """The same, with the options that a person gives (name, tags, cache)."""
        values = validate_call(flow.definition, args, kwargs or {})
        said = RunOptions(**options)
        run, folder = create_run(self.home, loaded(flow), values, said)
        attempt = LocalAttempt(
            self.home, run, folder, flow.definition, values, display=self._display, use_cache=said.cache
        )
        return self._play(attempt, self.home, flow)

    def resume(
        self,
        life: Life,
        after: int | None = None,
        *,
        flow: Flow[..., Any] | None = None,
        torn: int = 0,
        with_cache: bool = False,
    ) -> Life:
        """The next attempt, when the process of `life` died behind line `after` (None: where it stopped by itself).

        `torn` bytes of the line that follows were written too; `with_cache`: its cache is that of the bench's runs.
        """
        own = b"".join(life.lines[:after])
        tail = b"".join(life.lines[after:])[:torn] if after is not None else b""
        home = self._rebuild(life, own, tail)
        chosen = flow or life.flow
        with home.store.read() as tx:
            run = tx.runs.get(SYSTEM, life.run.id)
        if with_cache:
            self._copy_cache(home, run.project, chosen)
        attempt = prepare_resume(home, run, loaded(chosen), self._display, None)
        return self._play(attempt, home, chosen, past=(*life.past, own), before=life.before)

    def every_resume(self, life: Life) -> Iterator[tuple[int, Life]]:
        """A resume for each line behind which the process can die."""
        for after in life.cuts:
            yield after, self.resume(life, after)

    def plan(self, life: Life, flow: Flow[..., Any] | None = None, **asked: Any) -> RetryPlan:
        """What a retry will do."""
        return plan_retry(life.home, life.run, loaded(flow or life.flow), **asked)

    def retry(self, life: Life, flow: Flow[..., Any] | None = None, **asked: Any) -> Life:
        """The next generation of an ended run, perhaps of an edited flow."""
        home, chosen = self._rebuild(life, life.journal), flow or life.flow
        plan = plan_retry(home, life.run, loaded(chosen), **asked)
        before = read_index(home, life.run, life.run.generation)
        with home.store.write() as tx:
            run = tx.runs.next_generation(SYSTEM, life.run.id, life.run.generation, self.clock.now_us())
        folder = RunDir(home.runs, run.id)
        folder.acquire()
        attempt = LocalAttempt(
            home, run, folder, chosen.definition, parameters_of(home, run),
            retry=Retry(before, plan.rules, run.generation - 1), display=self._display,
        )  # fmt: skip
        return self._play(attempt, home, chosen, before=life)

    def _play(
        self,
        attempt: LocalAttempt,
        home: LocalHome,
        flow: Flow[..., Any],
        past: tuple[bytes, ...] = (),
        before: Life | None = None,
    ) -> Life:
        engine, pauses, ran = attempt.execution.engine, [], []  # type: ignore[var-annotated]
        engine.options = replace(engine.options, **self.options)
        if self._fraction is not None:
            engine.chance = FixedChance(self._fraction)
        if not self._waiting:
            engine.pause = lambda delay_s, lane: pauses.append(delay_s)  # type: ignore[method-assign]
        if self.watch is not None:
            self.watch(engine)
        _lives.append(ran)
        try:
            run, ending = asyncio.run(attempt.drive_async()) if flow.definition.is_async else attempt.drive()
        finally:
            _lives.remove(ran)
        with home.store.read() as tx:
            whole = b"".join(tx.journal.read(SYSTEM, run.id, run.generation))
        return Life(run, ending, ran, home, flow, pauses, whole[sum(map(len, past)) :], past, before)

    # Building a store as it was

    def _rebuild(self, life: Life, own: bytes, tail: bytes = b"") -> LocalHome:
        """A store that holds the run up to `own` lines of the attempt `life`; a torn `tail` lies in the spool."""
        home = self.new_home()
        run = life.run
        new = NewRun(
            run.id, run.project, run.flow, run.name, run.entry, run.parameters, run.parameters_text, run.created_at_us,
            run.tags, run.kapelle_version, run.trigger,
        )  # fmt: skip
        with home.store.write() as tx:
            tx.runs.create(SYSTEM, new, RunState.QUEUED)
        generations = [life]
        while (earlier := generations[0].before) is not None:
            generations.insert(0, earlier)
        for one in generations:
            last = one is life
            if one is not generations[0]:
                with home.store.write() as tx:
                    tx.runs.next_generation(SYSTEM, run.id, one.run.generation - 1, self.clock.now_us())
            for journal in (*one.past, own if last else one.journal):
                self._deliver(home, one.run, journal, tail if last and journal is own else b"")
        return home

    def _copy_cache(self, home: LocalHome, project: str, flow: Flow[..., Any]) -> None:
        """The newest result of each task of this bench's cache."""
        for definition in definitions_of(loaded(flow)).values():
            with self.home.store.read() as tx:
                entry = tx.cache.newest(SYSTEM, project, definition.name)
            if entry is not None:
                with home.store.write() as tx:
                    tx.cache.put(SYSTEM, project, entry)

    def _deliver(self, home: LocalHome, run: Run, journal: bytes, tail: bytes) -> None:
        """An attempt that wrote `journal` and died."""
        token = next(self._homes).to_bytes(16, "big").hex()
        with home.store.write() as tx:
            attempt = tx.runs.begin_attempt(SYSTEM, run.id, run.generation, token, self.clock.now_us())
        folder = RunDir(home.runs, run.id)
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.journal(attempt).write_bytes(journal + tail)
        if tail:
            return  # the next attempt finds the spool and settles it
        shipper = Shipper(home.store, run.project, attempt, folder.journal(attempt), folder.output(attempt))
        shipper.begin()
        shipper.ship_all()
        shipper.close()
        folder.remove_spools(attempt)


def loaded(flow: Flow[..., Any]) -> Loaded:
    """A flow of a test, as if it had been imported."""
    return Loaded(flow.definition, Entry(flow=flow.definition.name), "kit")


def kinds(life: Life) -> str:
    """The tags of the lines of an attempt, in order: what was written, at a glance."""
    return "".join(line[2:3].decode() for line in life.lines)


def line_kinds(journal: bytes) -> list[str]:
    """The kinds of lines in a journal."""
    return [type(line).__name__ for line in read_lines([journal])]
