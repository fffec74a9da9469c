"""`kapelle logs`: what a run printed and logged, as recorded."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import click
import msgspec

from kapelle.cli.answers import json_option, print_json, print_json_line, print_rows, tell
from kapelle.cli.homes import settle
from kapelle.console.documents import output_document
from kapelle.console.output import recorded_row
from kapelle.console.rows import row
from kapelle.model.access import Scope
from kapelle.model.errors import UsageError
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Run, RunState
from kapelle.ports.storage.store import Store
from kapelle.wiring.local import LocalHome, open_home

POLL_S = 0.3
SETTLE_EVERY = 10
LEVELS = ("debug", "info", "warning", "error", "critical")

decode_line = msgspec.json.Decoder(OutputLine).decode


@dataclass(frozen=True, slots=True)
class Sieve:
    """Which lines are wanted."""

    level: int = 0
    task: str = ""
    pattern: re.Pattern[str] | None = None

    def takes(self, line: OutputLine) -> bool:
        """Whether a line is wanted."""
        if line.level < self.level:
            return False
        if self.task and self.task not in (line.task, line.task.rsplit(".", 1)[-1]):
            return False
        return self.pattern is None or self.pattern.search(line.text) is not None


@click.command("logs")
@click.argument("reference", metavar="RUN")
@click.option(
    "--level", type=click.Choice(LEVELS, case_sensitive=False), help="This level and above (prints are info)."
)
@click.option("--task", default="", metavar="NAME", help="Only lines of this task.")
@click.option("--grep", "text", metavar="REGEX", help="Only lines in which this is found.")
@click.option("-f", "--follow", is_flag=True, help="Stay, and show what comes until the run is over.")
@json_option
def command(reference: str, level: str | None, task: str, text: str | None, follow: bool, as_json: bool) -> None:
    """Show what a run printed and logged.

    With --follow and --json each line is a JSON object of its own.
    """
    sieve = Sieve(logging.getLevelNamesMapping()[level.upper()] if level else 0, task, _pattern(text))
    with open_home() as home:
        settle(home)
        run = home.find(reference)
        if follow:
            for line in followed(home, run, sieve, time.sleep):
                print_json_line(output_document(line)) if as_json else print_rows([recorded_row(line)], at_once=True)
            return
        lines = (line for _, line in lines_after(home.store, run, 0) if sieve.takes(line))
        if as_json:
            print_json([output_document(line) for line in lines])
            return
        first = next(lines, None)
        if first is not None:
            print_rows(recorded_row(line) for line in chain([first], lines))
        else:
            tell([row("no line is like that" if sieve != Sieve() else "the run has said nothing")])


def lines_after(store: Store, run: Run, cursor: int) -> Iterator[tuple[int, OutputLine]]:
    """The recorded lines of a run's generation behind a cursor, each with the cursor behind its piece."""
    with store.read() as tx:
        for behind, piece in tx.output.read(Scope.system(), run.id, run.generation, cursor):
            for line in piece.splitlines():
                yield behind, decode_line(line)


def followed(home: LocalHome, run: Run, sieve: Sieve, wait: Callable[[float], None]) -> Iterator[OutputLine]:
    """The lines of a run as they are recorded, until it is over or waits."""
    cursor, looks = 0, 0
    while True:
        with home.store.read() as tx:
            state = tx.runs.get(Scope.system(), run.id).state  # before the lines, so that the last are not missed
        fresh = list(lines_after(home.store, run, cursor))
        for behind, line in fresh:
            cursor = behind
            if sieve.takes(line):
                yield line
        if state.is_end or state is RunState.WAITING:
            return
        looks += 1
        if looks % SETTLE_EVERY == 0:
            settle(home)
        if not fresh:
            wait(POLL_S)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"--grep {text!r} is no regular expression", cause=str(error)) from error
