"""How states, times and sizes read: the same word, symbol and colour everywhere.

A state is never told by its colour alone; whoever shows the symbol shows the word as well, in the row or in its legend.
The symbols are one cell wide in every terminal (no emoji), the colours are names of the terminal's own palette.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple


class Look(NamedTuple):
    """How a state looks."""

    word: str
    symbol: str
    colour: str


LOOKS = {
    "scheduled": Look("scheduled", "◷", "dim"),
    "queued": Look("queued", "○", "dim"),
    "pending": Look("pending", "○", "dim"),
    "running": Look("running", "▶", "blue"),
    "retrying": Look("retrying", "↻", "yellow"),
    "waiting": Look("waiting", "‖", "magenta"),
    "cancelling": Look("cancelling", "■", "yellow"),
    "succeeded": Look("succeeded", "✔", "green"),
    "reused": Look("reused", "≡", "green"),
    "replayed": Look("from the record", "≡", "green"),
    "cached": Look("cached", "◆", "green"),
    "failed": Look("failed", "✖", "red"),
    "skipped": Look("skipped", "↷", "grey"),
    "cancelled": Look("cancelled", "■", "grey"),
    "cut off": Look("cut off", "◌", "yellow"),
}
"""States of runs and calls, the marks of calls that did not run, and "cut off" for calls without an end."""

WORD_CELLS = max(len(look.word) for state, look in LOOKS.items() if state != "replayed")
SHORT_ID = 8


def look(state: str) -> Look:
    """How a state looks; an unknown one shows its own word."""
    return LOOKS.get(state) or Look(state, "?", "")


def short_id(run_id: str) -> str:
    """The part of a run's id that people type."""
    return run_id[:SHORT_ID]


def duration(microseconds: float) -> str:
    """A length of time: "850 ms", "12.3 s", "2m 14s", "3h 05m", "2d 04h"."""
    ms = max(0.0, microseconds) / 1000
    if ms < 1:
        return "<1 ms" if microseconds > 0 else "0 ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    seconds = round(ms / 1000)
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}m {seconds:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h {minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02d}h"


def coarse(microseconds: float) -> str:
    """A length of time for estimates and clocks that tick: whole seconds below a minute."""
    seconds = max(0, round(microseconds / 1e6))
    return f"{seconds} s" if seconds < 60 else duration(seconds * 1e6)


def size(count: float) -> str:
    """A number of bytes: "850 B", "12.3 kB", "4.0 GB"."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def rate(per_second: float) -> str:
    """How fast calls end: "42/s", "3.1/s", "12/min"; "" for a standstill."""
    if per_second <= 0:
        return ""
    if per_second >= 9.95:
        return f"{per_second:,.0f}/s"
    if per_second >= 0.95:
        return f"{per_second:.1f}/s"
    return f"{per_second * 60:.0f}/min" if per_second * 60 >= 0.95 else f"{per_second * 3600:.0f}/h"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 call", "9,871 calls"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def ago(then_us: int, now_us: int) -> str:
    """How long ago something was: "just now", "12 s ago", "3 h ago", "2 days ago"; "in 5 min" for the future."""
    seconds = (now_us - then_us) / 1e6
    if abs(seconds) < 5:
        return "just now"
    for unit, length in (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if abs(seconds) >= (2 * length if unit == "day" else length):
            number = int(abs(seconds) // length)
            text = count(number, unit) if unit == "day" else f"{number} {unit}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def moment(at_us: int, zone: tzinfo | None = None) -> str:
    """A point in time for people, in local time unless a zone is given: "2026-01-31 14:05:09"."""
    return _local(at_us, zone).strftime("%Y-%m-%d %H:%M:%S")


def clock_time(at_us: int, zone: tzinfo | None = None) -> str:
    """The time of day of a point in time, to the millisecond: "14:05:09.123"."""
    return _local(at_us, zone).strftime("%H:%M:%S.%f")[:-3]


def iso(at_us: int | None) -> str | None:
    """A point in time for programs: ISO 8601 in UTC."""
    if at_us is None:
        return None
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _local(at_us: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(zone)
