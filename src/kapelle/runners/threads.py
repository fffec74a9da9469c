"""The thread runner: a pool with as many threads at work as the work needs, and no more.

Python threads that all have something to compute only take the interpreter from one another: ten thousand tiny calls
run three times faster in one thread than in eight. Threads help where work waits. So one thread begins, and another
joins only when the queue has not moved for a moment (`STALL_S`), which is when the first ones wait or compute for long.

A thread that waits for another call (`future.result()` inside a task) does not count as working while it waits, so the
awaited call always finds a thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IDLE_S = 5.0
"""An idle thread ends after this many seconds."""

STALL_S = 0.001
"""The queue stands still for this long before one more thread joins."""


class ThreadRunner:
    """Runs work in at most `workers` threads at once, not counting those that wait."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._queue: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._threads: set[threading.Thread] = set()
        self._members: set[int] = set()
        self._working = 0
        self._idle = 0
        self._taken = 0
        self._watched = False
        self._closed = False
        self._count = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work` in one of the threads."""
        self._queue.append(work)
        if self._working and self._watched:
            return  # somebody will take it, and somebody looks that they do
        with self._changed:
            self._call_somebody()

    def _call_somebody(self) -> None:
        """Wake an idle thread, or start one; the caller holds the lock."""
        if self._idle:
            self._changed.notify()
        elif self._working + (1 if self._watched else 0) <= self.workers:
            self._count += 1
            thread = threading.Thread(target=self._run, name=f"kapelle-{self._count}", daemon=True)
            self._threads.add(thread)
            thread.start()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Around a wait: another thread may work in place of this one. Nothing in threads that are not the runner's."""
        if threading.get_ident() not in self._members:
            yield
            return
        with self._changed:
            self._working -= 1
            if self._queue and not self._watched:
                self._call_somebody()
        try:
            yield
        finally:
            with self._changed:
                self._working += 1

    def _run(self) -> None:
        self._members.add(threading.get_ident())
        try:
            while (work := self._next()) is not None:
                while work is not None:
                    work()
                    work = None
                    self._taken += 1
                    try:
                        if self._working <= self.workers:
                            work = self._queue.popleft()
                    except IndexError:
                        pass
                with self._changed:
                    self._working -= 1
        finally:
            self._members.discard(threading.get_ident())
            with self._changed:
                self._threads.discard(threading.current_thread())

    def _next(self) -> Callable[[], None] | None:
        """Wait until this thread is needed, and take work; None when it is not needed any more."""
        with self._changed:
            while True:
                if not self._queue:
                    if self._closed or not self._rest():
                        return None
                elif self._working == 0 or (self._working < self.workers and self._stands_still()):
                    try:
                        work = self._queue.popleft()
                    except IndexError:
                        continue
                    self._working += 1
                    self._taken += 1
                    if self._queue and not self._watched:
                        self._call_somebody()
                    return work
                elif (self._watched or self._working >= self.workers) and not self._rest():
                    return None

    def _rest(self) -> bool:
        """Wait to be called; False after a long while in which nobody did."""
        self._idle += 1
        called = self._changed.wait(STALL_S if self._closed else IDLE_S)
        self._idle -= 1
        return called or bool(self._queue)

    def _stands_still(self) -> bool:
        """Watch the queue for a moment, if nobody else does: True if it did not move."""
        if self._watched:
            return False
        self._watched = True
        before = self._taken
        self._changed.wait(STALL_S)
        self._watched = False
        return bool(self._queue) and self._taken == before

    def close(self) -> None:
        """Finish what is queued, and end the threads. Threads that hang are left behind (they are daemons)."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        seen = {threading.current_thread()}
        while threads := self._threads - seen:
            for thread in threads:
                thread.join(IDLE_S)
            seen |= threads
