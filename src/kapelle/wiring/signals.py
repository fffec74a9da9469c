"""Ctrl-C: the first asks the run to cancel in order, the second ends the process at once.

A signal handler may interrupt any line of ours, so it only puts an order into a queue; the deadlines thread acts. The
main thread is then stopped by a signal of its own, whose handler raises only while user code is running.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kapelle.engine.execute import Execution
from kapelle.engine.interrupts import WAKE_SIGNAL
from kapelle.model.errors import KapelleError
from kapelle.model.journal import Finished
from kapelle.model.runs import RunState
from kapelle.ports.progress import Display

REASON = "Ctrl-C"
HARD_EXIT_S = 2.0
EXIT_INTERRUPTED = 130
EXIT_CANCELLED = 11


@contextmanager
def interruptible(execution: Execution, display: Display | None) -> Iterator[None]:
    """Inside the block, Ctrl-C cancels the run. Does nothing in other threads than the main one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    engine = execution.engine
    lane = engine.lane()
    engine.deadlines.start()
    pressed: list[int] = []

    def on_interrupt(*_: Any) -> None:
        pressed.append(1)
        if len(pressed) == 1:
            engine.deadlines.at(0, lambda: _cancel(execution, display))
        else:
            engine.deadlines.at(0, lambda: _leave_now(execution, EXIT_INTERRUPTED, "Ctrl-C, twice"))
            engine.deadlines.at(HARD_EXIT_S, lambda: os._exit(EXIT_INTERRUPTED))

    before = signal.signal(signal.SIGINT, on_interrupt)
    wake = signal.signal(WAKE_SIGNAL, lambda *_: lane.deliver_in_main()) if WAKE_SIGNAL is not None else None
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if WAKE_SIGNAL is not None:
            signal.signal(WAKE_SIGNAL, wake)


def _cancel(execution: Execution, display: Display | None) -> None:
    engine = execution.engine
    grace_s = engine.options.grace_s
    if display is not None:
        display.cancelling(REASON, grace_s)
    engine.deadlines.at(grace_s, lambda: _leave_now(execution, EXIT_CANCELLED, f"{REASON}; its grace time was over"))
    execution.cancel(REASON)


def _leave_now(execution: Execution, code: int, reason: str) -> None:
    """Write that the run is cancelled, ship it, and end the process with everything that it started."""
    engine = execution.engine
    if execution.state is not RunState.RUNNING:
        return
    engine.cancel(reason)
    try:
        engine.recorder.write(Finished(RunState.CANCELLED.value, engine.clock.now_us(), reason))
        engine.recorder.wait_recorded()
    except (KapelleError, RuntimeError):
        pass  # the spool stays, and the next process that opens this home settles it
    os._exit(code)
