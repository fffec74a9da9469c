"""Which display a run gets: by terminal, environment and flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from kapelle.console.guard import GuardedDisplay
from kapelle.console.jsonl import JsonlDisplay
from kapelle.console.live import LiveDisplay
from kapelle.console.plain import PlainDisplay
from kapelle.console.screen import Screen
from kapelle.console.terminal import can_draw, is_terminal
from kapelle.ports.progress import Display


def choose_display(
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str],
    *,
    json: bool = False,
    quiet: bool = False,
    home: str = "",
) -> Display:
    """The display for these streams. `home` is the folder with the store, named when a run ends.

    Progress goes to stderr: the live view if that is a terminal that can be drawn on, lines otherwise. Data goes to
    stdout: what the run prints, or with `json` its events.
    """
    if json:
        return GuardedDisplay(JsonlDisplay(stdout), stderr)
    if quiet or not can_draw(stderr, environ):
        return GuardedDisplay(PlainDisplay(stdout, stderr, quiet=quiet, home=home), stderr)
    prints = None if is_terminal(stdout) else stdout
    return GuardedDisplay(LiveDisplay(Screen(stderr), prints, home=home), stderr)
