"""Interrupts: stopping user code at its next Python instruction, and nothing else.

An exception raised into a thread from outside can land anywhere, also in the engine between the end of a call and the
line that records it. So each thread that runs calls has a *lane* that knows whether the thread stands in user code
just now; only there may an exception be raised into it. Elsewhere it is kept, and raised at the next border.

The main thread is reached by a signal (it wakes even a sleeping `time.sleep`), the others by CPython's
`PyThreadState_SetAsyncExc` (noticed when the interpreter runs the next instruction of that thread).
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from kapelle.model.errors import Interrupt

WAKE_SIGNAL = signal.SIGURG if hasattr(signal, "SIGURG") else None
"""Its default action is to be ignored, so a stray one does no harm."""

KICK_S = 0.05
"""Seconds between two attempts to wake the main thread."""

_raise_in_thread = ctypes.pythonapi.PyThreadState_SetAsyncExc
_raise_in_thread.argtypes = (ctypes.c_ulong, ctypes.py_object)
_raise_in_thread.restype = ctypes.c_int


class Lane:
    """The state of one thread, as far as stopping it goes. Entered and left at each border of user code.

    Crossing a border takes no lock. The thread changes `_in_user` before it looks at what others said, others speak
    before they look at `_in_user`, so one of the two always sees the other.
    """

    __slots__ = ("_in_user", "_lock", "_pending", "_sending", "_sent", "ident", "is_main")

    def __init__(self) -> None:
        self.ident = threading.get_ident()
        self.is_main = threading.current_thread() is threading.main_thread() and WAKE_SIGNAL is not None
        self._lock = threading.Lock()
        self._in_user = False
        self._sending = False
        self._pending: type[Interrupt] | None = None
        self._sent: type[Interrupt] | None = None

    def enter_user(self) -> None:
        """User code begins. Raises an interrupt that came before."""
        self._in_user = True
        if self._pending is not None:
            self.check()

    def leave_user(self) -> None:
        """User code has ended, or called into the engine. Raises an interrupt that is on its way."""
        self._in_user = False
        if self._sending or self._sent is not None or self._pending is not None:
            self._stopped_at_border()

    def _stopped_at_border(self) -> None:
        with self._lock:
            sent, kind, self._pending = self._sent, self._sent or self._pending, None
        if sent is not None:
            self._absorb()
        if kind is not None:
            raise kind

    def _absorb(self) -> None:
        """Take the exception that was raised into this thread and has not arrived."""
        try:
            for _ in range(1_000_000):
                if self._sent is None:
                    return
        except Interrupt:
            pass
        self._sent = None

    def received(self) -> None:
        """An interrupt has arrived in user code: nothing is on its way any more."""
        self._in_user = False
        with self._lock:
            self._sent = None

    def interrupt(self, kind: type[Interrupt]) -> None:
        """Raise `kind` in the lane's thread, now if it stands in user code, else at its next border."""
        with self._lock:
            if self._sent is not None or self._pending is not None:
                return
            if self.is_main:
                self._pending = kind  # its signal handler raises it, see `deliver_in_main`
            else:
                self._send(kind)
        self.kick()

    def kick(self) -> bool:
        """Wake the main thread for an interrupt that waits for it; False when none does.

        A signal that comes just before a system call begins does not end that call, so `Deadlines` repeats this.
        """
        if not self.is_main or self._pending is None or WAKE_SIGNAL is None:
            return False
        signal.pthread_kill(self.ident, WAKE_SIGNAL)
        return True

    def _send(self, kind: type[Interrupt]) -> None:
        self._sending = True
        self._pending = kind
        if self._in_user:
            self._pending, self._sent = None, kind
            _raise_in_thread(self.ident, kind)
        self._sending = False

    def deliver_in_main(self) -> None:
        """Called by the signal handler: raise what is pending if user code stands still right now."""
        if self._in_user and self._pending is not None:
            kind, self._pending = self._pending, None
            self._in_user = False
            raise kind

    def __enter__(self) -> None:
        """User code has called into the engine."""
        self.leave_user()

    def __exit__(self, *_: object) -> None:
        """The engine returns to user code."""
        self.enter_user()

    def check(self) -> None:
        """Raise what is pending; for the engine's own waits."""
        if self._pending is None:
            return
        with self._lock:
            kind, self._pending = self._pending, None
        if kind is not None:
            self._in_user = False
            raise kind


class NoLane(Lane):
    """The lane of code in an event loop: its tasks are cancelled, never interrupted by an exception from outside."""

    def enter_user(self) -> None:
        """Nothing to do."""

    def leave_user(self) -> None:
        """Nothing to do."""

    def received(self) -> None:
        """Nothing to do."""

    def interrupt(self, kind: type[Interrupt]) -> None:
        """Nothing to do: the loop cancels its tasks itself."""

    def check(self) -> None:
        """Nothing to do."""


NO_LANE = NoLane()


class Deadlines:
    """Calls functions at their time, from one thread.

    Callers only put into a queue that takes no lock of Python's, so a signal handler may call it too.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._orders: queue.SimpleQueue[tuple[float, int, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, once. `at` does it too, but may not from a signal handler."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="kapelle-deadlines", daemon=True)
            self._thread.start()

    def at(self, delay_s: float, act: Callable[[], Any]) -> int:
        """Call `act` after `delay_s` seconds; returns a number for `cancel`."""
        number = next(self._numbers)
        self._orders.put((self._monotonic_s() + delay_s, number, act))
        self.start()
        return number

    def interrupt(self, lane: Lane, kind: type[Interrupt]) -> None:
        """Raise `kind` in the lane's thread, and see that it arrives."""
        lane.interrupt(kind)
        if lane.is_main:
            self.at(KICK_S, lambda: self._kick(lane))

    def _kick(self, lane: Lane) -> None:
        if lane.kick():
            self.at(KICK_S, lambda: self._kick(lane))

    def cancel(self, number: int) -> None:
        """The deadline is not needed any more."""
        self._cancelled.add(number)

    def close(self) -> None:
        """Stop the thread; what is due later never happens."""
        self._orders.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        heap: list[tuple[float, int, Callable[[], Any]]] = []
        while True:
            wait_s = max(0.0, heap[0][0] - self._monotonic_s()) if heap else None
            try:
                order = self._orders.get(timeout=wait_s)
            except queue.Empty:
                order = heapq.heappop(heap)
                if order[1] not in self._cancelled:
                    self._act(order[2])
                self._cancelled.discard(order[1])
                continue
            if order is None:
                return
            heapq.heappush(heap, order)
            while heap and heap[0][1] in self._cancelled:
                self._cancelled.discard(heapq.heappop(heap)[1])

    def _act(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:
            sys.stderr.write(f"kapelle: a deadline could not be acted on: {error!r}\n")
