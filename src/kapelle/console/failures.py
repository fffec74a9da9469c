"""Failures as text: what, where, and the user's frames."""

from __future__ import annotations

import re

from kapelle.console.rows import Row, clean, row
from kapelle.model.failures import Failure

MESSAGE_LINES_MAX = 8
"""Lines of a failure's text that are shown below the first."""

_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<name>\S+))?', re.MULTILINE)


def place_of(traceback: str) -> str:
    """The innermost place of a traceback: "flows/daily.py:42 in train"; "" where there is none."""
    frames = list(_FRAME.finditer(traceback))
    if not frames:
        return ""
    last = frames[-1]
    name = f" in {last['name']}" if last["name"] and last["name"] != "<module>" else ""
    return f"{last['file']}:{last['line']}{name}"


def failure_rows(failure: Failure, indent: str = "", *, traceback: bool = False) -> list[Row]:
    """Headline and place of a failure, its notes, and the whole traceback if asked for."""
    rows = [row(indent, (clean(failure.headline), "red"))]
    _, *more = failure.message.strip().splitlines() or [""]
    rows += [row(indent, clean(line.strip())) for line in more[:MESSAGE_LINES_MAX]]
    place = place_of(failure.traceback)
    if place and not traceback:
        rows.append(row(indent, ("at ", "dim"), clean(place)))
    rows += [row(indent, clean(line)) for note in failure.notes for line in note.splitlines()]
    if traceback:
        rows += [row(indent, (clean(line), "dim")) for line in failure.traceback.rstrip().splitlines()]
    return rows
