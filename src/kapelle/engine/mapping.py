"""Maps: one call for each element, with a bounded number under way, results in order.

A map reads its elements as places become free, so an iterable of any length costs a window of memory. The element's
number, not its time, is in the identity of its call. The results of an iterator's elements wait for their reader, up
to a bound; a map that nobody holds any more keeps no results at all.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

from kapelle.engine import blame
from kapelle.engine.binding import bind
from kapelle.engine.closing import outcome_of
from kapelle.engine.futures import CallFuture, FutureGroup, waiting_strand
from kapelle.engine.interrupts import NO_LANE
from kapelle.engine.reading import Elements
from kapelle.engine.strand import Strand
from kapelle.engine.submit import Submission
from kapelle.model.calls import CallState
from kapelle.model.definitions import Definition
from kapelle.model.outcomes import Outcome
from kapelle.ports.session import current

T = TypeVar("T")

UNREAD_MAX = 1000
"""Results of an iterator's elements that may wait for their reader before the map stops reading."""


def start_map(strand: Strand, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MapFutures[Any]:
    """Start a call for each element; returns the collection of their futures."""
    strand.engine.check_cancelled()
    key = strand.new_key()
    feeder = Feeder(strand, definition, Elements(strand, definition, args, kwargs, key), key)
    futures: MapFutures[Any] = MapFutures(feeder)
    feeder.holder = weakref.ref(futures)
    feeder.feed(at_most=strand.engine.options.window)
    return futures


class WholeMap(CallFuture[None]):
    """Stands for all calls of a map in its strand: done when they are. Who waits for it wants no results kept back."""

    __slots__ = ("feeder",)

    feeder: Feeder

    def when_done(self, callback: Callable[[CallFuture[None]], None]) -> None:
        """Also lifts the bound on unread results."""
        self.feeder.read_on()
        super().when_done(callback)

    def unseen_failure(self) -> BaseException | None:
        """What went wrong in the map, if nobody looked at it."""
        return None if self.observed or self.tolerated else self.feeder.unseen_failure()


class Feeder:
    """Starts the calls of a map, in order, while there is room."""

    def __init__(self, strand: Strand, definition: Definition, elements: Elements, key: str) -> None:
        self.strand = strand
        self.definition = definition
        self.elements = elements
        self.holder: Callable[[], MapFutures[Any] | None] = lambda: None
        self.started = 0
        self.exhausted = False
        self.lock = threading.RLock()
        self.changed = threading.Event()
        self.over = threading.Event()
        self.listeners: list[Callable[[], Any]] = []
        self._key = key
        self._context = contextvars.copy_context()
        source: Any = strand.fork(f"{key}:source", False, NO_LANE)
        self._source = contextvars.copy_context()
        self._source.run(current.set, source)
        self._running: dict[int, CallFuture[Any]] = {}
        self._unread = 0
        self._bounded = elements.length is None
        self._feeding = False
        self._failures: dict[int, CallFuture[Any]] = {}
        self._error: BaseException | None = None
        self.whole = WholeMap(strand, definition.name, tolerated=definition.allow_failure)
        self.whole.feeder = self
        self.whole.stop_with(self.stop, self.drop)
        self._group = strand.group.child(definition.name, definition.kind)
        if elements.length is not None:
            with strand.engine.recorder.lock:
                self._group.expect(elements.length)

    def feed(self, at_most: int | None = None) -> None:
        """Start calls while there is room; one thread at a time reads the elements.

        The author's thread starts `at_most` of them and goes on with the author's code: who ends a call feeds on.
        """
        with self.lock:
            if self._feeding:
                return
            self._feeding = True
        while True:
            with self.lock:
                enough = at_most is not None and self.started >= at_most and bool(self._running)
                if enough or not self._has_room():
                    self._feeding = False
                    break
            try:
                element = self._source.run(self.elements.next)
                with self.lock:
                    if element is None:
                        self.exhausted = True
                    else:
                        self._start(element)
            except BaseException as error:
                with self.lock:
                    self._error, self.exhausted = error, True
        self._tell()
        self._settle_when_over()

    def _has_room(self) -> bool:
        engine = self.strand.engine
        if engine.cancelled is not None:
            self.exhausted = True
        if self.exhausted or (self._bounded and self._unread >= UNREAD_MAX):
            return False
        return len(self._running) < engine.options.window

    def _start(self, element: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
        values = bind(self.definition, *element)
        future: CallFuture[Any] = CallFuture(self.strand, self.definition.name, owned=False)
        number = self.started
        self.started = number + 1
        self._running[number] = future
        holder = self.holder()
        if holder is not None:
            holder.add(number, future)
            self._unread += 1
        key = f"{self._key}.{number}"
        Submission(self.strand, self.definition, values, key, future, self._context.copy()).begin()
        future.when_done(partial(self._one_ended, number))

    def _one_ended(self, number: int, future: CallFuture[Any]) -> None:
        with self.lock:
            del self._running[number]
            if future.settled is not None and future.settled.failed:
                self._failures[number] = future
                self.over.set()
        self.feed()

    def _settle_when_over(self) -> None:
        with self.lock:
            if not self.exhausted or self._running or self._feeding or self.whole.settled is not None:
                return
            error = self._error or next((one.settled.error for one in self._failures.values() if one.settled), None)
        self.whole.settle(Outcome(CallState.SUCCEEDED) if error is None else outcome_of(error))
        self.over.set()
        self._tell()

    @property
    def is_decided(self) -> bool:
        """Whether all calls have ended, or one has failed."""
        return bool(self._failures) or self.whole.settled is not None

    def unseen_failure(self) -> BaseException | None:
        """What went wrong while elements were read, or the first failure, in their order, that nobody looked at."""
        if self._error is not None:
            return self._error
        unseen = [one for _, one in sorted(self._failures.items()) if not one.observed]
        error = unseen[0].unseen_failure() if unseen else None
        if len(unseen) > 1 and error is not None:
            error.add_note(f"and {len(unseen) - 1} more failures in the same map")
            blame.join(error, [one.unseen_failure() for one in unseen[1:]])
        return error

    def _tell(self) -> None:
        if not self.changed.is_set():
            self.changed.set()
        if self.listeners:
            listeners, self.listeners = self.listeners, []
            for listener in listeners:
                listener()

    def read_one(self) -> None:
        """A result was looked at, so one more may wait."""
        with self.lock:
            self._unread -= 1
        if self._bounded:
            self.feed()

    def read_on(self) -> None:
        """Somebody waits for the end: results may wait without bound."""
        if self._bounded:
            self._bounded = False
            self.feed()

    def observe_all(self) -> None:
        """A failure of the map was raised to its author: the others count as looked at."""
        self.whole.observed = True

    def stop(self) -> bool:
        """Read no further element, and ask the calls that are under way to stop."""
        for future in self._under_way():
            future.cancel()
        self._settle_when_over()
        return True

    def drop(self) -> None:
        """The code that made the map has failed: read no further, and drop what has not started."""
        for future in self._under_way():
            future.drop()
        self._settle_when_over()

    def _under_way(self) -> list[CallFuture[Any]]:
        with self.lock:
            self.exhausted = True
            return list(self._running.values())

    def raise_error(self) -> None:
        """Raise what went wrong while elements were read."""
        if self._error is not None:
            self.whole.observed = True
            raise self._error


class MapFutures(FutureGroup, Generic[T]):
    """The futures of a map, in the order of the elements. Iterating gives futures; `results()` gives the values."""

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder
        self._futures: dict[int, CallFuture[T]] = {}

    @property
    def is_sized(self) -> bool:
        """Whether its length is known: it maps over a sequence."""
        return self._feeder.elements.length is not None

    def __len__(self) -> int:
        length = self._feeder.elements.length
        if length is None:
            raise TypeError("a map over an iterator has no length before its end; take len() of its results()")
        return length

    def __bool__(self) -> bool:
        return self._feeder.elements.length != 0

    def __iter__(self) -> Iterator[CallFuture[T]]:
        number = 0
        while (future := self._wait_for(number)) is not None:
            yield future
            self._release(number)
            number += 1
        self._feeder.raise_error()

    async def __aiter__(self) -> AsyncIterator[CallFuture[T]]:
        number = 0
        while (future := await self._wait_for_async(number)) is not None:
            yield future
            self._release(number)
            number += 1
        self._feeder.raise_error()

    def __getitem__(self, number: int) -> CallFuture[T]:
        future = self._wait_for(number if number >= 0 else number + len(self))
        if future is None:
            raise IndexError(number)
        return future

    def __repr__(self) -> str:
        return f"<map of {self._feeder.definition.name}: {self._feeder.started} started>"

    def results(self) -> list[T]:
        """Wait for all and return their values in order. Raises the first failure, in the order of the elements."""
        try:
            self._wait_once()
            return [future.result() for future in self]
        except BaseException:
            self._feeder.observe_all()
            raise

    def _wait_once(self) -> None:
        """Sleep until all have ended or one has failed, instead of waking up for each of thousands."""
        feeder = self._feeder
        strand = waiting_strand(feeder.strand)
        if self.is_sized and not strand.is_async:
            with strand.lane:
                feeder.strand.engine.wait_until(lambda: feeder.is_decided, feeder.over, strand.lane)

    def outcomes(self) -> list[Outcome[T]]:
        """Wait for all and return how they ended, in order."""
        return [future.outcome() for future in self]

    def __await__(self) -> Generator[Any, None, list[T]]:
        return self._results_async().__await__()

    async def _results_async(self) -> list[T]:
        try:
            return [await future async for future in self]
        except BaseException:
            self._feeder.observe_all()
            raise

    def cancel(self) -> None:
        """Start nothing more, and ask what runs to stop."""
        self._feeder.stop()
        for future in self.held():
            future.cancel()

    def all(self) -> list[CallFuture[Any]]:
        """All futures; starts every element."""
        return list(self)

    def held(self) -> list[CallFuture[T]]:
        """The futures that are still with the map."""
        return list(self._futures.values())

    def add(self, number: int, future: CallFuture[T]) -> None:
        """Called by the feeder for each call that it starts."""
        self._futures[number] = future

    def _release(self, number: int) -> None:
        """The element was given out: an iterator's is given once, a sequence's stays."""
        self._feeder.read_one()
        if not self.is_sized:
            self._futures.pop(number, None)

    def _wait_for(self, number: int) -> CallFuture[T] | None:
        feeder = self._feeder
        if number >= feeder.started and not feeder.exhausted:
            strand = waiting_strand(feeder.strand)
            with strand.lane:
                feeder.strand.engine.wait_until(
                    lambda: number < feeder.started or feeder.exhausted, feeder.changed, strand.lane
                )
        return self._futures.get(number)

    async def _wait_for_async(self, number: int) -> CallFuture[T] | None:
        feeder, loop = self._feeder, asyncio.get_running_loop()
        while number >= feeder.started and not feeder.exhausted:
            changed: asyncio.Future[None] = loop.create_future()
            feeder.listeners.append(partial(loop.call_soon_threadsafe, partial(_arrive, changed)))
            if number >= feeder.started and not feeder.exhausted:
                await changed
        return self._futures.get(number)

    def as_completed(self) -> Iterator[CallFuture[T]]:
        """The futures in the order in which their calls end."""
        return as_completed(self)


def _arrive(arrival: asyncio.Future[None]) -> None:
    if not arrival.done():
        arrival.set_result(None)


def as_completed(futures: Iterable[CallFuture[T]]) -> Iterator[CallFuture[T]]:
    """Give futures in the order in which their calls end; of a map over an iterator, while it goes on."""
    done: deque[CallFuture[T]] = deque()
    arrived = threading.Event()

    def tell(future: CallFuture[T]) -> None:
        done.append(future)
        arrived.set()

    lazily = isinstance(futures, MapFutures) and not futures.is_sized
    source = iter(futures)
    awaited: CallFuture[T] | None = None
    open_count = 0
    for awaited in source:
        awaited.when_done(tell)
        open_count += 1
        if lazily and open_count >= UNREAD_MAX // 2:
            break
    while open_count and awaited is not None:
        strand = waiting_strand(awaited.strand)
        if not done:
            with strand.lane:
                strand.engine.wait_until(lambda: bool(done), arrived, strand.lane)
        open_count -= 1
        yield done.popleft()
        following = next(source, None) if lazily else None
        if following is not None:
            following.when_done(tell)
            open_count += 1
