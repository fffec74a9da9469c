"""The live view: a tree of the run at the end of a terminal, its output scrolling past above.

Nothing is pushed at the view. Ten times a second at most its own thread pulls a snapshot and draws it; output collects
in between and is written with the next picture. A run that prints faster than anybody reads has lines left out here,
and only here: all of them are recorded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TextIO

from kapelle.console.frame import View, frame
from kapelle.console.output import on_terminal
from kapelle.console.pace import Pace
from kapelle.console.rows import write_lines
from kapelle.console.screen import Screen
from kapelle.console.summary import ending, goes_on, summary
from kapelle.console.ticker import Ticker
from kapelle.console.words import count, short_id
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Run
from kapelle.ports.progress import Watched

INTERVAL_S = 0.1
LINES_HELD = 2_000


class LiveDisplay:
    """Shows one run after the other on a terminal.

    stdout   where the run's own prints go if that is not the terminal of the view; None: above the view
    home     the folder with the store, named at the end
    ticker   makes the thread; tests turn the crank (`tick`) by hand
    """

    def __init__(
        self,
        screen: Screen,
        stdout: TextIO | None = None,
        *,
        home: str = "",
        ticker: Callable[[Callable[[], None], float], Ticker] = Ticker,
    ) -> None:
        self._screen = screen
        self._stdout = stdout
        self._home = home
        self._make_ticker = ticker
        self._ticker: Ticker | None = None
        self._watched: Watched | None = None
        self._run_id = ""
        self._view = View((80, 24))
        self._lines: deque[OutputLine] = deque(maxlen=LINES_HELD)
        self._left_out = 0
        self._paused = False
        self._drawing = threading.Lock()

    def started(self, watched: Watched, run: Run) -> None:
        """Begin to draw."""
        self._watched = watched
        self._run_id = run.id
        self._view = View(self._screen.room(), Pace(), resumed=goes_on(run))
        self._ticker = self._make_ticker(self.tick, INTERVAL_S)
        self._ticker.start()

    def output(self, line: OutputLine) -> None:
        """Keep a line for the next picture, or write it where prints go."""
        if self._stdout is not None and line.stream == "out":
            write_lines(self._stdout, [line.text])
            return
        if len(self._lines) == LINES_HELD:
            self._left_out += 1
        self._lines.append(line)

    def pause(self) -> None:
        """Take the picture away, and draw none."""
        with self._drawing:
            self._paused = True
            self._screen.draw([], self._collected())

    def resume(self) -> None:
        """Draw again."""
        self._paused = False

    def cancelling(self, reason: str, grace_s: float) -> None:
        """Say so in the picture."""
        self._view.asked = f"cancelling ({reason}): what runs has {grace_s:g} s to clean up; Ctrl-C again ends it now"

    def ended(self, run: Run) -> None:
        """Draw the last picture, write the summary below it and leave the terminal."""
        if self._ticker is not None:
            self._ticker.stop()
        watched, self._watched = self._watched, None
        progress = replace(watched.progress(), state=run.state.value) if watched is not None else None
        with self._drawing:
            self._view.over = True
            self._view.room = self._screen.room()
            last = frame(progress, self._view) if progress is not None else [ending(run)]
            self._screen.draw(last, self._collected())
            self._screen.leave(summary(progress, run, self._home))

    def tick(self) -> None:
        """Draw the picture of this moment."""
        watched = self._watched
        if watched is None or self._paused:
            return
        with self._drawing:
            progress = watched.progress()
            self._view.pace.observe(progress)
            self._view.room = self._screen.room()
            self._screen.draw(frame(progress, self._view), self._collected())

    def _collected(self) -> list[str]:
        """The lines of output since the last picture."""
        texts = [on_terminal(self._lines.popleft()) for _ in range(len(self._lines))]
        left_out, self._left_out = self._left_out, 0
        if left_out:
            texts.insert(0, f"… {count(left_out, 'line')} not shown here: kapelle logs {short_id(self._run_id)}")
        return texts
