"""Futures: the results of submitted calls, later.

A future is owned by the strand whose code submitted it. The strand's code cannot end before its futures have, and a
failure that nobody looked at fails it (unless the task says `allow_failure=True`).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, NoReturn, TypeVar

from kapelle.engine import blame
from kapelle.engine.strand import Strand
from kapelle.model.calls import CallState
from kapelle.model.errors import BlockingCall, FutureMisuse, Interrupt
from kapelle.model.outcomes import Outcome
from kapelle.ports.session import current

T = TypeVar("T")

_lock = threading.Lock()
_MISUSE = "a future is not its value"


class CallFuture(Generic[T]):
    """The result of one submitted call."""

    __slots__ = ("_callbacks", "_drop", "_event", "_outcome", "_stop", "name", "observed", "strand", "tolerated")

    def __init__(self, strand: Strand, name: str, *, tolerated: bool = False, owned: bool = True) -> None:
        self.strand = strand
        self.name = name
        self.tolerated = tolerated
        self.observed = False
        self._outcome: Outcome[T] | None = None
        self._event: threading.Event | None = None
        self._callbacks: list[Callable[[CallFuture[T]], None]] | None = None
        self._stop: Callable[[], bool] | None = None
        self._drop: Callable[[], None] | None = None
        strand.engine.submitted = True
        if owned:
            if strand.futures is None:
                strand.futures = {}
            strand.futures[self] = None

    # What authors use

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for the call and return its value, or raise what it raised. TimeoutError after `timeout_s` seconds."""
        return self.outcome(timeout_s).get()

    def outcome(self, timeout_s: float | None = None) -> Outcome[T]:
        """Wait for the call and return how it ended, without raising what it raised."""
        if self._outcome is None:
            self._wait(timeout_s)
        self.observed = True
        self._forget()
        assert self._outcome is not None
        return self._outcome

    def done(self) -> bool:
        """Whether the call has ended."""
        return self._outcome is not None

    def cancel(self) -> bool:
        """Ask the call to stop. False if it has ended, or cannot be stopped any more."""
        self.observed = True
        return self._outcome is None and self._stop is not None and self._stop()

    def __await__(self) -> Generator[Any, None, T]:
        if self._outcome is None:
            yield from _arrival(asyncio.get_running_loop(), self).__await__()
        return self.result()

    def __repr__(self) -> str:
        return f"<Future of {self.name}: {self._outcome.state.value if self._outcome else 'not done'}>"

    def _misused(self, how: str) -> NoReturn:
        raise FutureMisuse(f"{_MISUSE}: {how}", where=self.name, hint="call .result() on it, or await it")

    def __bool__(self) -> bool:
        self._misused("it has no truth value")

    def __len__(self) -> int:
        self._misused("it has no length")

    def __iter__(self) -> Any:
        self._misused("it cannot be iterated")

    def __getitem__(self, item: Any) -> Any:
        self._misused("it has no items")

    # What the engine uses

    @property
    def settled(self) -> Outcome[T] | None:
        """How the call ended, if it has; looking does not count as observing."""
        return self._outcome

    def settle(self, outcome: Outcome[T]) -> None:
        """The call has ended. The first word counts."""
        with _lock:
            if self._outcome is not None:
                return
            self._outcome = outcome
            event, callbacks = self._event, self._callbacks
            self._callbacks = self._stop = self._drop = None
        if outcome.state is not CallState.FAILED or self.tolerated or self.observed:
            self._forget()
        if event is not None:
            event.set()
        for callback in callbacks or ():
            callback(self)

    def when_done(self, callback: Callable[[CallFuture[T]], None]) -> None:
        """Call `callback` with this future when the call has ended; at once if it has."""
        with _lock:
            if self._outcome is None:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(callback)
                return
        callback(self)

    def stop_with(self, stop: Callable[[], bool], drop: Callable[[], None]) -> None:
        """How to ask the call to stop, and how to have it end unrecorded if it has not started."""
        with _lock:
            if self._outcome is None:
                self._stop, self._drop = stop, drop

    def unseen_failure(self) -> BaseException | None:
        """What the call raised, if it failed and nobody looked at it."""
        outcome = self._outcome
        if outcome is None or not outcome.failed or self.observed or self.tolerated:
            return None
        return outcome.error

    def drop(self) -> None:
        """End as cancelled, without a record, if the call has not started."""
        if self._drop is not None:
            self._drop()

    def _forget(self) -> None:
        futures = self.strand.futures
        if futures is not None and self._outcome is not None:
            futures.pop(self, None)

    def _wait(self, timeout_s: float | None) -> None:
        strand = waiting_strand(self.strand)
        if strand.is_async:
            raise BlockingCall(
                f"waiting for {self.name} with .result() would stop the event loop", hint="write `await future` instead"
            )
        with _lock:
            if self._event is None:
                self._event = threading.Event()
            event = self._event
        with strand.lane:
            ended = strand.engine.wait_until(lambda: self._outcome is not None, event, strand.lane, timeout_s)
        if not ended:
            raise TimeoutError(f"{self.name} has not ended after {timeout_s} s")


