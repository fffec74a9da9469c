"""The thread that looks at a run now and then, and takes care to cost it next to nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SHARE = 0.03
SLOWEST_S = 1.0


class Ticker:
    """Calls `act` every `interval_s` seconds from a thread of its own, until `stop`.

    It slows down (to once a second) where `act` would take more than 3 % of the processor. An `act` that raises is not
    called again: who watches must not disturb.
    """

    def __init__(self, act: Callable[[], None], interval_s: float) -> None:
        self._act = act
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="kapelle-display", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until a call of `act` that is under way has returned."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _tick(self) -> None:
        pause_s = 0.0
        while not self._stopped.wait(pause_s):
            began = time.thread_time()
            try:
                self._act()
            except Exception:
                return
            pause_s = pause(time.thread_time() - began, self._interval_s)


def pause(cost_s: float, interval_s: float) -> float:
    """How long to wait after an act that took `cost_s` seconds of processor time."""
    return min(max(interval_s, cost_s / SHARE), max(interval_s, SLOWEST_S))
