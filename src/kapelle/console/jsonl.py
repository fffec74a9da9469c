"""A run as JSON events for programs, one a line: each has a `type` and a `seq` that counts from 1 without gaps.

run_started, group (a group changed its state), progress (counts, at most every second), output, cancelling, run_ended;
who owns the display may `emit` more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TextIO

import msgspec

from kapelle.console.documents import group_document, output_document, run_document
from kapelle.console.rows import write_lines
from kapelle.console.ticker import Ticker
from kapelle.console.tree import calls_in, state_of
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Run
from kapelle.ports.progress import Progress, Watched

INTERVAL_S = 0.25
PROGRESS_US = 1_000_000
TOTALS = ("running", "waiting", "retrying", "succeeded", "failed", "skipped", "cancelled", "reused", "cached")


class JsonlDisplay:
    """Writes events to a stream. When nobody reads it any more the run goes on in silence."""

    def __init__(self, stream: TextIO, *, ticker: Callable[[Callable[[], None], float], Ticker] = Ticker) -> None:
        self._stream = stream
        self._make_ticker = ticker
        self._ticker: Ticker | None = None
        self._watched: Watched | None = None
        self._states: dict[tuple[str, ...], str] = {}
        self._told = (0,) * len(TOTALS)
        self._told_us = 0
        self._seq = 0
        self._open = True
        self._writing = threading.RLock()  # a signal handler may speak in the middle of another event

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Write one event."""
        with self._writing:
            if not self._open:
                return
            self._seq += 1
            event = msgspec.json.encode({"type": kind, "seq": self._seq, **fields})
            self._open = write_lines(self._stream, [event.decode()])

    def started(self, watched: Watched, run: Run) -> None:
        """The first event, and the thread that looks for more."""
        self._watched = watched
        self.emit("run_started", run=run_document(run))
        self._ticker = self._make_ticker(self.tick, INTERVAL_S)
        self._ticker.start()

    def output(self, line: OutputLine) -> None:
        """A line of output as an event."""
        self.emit("output", **output_document(line))

    def pause(self) -> None:
        """Nothing is drawn here, so nothing is in the way."""

    def resume(self) -> None:
        """Nothing to do."""

    def cancelling(self, reason: str, grace_s: float) -> None:
        """A cancel as an event."""
        self.emit("cancelling", reason=reason, grace_s=grace_s)

    def ended(self, run: Run) -> None:
        """What changed last, and the end."""
        if self._ticker is not None:
            self._ticker.stop()
        watched, self._watched = self._watched, None
        if watched is not None:
            self._look(watched.progress(), over=True)
        self.emit("run_ended", run=run_document(run))

    def tick(self) -> None:
        """Tell what changed since the last look."""
        if self._watched is not None:
            self._look(self._watched.progress())

    def _look(self, progress: Progress, *, over: bool = False) -> None:
        groups = calls_in(progress)
        for group in groups:
            state = state_of(group, over=over)
            if self._states.get(group.path) != state:
                self._states[group.path] = state
                self.emit("group", **group_document(group, state))
        totals = {name: sum(getattr(group, name) for group in groups) for name in TOTALS}
        told = tuple(totals.values())
        if told != self._told and (over or progress.now_us - self._told_us >= PROGRESS_US):
            self._told, self._told_us = told, progress.now_us
            self.emit("progress", elapsed_s=(progress.now_us - progress.started_us) / 1e6, **totals)
