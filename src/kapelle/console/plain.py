"""Progress as lines, for pipes, files and CI: append-only, a word for every state, no colours.

A group speaks when its first call starts, when calls of it fail, and when it has settled. A loop in which calls begin
and end all the time does not flood: it has settled when nothing of it ended for a second, and speaks again at most
every ten seconds. Every ten seconds the run says how far it is. Output goes to the stream that it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TextIO

from kapelle.console.frame import BEHIND_BYTES
from kapelle.console.output import passed_on
from kapelle.console.rows import clean, text_of, write_lines
from kapelle.console.summary import ending, goes_on, summary
from kapelle.console.ticker import Ticker
from kapelle.console.tree import calls_in, state_of
from kapelle.console.words import coarse, count, duration, short_id, size
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Run, RunState
from kapelle.ports.progress import GroupProgress, Progress, Watched

INTERVAL_S = 0.5
EVERY_US = 10_000_000
SETTLED_US = 1_000_000
GROUPS_MAX = 200
PREFIX = "kapelle: "


@dataclass(slots=True)
class Told:
    """What has been said of a group."""

    word: str = ""
    ended: int = 0
    failed: int = 0
    at_us: int = 0


class PlainDisplay:
    """Writes progress to `stderr` and passes output on.

    quiet    only output, and the end of a run that did not succeed
    """

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        *,
        quiet: bool = False,
        home: str = "",
        ticker: Callable[[Callable[[], None], float], Ticker] = Ticker,
    ) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._quiet = quiet
        self._home = home
        self._make_ticker = ticker
        self._ticker: Ticker | None = None
        self._watched: Watched | None = None
        self._told: dict[tuple[str, ...], Told] = {}
        self._summed_us = 0

    def started(self, watched: Watched, run: Run) -> None:
        """Say what begins, and look at it now and then."""
        self._watched = watched
        self._summed_us = 0
        flow = run.flow.rsplit(".", 1)[-1]
        again = f", generation {run.generation}" if run.generation > 1 else ""
        again += ", going on where it was" if goes_on(run) else ""
        self._say(f"running {flow} ({', '.join(filter(None, (run.name, short_id(run.id))))}{again})")
        if not self._quiet:
            self._ticker = self._make_ticker(self.tick, INTERVAL_S)
            self._ticker.start()

    def output(self, line: OutputLine) -> None:
        """Pass a line on to where it came from: prints to stdout, the rest to stderr."""
        write_lines(self._stdout if line.stream == "out" else self._stderr, [passed_on(line)])

    def pause(self) -> None:
        """Nothing is drawn here, so nothing is in the way."""

    def resume(self) -> None:
        """Nothing to do."""

    def cancelling(self, reason: str, grace_s: float) -> None:
        """Say so."""
        self._say(f"cancelling ({reason}): what runs has {grace_s:g} s to clean up")

    def ended(self, run: Run) -> None:
        """Say how each group and the run ended."""
        if self._ticker is not None:
            self._ticker.stop()
        watched, self._watched = self._watched, None
        progress = watched.progress() if watched is not None else None
        if progress is not None:
            self._look(replace(progress, replaying=False), over=True)
        if self._quiet and run.state is RunState.SUCCEEDED:
            return
        rows = [text_of(told) for told in (ending(run), *summary(progress, run, self._home))]
        write_lines(self._stderr, [PREFIX + rows[0], *rows[1:]])

    def tick(self) -> None:
        """Say what changed since the last look."""
        if self._watched is None:
            return
        progress = self._watched.progress()
        self._look(progress)
        self._summed_us = self._summed_us or progress.now_us
        if progress.now_us - self._summed_us >= EVERY_US:
            self._summed_us = progress.now_us
            self._say(_how_far(progress))

    def _look(self, progress: Progress, *, over: bool = False) -> None:
        if progress.replaying:
            return
        for group in calls_in(progress):
            told = self._told.get(group.path)
            if told is None:
                if len(self._told) >= GROUPS_MAX and not group.failed:
                    continue
                told = self._told[group.path] = Told()
            word = self._news(group, told, progress.now_us, over)
            if word:
                told.word, told.ended, told.failed, told.at_us = word, group.ended, group.failed, progress.now_us
                self._say(_sentence(group, word))

    def _news(self, group: GroupProgress, told: Told, now_us: int, over: bool) -> str:
        """The word that should be said of a group now, or ""."""
        word = state_of(group, over=over)
        fresh = now_us - told.at_us >= EVERY_US
        if over:
            return word if (word, group.ended) != (told.word, told.ended) else ""
        if word in ("running", "retrying", "pending"):
            if group.failed > told.failed and (fresh or not told.failed):
                return word
            return word if not told.word and word != "pending" else ""
        settled = group.expected == group.ended or now_us - group.last_ended_us >= SETTLED_US
        changed = (word, group.ended) != (told.word, told.ended)
        return word if changed and settled and (fresh or told.word in ("", "running", "retrying")) else ""

    def _say(self, text: str) -> None:
        if not self._quiet:
            write_lines(self._stderr, [PREFIX + text])


def _sentence(group: GroupProgress, word: str) -> str:
    """What a group says of itself: "train failed: 1 of 120 calls, 42 s: ValueError: bad rate"."""
    name = " / ".join(group.path[1:] or group.path)
    if word in ("running", "retrying", "pending"):
        expected = group.expected or 0
        known = f" ({group.ended:,} of {count(expected, 'call')})" if expected > 1 else ""
        failed = f", {group.failed:,} failed" if group.failed else ""
        return f"{name} {word}{known}{failed}{_error(group)}"
    parts = [count(group.ended, "call")] if max(group.ended, group.expected or 0) > 1 else []
    for mark in ("failed", "skipped", "cancelled", "reused", "cached"):
        number = getattr(group, mark)
        parts += [f"{number:,} {mark}"] if number and number != group.ended else []
    if group.replayed:
        parts.append("from the record" if group.replayed == group.ended else f"{group.replayed:,} from the record")
    if group.first_started_us and group.last_ended_us > group.first_started_us:
        parts.append(duration(group.last_ended_us - group.first_started_us))
    return f"{name} {word}{' (' + ', '.join(parts) + ')' if parts else ''}{_error(group)}"


def _error(group: GroupProgress) -> str:
    return f": {clean(group.errors[-1])}" if group.errors else ""


def _how_far(progress: Progress) -> str:
    """The summary of every ten seconds."""
    groups = calls_in(progress)
    totals = {name: sum(getattr(group, name) for group in groups) for name in ("running", "retrying", "failed")}
    ended, expected = (sum(group.ended for group in groups), sum(group.expected or group.ended for group in groups))
    of = f" of {expected:,}" if expected > ended else ""
    tail = "".join(f", {number:,} {name}" for name, number in totals.items() if number)
    behind = f", {size(progress.unrecorded_bytes)} not yet recorded" if progress.unrecorded_bytes > BEHIND_BYTES else ""
    return f"{coarse(progress.now_us - progress.started_us)}: {ended:,}{of} calls ended{tail}{behind}"
