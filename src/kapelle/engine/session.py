"""The session: everything that code inside a run may ask of the engine, on the strand that the code runs in.

`call` is the table of the four combinations: sync code runs a sync task in its own thread and an async one in the run's
loop; async code awaits an async task in its loop and runs a sync one in a thread (`t.aio(…)`), or inline while nothing
else would be stopped by that.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from kapelle.engine import calls, loops
from kapelle.engine.binding import bind, unbind
from kapelle.engine.branches import BranchExecutor, Parallel
from kapelle.engine.futures import find_futures, replace_futures
from kapelle.engine.mapping import MapFutures, as_completed, start_map
from kapelle.engine.resources import Resource
from kapelle.engine.strand import Strand
from kapelle.engine.submit import submit
from kapelle.model.definitions import Definition
from kapelle.model.errors import BlockingCall
from kapelle.model.ids import digest16
from kapelle.ports.session import RunInfo, TaskInfo, current


class RunStrand(Strand):
    """A strand as a session."""

    __slots__ = ()

    def call(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call here and now and return its value; of an async one inside async code, an awaitable."""
        if self.parallel_futures is not None:
            return self.submit(definition, args, kwargs)
        lane = self.lane
        lane.leave_user()
        try:
            values = bind(definition, args, kwargs)
            if self.is_async:
                if definition.is_async:
                    return _await_call(definition, values)
                self._refuse_to_block(definition)
            if self.engine.submitted:
                values = _wait_for_futures(values)
            if definition.is_async:
                return loops.call_from_thread(self, lambda: _await_call(definition, values))
            return calls.perform(self, definition, values)
        finally:
            lane.enter_user()

    def call_async(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
        """Run a call without blocking the loop: an async one in the loop, a sync one in a thread."""
        values = bind(definition, args, kwargs)
        return _await_call(definition, values) if definition.is_async else _await_in_thread(definition, values)

    def submit(
        self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Iterable[Any] = ()
    ) -> Any:
        """Start a call beside this code and return its future."""
        with self.lane:
            future = submit(self, definition, args, kwargs, wait_for)
        if self.parallel_futures is not None:
            self.parallel_futures.append(future)
        return future

    def map(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MapFutures[Any]:
        """Start a call for each element and return the ordered collection of futures."""
        with self.lane:
            return start_map(self, definition, args, kwargs)

    def as_completed(self, futures: Iterable[Any]) -> Iterator[Any]:
        """The futures in the order in which their calls end."""
        return as_completed(futures)

    def parallel(self) -> Parallel:
        """Inside the block, calls are submits; leaving it waits for them."""
        return Parallel(self)

    def branch_executor(self, workers: int) -> BranchExecutor:
        """An executor whose work belongs to the run."""
        return BranchExecutor(self, workers)

    def resource(
        self, create: Definition, args: tuple[Any, ...], kwargs: dict[str, Any], cleanup: Definition
    ) -> Resource:
        """Create something by a recorded call, and clean it up by another when the block ends."""
        return Resource(create, bind(create, args, kwargs), cleanup)

    def now(self) -> datetime:
        """The time, recorded."""
        with self.lane:
            clock = self.engine.clock
            value = calls.perform(self, NOW, (clock,))
        return datetime.fromtimestamp(value / 1e6, UTC)

    def uuid(self) -> UUID:
        """A unique id that a replay sees again."""
        return UUID(bytes=self._derived(b"uuid"), version=4)

    def random(self) -> random.Random:
        """A generator of random numbers that a replay draws again."""
        return random.Random(self._derived(b"random"))

    def _derived(self, what: bytes) -> bytes:
        """16 bytes that follow from the run, this branch and how often it asked."""
        count = self.count(what)
        return digest16(self.engine.info.id.encode(), self.id, what, b"%d" % count)

    def run_info(self) -> RunInfo:
        """The run."""
        return self.engine.info

    def task_info(self) -> TaskInfo | None:
        """The innermost call that is a task or step, or None in a flow's own code."""
        call = self.around
        return None if call is None or call.definition.kind == "flow" else call.info()

    def detached(self) -> RunStrand:
        """A strand for code whose context was lost: its calls are recorded, and never taken again."""
        key = f"detached:{self.engine.chance.token().hex()}"
        strand: Any = self.fork(key, False, self.engine.lane())
        strand.is_detached = True
        return strand  # type: ignore[no-any-return]

    def _refuse_to_block(self, definition: Definition) -> None:
        if loops.others_open(self.engine):
            raise BlockingCall(
                f"{definition.name} is not async: calling it here would stop every other branch of the flow",
                where=f"{definition.file}:{definition.line}",
                hint=f"write `await {definition.name.rsplit('.', 1)[-1]}.aio(…)`, which runs it in a thread",
            )


def _now_us(clock: Any) -> int:
    value: int = clock.now_us()
    return value


NOW = Definition(
    kind="step", name="kapelle.now", fn=_now_us, is_async=False, file="", line=0, parameters=("clock",), defaults={},
    ignore=frozenset({"clock"}),
)  # fmt: skip


def _strand() -> Any:
    strand = current.get()
    assert isinstance(strand, Strand)
    return strand


async def _await_call(definition: Definition, values: tuple[Any, ...]) -> Any:
    """Awaited in the branch whose code awaits it, which is the one that the call belongs to."""
    strand = _strand()
    if strand.engine.submitted:
        values = await _await_futures(values)
    return await calls.perform_async(strand, definition, values)


async def _await_in_thread(definition: Definition, values: tuple[Any, ...]) -> Any:
    args, kwargs = unbind(definition, values)
    return await submit(_strand(), definition, args, kwargs)


def _wait_for_futures(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(replace_futures(value, lambda one: one.result()) for value in values)


async def _await_futures(values: tuple[Any, ...]) -> tuple[Any, ...]:
    found: list[Any] = []
    for value in values:
        find_futures(value, found)
    for future in found:
        await future
    return _wait_for_futures(values)
