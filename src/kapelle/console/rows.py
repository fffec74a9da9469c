"""Rows: text with styles, before it meets a terminal.

A row is a tuple of spans. Its width is counted in cells, as a terminal counts them; it is cut, padded and at last
turned into text with or without colours. Text of users passes `clean` first: what a file name or an exception says must
not move the cursor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TextIO


class Span(NamedTuple):
    """A piece of a row. `style` is a name of `STYLES`, or "" for the terminal's own colour."""

    text: str
    style: str = ""


Row = tuple[Span, ...]

STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "94",
    "magenta": "35",
    "cyan": "36",
    "grey": "90",
}
"""Styles and their codes (ECMA-48, "Select Graphic Rendition"; 90 and 94 are the bright colours of aixterm)."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_STRAY = re.compile(r"\x1b(?!\[[0-9;:]*m)")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f-\x9f]")


def row(*spans: str | tuple[str, str]) -> Row:
    """A row of texts and (text, style) pairs; empty ones are left out."""
    made = (Span(part) if isinstance(part, str) else Span(*part) for part in spans)
    return tuple(span for span in made if span.text)


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return len(text) if text.isascii() else _cells_of_text(text)


def width(of: Row) -> int:
    """How many cells of a terminal a row takes."""
    return sum(cells(span.text) for span in of)


def shorten(text: str, room: int) -> str:
    """A text that fits into `room` cells, ending in "…" where something was cut off."""
    if cells(text) <= room:
        return text
    if room < 1:
        return ""
    taken, used = [], 1
    for char in text:
        used += _cells_of(char)
        if used > room:
            break
        taken.append(char)
    return "".join(taken) + "…"


def pad(text: str, room: int) -> str:
    """A text of exactly `room` cells: cut, or filled with spaces."""
    text = shorten(text, room)
    return text + " " * (room - cells(text))


def cut(of: Row, room: int) -> Row:
    """A row that fits into `room` cells."""
    if width(of) <= room:
        return of
    kept: list[Span] = []
    for span in of:
        taken = cells(span.text)
        if taken >= room:
            kept.append(Span(shorten(span.text + "…", room), span.style))
            break
        kept.append(span)
        room -= taken
    return tuple(kept)


def text_of(of: Row, *, colour: bool = False) -> str:
    """A row as text."""
    if not colour:
        return "".join(span.text for span in of).rstrip()
    return "".join(_coloured(span) for span in of)


def clean(text: str) -> str:
    """A text of a user's on one line, without anything that a terminal would obey."""
    return _CONTROLS.sub(" ", _ESCAPES.sub("", text)).replace("\t", "    ").replace("\x1b", "")


def printable(text: str, *, colour: bool) -> str:
    """A line of output as it can stand on a terminal: colours stay, cursor movements go.

    Of a line that was drawn over itself, as progress bars do with a carriage return, the last state is left.
    """
    line = text.rstrip("\r").rsplit("\r", 1)[-1]
    if "\x1b" not in line:
        return _CONTROLS.sub("", line)
    if not colour:
        return _CONTROLS.sub("", _ESCAPES.sub("", line)).replace("\x1b", "")
    kept = _ESCAPES.sub(lambda match: match[0] if _COLOURS.fullmatch(match[0]) else "", line)
    return _CONTROLS.sub("", _STRAY.sub("", kept)) + "\x1b[0m"


def write_lines(stream: TextIO, lines: Iterable[str]) -> bool:
    """Write lines to a stream of any encoding; False when nobody reads it any more."""
    text = "".join(line + "\n" for line in lines)
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except (OSError, ValueError):  # a closed pipe, a closed file: the run matters more than who watches it
        return False
    except RuntimeError:  # a signal handler came in the middle of another write to the same stream
        return True
    return True


@lru_cache(maxsize=2048)
def _cells_of_text(text: str) -> int:
    return sum(_cells_of(char) for char in text)


def _cells_of(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _coloured(span: Span) -> str:
    code = _code(span.style) if span.style else ""
    return f"\x1b[{code}m{span.text}\x1b[0m" if code else span.text


@lru_cache
def _code(style: str) -> str:
    return ";".join(STYLES[name] for name in style.split() if name in STYLES)
