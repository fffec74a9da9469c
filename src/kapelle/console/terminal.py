"""What a stream can show: whether a person looks, in colour, with symbols, or at a picture that is drawn over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO


def can_draw(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the live view may be drawn on a stream."""
    if not is_terminal(stream) or environ.get("CI") or environ.get("TERM") in ("dumb", "unknown"):
        return False
    if os.name == "nt" and not (environ.get("WT_SESSION") or environ.get("TERM_PROGRAM") or environ.get("TERM")):
        return False
    return wants_colour(stream, environ) and speaks_unicode(stream)


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether text on a stream may have colours (https://no-color.org)."""
    return is_terminal(stream) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def speaks_unicode(stream: TextIO) -> bool:
    """Whether the symbols of the states can be written to a stream."""
    return (stream.encoding or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")


def is_terminal(stream: TextIO) -> bool:
    """Whether a person sits at the other end."""
    try:
        return stream.isatty()
    except ValueError:  # a closed stream
        return False
