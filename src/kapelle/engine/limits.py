"""Limits inside a run: at most so many calls at once, over all tasks that carry a limit of one name."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from kapelle.engine.interrupts import Lane
from kapelle.engine.state import Engine
from kapelle.model.definitions import Definition
from kapelle.model.errors import DefinitionError
from kapelle.model.policies import Limit


class Limiter:
    """Places that calls hold while they run. Who asks is called when there is one, in the order of asking."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._queue: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()

    def ask(self, granted: Callable[[], None]) -> None:
        """Call `granted`, now or when a place becomes free. It holds the place until `release`."""
        with self._lock:
            if self._free <= 0:
                self._queue.append(granted)
                return
            self._free -= 1
        granted()

    def release(self) -> None:
        """Give a place back; the next in the queue gets it."""
        with self._lock:
            if not self._queue:
                self._free += 1
                return
            granted = self._queue.popleft()
        granted()

    def acquire(self, engine: Engine, lane: Lane) -> None:
        """Take a place in this thread, waiting for one. Raises RunCancelled when the run is cancelled meanwhile."""
        got = threading.Event()
        taken: list[bool] = []

        def granted() -> None:
            taken.append(True)
            got.set()

        self.ask(granted)
        try:
            engine.wait_until(lambda: bool(taken), got, lane)
        except BaseException:
            self._give_up(granted, taken)
            raise

    async def acquire_async(self) -> None:
        """Take a place in an event loop, waiting for one."""
        loop = asyncio.get_running_loop()
        got = loop.create_future()
        taken: list[bool] = []

        def granted() -> None:
            taken.append(True)
            loop.call_soon_threadsafe(lambda: None if got.done() else got.set_result(None))

        self.ask(granted)
        try:
            await got
        except BaseException:
            self._give_up(granted, taken)
            raise

    def _give_up(self, granted: Callable[[], None], taken: list[bool]) -> None:
        with self._lock:
            if not taken:
                try:
                    self._queue.remove(granted)
                    return
                except ValueError:
                    pass
        self.release()


def limiter_of(engine: Engine, definition: Definition) -> Limiter | None:
    """The run's limiter for a task, if it has one. Two limits of one name must agree on the count."""
    limit: Limit | None = definition.limit
    if limit is None:
        return None
    name = limit.name or definition.name
    found: Limiter = engine.limits.setdefault(name, Limiter(limit.count))
    if found.count != limit.count:
        raise DefinitionError(
            f'the limit "{name}" is {found.count} in one place and {limit.count} in another',
            where=f"{definition.file}:{definition.line}",
            hint="define it once, as a value that both tasks use",
        )
    return found
