"""Progress of a run, for whoever watches it: pulled, never pushed, so that watching costs the run nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kapelle.model.journal import OutputLine
from kapelle.model.runs import Run


@dataclass(frozen=True, slots=True)
class GroupProgress:
    """All calls of one task at one place of the flow.

    path      names from the flow down to the task, e.g. ("daily", "train"); the last is the task's short name
    expected  how many calls there will be, when that is known (a map over a list), else None
    running   calls that run now; `waiting` calls that are submitted and not yet running
    retrying  calls that wait for their next attempt
    replayed  calls of those that ended which an earlier process had ended: taken from the record, not run here
    errors    headlines of the last few failures
    """

    path: tuple[str, ...]
    kind: str
    expected: int | None = None
    running: int = 0
    waiting: int = 0
    retrying: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    reused: int = 0
    cached: int = 0
    replayed: int = 0
    first_started_us: int = 0
    last_ended_us: int = 0
    duration_us: int = 0
    errors: tuple[str, ...] = ()

    @property
    def ended(self) -> int:
        """Calls that are over."""
        return self.succeeded + self.failed + self.skipped + self.cancelled


@dataclass(frozen=True, slots=True)
class Progress:
    """A snapshot of a run: its groups in the order of their first call, and the state of its recording."""

    run_id: str
    name: str
    flow: str
    state: str
    generation: int
    started_us: int
    now_us: int
    groups: tuple[GroupProgress, ...]
    replaying: bool = False
    unrecorded_bytes: int = 0
    notes: tuple[str, ...] = ()


class Watched(Protocol):
    """Something whose progress can be looked at, from any thread."""

    def progress(self) -> Progress:
        """A snapshot."""
        ...

    def cancel(self, reason: str) -> None:
        """Ask the run to stop in order."""
        ...


class Display(Protocol):
    """Shows a run to a person while it goes on. Called from one thread at a time; may not raise."""

    def started(self, watched: Watched, run: Run) -> None:
        """The run begins (or goes on); look at `watched` as often as you like until `ended`."""
        ...

    def output(self, line: OutputLine) -> None:
        """The run printed or logged a line."""
        ...

    def pause(self) -> None:
        """Code of the run asks the person something: leave the terminal alone until `resume` or `ended`."""
        ...

    def resume(self) -> None:
        """The question is answered."""
        ...

    def cancelling(self, reason: str, grace_s: float) -> None:
        """A cancel was asked for; what runs has `grace_s` seconds to clean up."""
        ...

    def ended(self, run: Run) -> None:
        """The run is over, or its recording is: show the end and give back the terminal."""
        ...