def waiting_strand(owner: Strand) -> Strand:
    """The strand whose code waits: that of the current context, else the owner of what it waits for."""
    strand = current.get()
    return strand if isinstance(strand, Strand) else owner


def finish(strand: Strand, failed: BaseException | None = None) -> None:
    """Wait until everything that the strand submitted has ended; raise a failure that nobody looked at.

    `failed`: its code has failed with this anyway. Then what has not started is dropped, nothing is raised, and the
    exception stands for the failures that nobody looked at.
    """
    if failed is not None:
        _let_go(strand, failed)
    while open_futures := _open(strand):
        for future in open_futures:
            done = threading.Event()
            future.when_done(_setter(done))
            strand.engine.wait_until(done.is_set, done, strand.lane)
    _conclude(strand, failed)


def _setter(event: threading.Event) -> Callable[[Any], None]:
    return lambda _: event.set()


async def finish_async(strand: Strand, failed: BaseException | None = None) -> None:
    """The same, in an event loop."""
    if failed is not None:
        _let_go(strand, failed)
    loop = asyncio.get_running_loop()
    while open_futures := _open(strand):
        for future in open_futures:
            await _arrival(loop, future)
    _conclude(strand, failed)


def _arrival(loop: asyncio.AbstractEventLoop, future: CallFuture[Any]) -> asyncio.Future[None]:
    """Done, in `loop`, when the call has ended."""
    arrived: asyncio.Future[None] = loop.create_future()

    def tell(_: Any) -> None:
        try:
            loop.call_soon_threadsafe(lambda: None if arrived.done() else arrived.set_result(None))
        except RuntimeError:
            pass  # the loop has ended: nobody waits any more

    future.when_done(tell)
    return arrived


def _open(strand: Strand) -> list[CallFuture[Any]]:
    return [one for one in tuple(strand.futures or ()) if one.settled is None]


def _let_go(strand: Strand, failed: BaseException) -> None:
    """Drop what the strand submitted and what has not started, without a record; of code that was stopped, stop all."""
    stopped = isinstance(failed, (Interrupt, asyncio.CancelledError))
    for future in _open(strand):
        future.drop()
        if stopped:
            future.cancel()


def _conclude(strand: Strand, failed: BaseException | None) -> None:
    """Raise the failure of what was submitted first, for all of them, unless the code has `failed` anyway."""
    errors = [error for one in tuple(strand.futures or ()) if (error := one.unseen_failure()) is not None]
    strand.futures = None
    if failed is not None:
        blame.join(failed, errors)
    elif errors:
        first, *others = errors
        blame.join(first, others)
        if others:
            first.add_note(f"and {len(others)} more failures of submitted calls that nobody looked at")
        raise first


def cancelled_outcome(reason: str) -> Outcome[Any]:
    """How a call that was cancelled ends, as its future says it."""
    return Outcome(CallState.CANCELLED, None, concurrent.futures.CancelledError(reason), reason)


# Futures inside arguments


_LEAVES = frozenset({int, str, float, bool, bytes, type(None)})


def find_futures(value: Any, found: list[CallFuture[Any]], depth: int = 0) -> None:
    """Collect the futures in an argument, also inside lists, tuples (named ones too), sets, dicts and dataclasses."""
    if type(value) in _LEAVES:
        return
    if isinstance(value, CallFuture):
        found.append(value)
    elif isinstance(value, FutureGroup):
        found.extend(value.all())
    elif depth > 20:
        return
    elif type(value) in (list, tuple, set, frozenset) or (isinstance(value, tuple) and hasattr(value, "_fields")):
        for item in value:
            find_futures(item, found, depth + 1)
    elif type(value) is dict:
        for item in value.values():
            find_futures(item, found, depth + 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            find_futures(getattr(value, field.name, None), found, depth + 1)


def replace_futures(value: Any, replace: Callable[[CallFuture[Any]], Any]) -> Any:
    """The argument with each future replaced; what holds none stays the same object."""
    if isinstance(value, CallFuture):
        return replace(value)
    if isinstance(value, FutureGroup):
        return [replace(one) for one in value.all()]
    found: list[CallFuture[Any]] = []
    find_futures(value, found)
    if not found:
        return value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replace_futures(item, replace) for item in value))
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(replace_futures(item, replace) for item in value)
    if type(value) is dict:
        return {key: replace_futures(item, replace) for key, item in value.items()}
    names = [field.name for field in dataclasses.fields(value) if field.init]
    return dataclasses.replace(value, **{name: replace_futures(getattr(value, name), replace) for name in names})


class FutureGroup:
    """Something that stands for several futures in an argument, such as the collection that `.map` returns."""

    @property
    def is_sized(self) -> bool:
        """Whether it knows how many they are."""
        return True

    def __iter__(self) -> Iterator[CallFuture[Any]]:
        return iter(self.all())

    def all(self) -> list[CallFuture[Any]]:
        """All of its futures, in order."""
        raise TypeError("a group of futures must say which they are")
