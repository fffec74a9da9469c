"""The thread runner: a pool that starts threads as they are needed and replaces those that wait.

A thread that waits for another call (`future.result()` inside a task) would otherwise hold a place that the awaited
call may need; while it waits, one more thread may run.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IDLE_S = 5.0
"""An idle thread ends after this many seconds."""


class ThreadRunner:
    """Runs work in at most `workers` threads at once, not counting those that wait."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._work: deque[Callable[[], None]] = deque()
        self._ready = threading.Condition(threading.Lock())
        self._threads: dict[int, threading.Thread] = {}
        self._idle = 0
        self._waiting = 0
        self._closed = False
        self._count = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work` in one of the threads."""
        with self._ready:
            self._work.append(work)
            self._staff()

    def _staff(self) -> None:
        """See that somebody takes the work; the caller holds the lock."""
        if self._idle:
            self._ready.notify()
        elif len(self._threads) - self._waiting < self.workers:
            self._count += 1
            thread = threading.Thread(target=self._run, name=f"kapelle-{self._count}", daemon=True)
            self._threads[id(thread)] = thread
            thread.start()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Let another thread work while this one waits; does nothing in threads that are not the runner's."""
        if id(threading.current_thread()) not in self._threads:
            yield
            return
        with self._ready:
            self._waiting += 1
            if self._work:
                self._staff()
        try:
            yield
        finally:
            with self._ready:
                self._waiting -= 1

    def _run(self) -> None:
        me = id(threading.current_thread())
        while True:
            with self._ready:
                while not self._work:
                    if self._closed:
                        del self._threads[me]
                        return
                    self._idle += 1
                    found = self._ready.wait(IDLE_S)
                    self._idle -= 1
                    if not found and not self._work:
                        del self._threads[me]
                        return
                work = self._work.popleft()
            work()
            del work

    def close(self) -> None:
        """Refuse nothing, finish what is queued, and end the threads. Threads that hang are left behind (daemons)."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
            threads = tuple(self._threads.values())
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(IDLE_S)
