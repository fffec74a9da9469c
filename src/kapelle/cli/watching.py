"""A command that stays with a run: which display it gets, and what it says when the run is over."""

from __future__ import annotations

import os
import reprlib
import sys
from dataclasses import dataclass
from typing import Any

import msgspec

from kapelle.cli.answers import tell
from kapelle.cli.exits import exit_code_of
from kapelle.console.choose import choose_display
from kapelle.console.failures import failure_rows
from kapelle.console.guard import GuardedDisplay
from kapelle.console.jsonl import JsonlDisplay
from kapelle.console.rows import write_lines
from kapelle.model.errors import KapelleError
from kapelle.model.runs import Run, RunState
from kapelle.ports.progress import Display
from kapelle.wiring.local import LocalHome
from kapelle.wiring.runs import result_of

RESULT_BYTES_MAX = 1_000_000
"""Larger results are not decoded only to be shown."""


@dataclass(slots=True)
class Watching:
    """How the person or program that started the command wants to see the run."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    _events: JsonlDisplay | None = None

    def display(self, home: LocalHome) -> Display:
        """The display for this process's streams."""
        if self.as_json:
            return GuardedDisplay(self.events(), sys.stderr)
        quiet = self.quiet or home.settings.quiet
        return choose_display(sys.stdout, sys.stderr, os.environ, quiet=quiet, home=str(home.settings.home))

    def events(self) -> JsonlDisplay:
        """The writer of the events of `--json`."""
        if self._events is None:
            self._events = JsonlDisplay(sys.stdout)
        return self._events

    def finish(self, home: LocalHome, run: Run) -> int:
        """Give the result of a run that succeeded to stdout; the exit code."""
        if run.state is RunState.SUCCEEDED:
            known, value = _result(home, run)
            if self.as_json:
                self.events().emit("result", known=known, value=plain(value), text=result_text(value))
            elif known and value is not None:
                write_lines(sys.stdout, [result_text(value)])
        if self.verbose and run.failure is not None and run.failure.traceback:
            tell(failure_rows(run.failure, traceback=True))
        return exit_code_of(run)


def result_text(value: object) -> str:
    """A result as text: texts and numbers as they are, lists and the like as JSON, anything else as a short repr."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    simple = plain(value)
    if simple is not None:
        return msgspec.json.encode(simple).decode()
    short = reprlib.Repr()  # takes its bounds as arguments from Python 3.12 on
    short.maxother = short.maxstring = 2_000
    short.maxlist = short.maxdict = short.maxtuple = 50
    return short.repr(value)


def plain(value: object) -> Any:
    """A value that is JSON by nature; None for any other."""
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if not isinstance(value, list | tuple | dict):
        return None
    try:
        return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_refuse))
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def _refuse(value: object) -> Any:
    raise TypeError(type(value).__name__)


def _result(home: LocalHome, run: Run) -> tuple[bool, object]:
    if run.result is None:
        return True, None
    if not run.result.is_kept or run.result.size > RESULT_BYTES_MAX:
        return False, None
    try:
        return True, result_of(home, run)
    except KapelleError:
        return False, None
