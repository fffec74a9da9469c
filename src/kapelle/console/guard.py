"""A display that cannot disturb the run: what it raises is reported once and ends the showing, not the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

from kapelle.console.rows import write_lines
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Run
from kapelle.ports.progress import Display, Watched


class GuardedDisplay:
    """Another display, with its exceptions kept away from the run."""

    def __init__(self, inner: Display, complaints: TextIO) -> None:
        self.inner = inner
        self._complaints = complaints
        self._broken = False

    def started(self, watched: Watched, run: Run) -> None:
        """See the display inside."""
        self._try(self.inner.started, watched, run)

    def output(self, line: OutputLine) -> None:
        """See the display inside."""
        self._try(self.inner.output, line)

    def pause(self) -> None:
        """See the display inside."""
        self._try(self.inner.pause)

    def resume(self) -> None:
        """See the display inside."""
        self._try(self.inner.resume)

    def cancelling(self, reason: str, grace_s: float) -> None:
        """See the display inside."""
        self._try(self.inner.cancelling, reason, grace_s)

    def ended(self, run: Run) -> None:
        """See the display inside."""
        self._try(self.inner.ended, run)

    def _try(self, act: Callable[..., None], *values: Any) -> None:
        if self._broken:
            return
        try:
            act(*values)
        except OSError:  # the terminal is gone; the run is not
            self._broken = True
        except Exception as error:
            self._broken = True
            text = f"kapelle: the display gave up ({type(error).__name__}: {error}); the run goes on and is recorded"
            write_lines(self._complaints, [text])
