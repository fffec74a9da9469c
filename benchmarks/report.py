"""The table that people read, and what it says about the machine."""

from __future__ import annotations

import os
import platform
from typing import Any

from benchmarks.rows import Row

HEADS = ("what", "measured", "floor", "ratio", "budget", "met?")


def machine() -> dict[str, Any]:
    """What the numbers depend on, without names. The load is that of before the first measurement."""
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }


def table(rows: list[Row], here: dict[str, Any], *, quick: bool) -> str:
    """The rows as a Markdown table, so that it can be put into a page."""
    cells = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADS))]
    lines = [_line(HEADS, widths), "|" + "|".join(_rule(column, width) for column, width in enumerate(widths)) + "|"]
    lines += [_line(line, widths) for line in cells[1:]]
    notes = dict.fromkeys(f"{row.what.lstrip('… ')}: {row.note}" for row in rows if row.note)
    about = f"{here['cores']} cores, {here['system']}, {here['python']}, load {here['load']} before; medians"
    if quick:
        about += "; QUICK: these numbers mean nothing"
    return "\n".join([about, "", *lines, *([""] if notes else []), *(f"* {note}" for note in notes)])


def _cells(row: Row) -> tuple[str, ...]:
    met = {None: "", True: "yes", False: "NO"}[row.met]
    return (
        row.what,
        _number(row.measured, row.unit) if row.samples else "not measured",
        _number(row.floor_measured, row.unit),
        "" if row.ratio is None else f"{row.ratio:.1f} x",
        "" if row.budget is None else f"≤ {_number(row.budget, row.unit, exact=True)}",
        met,
    )


def _number(value: float | None, unit: str, *, exact: bool = False) -> str:
    if value is None:
        return ""
    if exact:
        return f"{value:g} {unit}".strip()
    return f"{value:,.0f} {unit}".strip() if abs(value) >= 100 else f"{value:.3g} {unit}".strip()


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


def _rule(column: int, width: int) -> str:
    return "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
