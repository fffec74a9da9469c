"""The keys by which listings are searched and paged, the same in every store."""

from __future__ import annotations

import re

from kapelle.model.errors import UsageError

_CURSOR = re.compile(r"(\d{1,19})-(.+)", re.DOTALL)
_PARTS = re.compile(r"[./:]")

LAST_CHARACTER = "\U0010ffff"
"""Sorts behind every other: `prefix <= text < prefix + LAST_CHARACTER` are the texts that begin with the prefix."""


def last_part(flow: str) -> str:
    """The part of a flow's full name that people type: "daily" of "pipelines.sales.daily"."""
    return _PARTS.split(flow)[-1]


def cursor_behind(created_at_us: int, run_id: str) -> str:
    """The cursor of the page that begins behind this run."""
    return f"{created_at_us}-{run_id}"


def parse_cursor(cursor: str) -> tuple[int, str]:
    """Creation time and id of the run that a page begins behind. UsageError for a text that is no cursor."""
    match = _CURSOR.fullmatch(cursor)
    if match is None or int(match[1]) >= 2**63:
        raise UsageError(f"{cursor!r} is not a cursor", hint="hand back the `next` of a page, unchanged")
    return int(match[1]), match[2]


def page_size(limit: int) -> int:
    """How many rows a page has; UsageError when that is none."""
    if limit < 1:
        raise UsageError(f"limit={limit} is not a number of rows", hint="write 1 or more")
    return limit
