"""What this disk does: the floor under everything that is acknowledged. No budget; it explains other numbers."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.processes import place
from benchmarks.rows import Row, at, row

PAGE = bytes(4096)
LINE = b"x" * 76 + b"\n"


def measure(*, quick: bool) -> list[Row]:
    """A page and fsync, as a store commits; and a line handed to the system, as a run process writes."""
    pages, lines = (50, 2_000) if quick else (500, 100_000)
    with place() as here:
        synced = _synced_ms(here.folder / "pages", pages)
        write_us = [_line_us(here.folder / "lines", lines) for _ in range(3)]
    return [
        row("fsync of a page, p50", "ms", [at(synced, 0.5)], note=f"{pages} of them"),
        row("fsync of a page, p99", "ms", [at(synced, 0.99)]),
        row("write(2) of a line", "µs", write_us),
    ]


def _synced_ms(path: Path, count: int) -> list[float]:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    took: list[float] = []
    try:
        for _ in range(count):
            begin = time.perf_counter()
            os.write(fd, PAGE)
            os.fsync(fd)
            took.append((time.perf_counter() - begin) * 1e3)
    finally:
        os.close(fd)
    return took


def _line_us(path: Path, count: int) -> float:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        begin = time.perf_counter()
        for _ in range(count):
            os.write(fd, LINE)
        return (time.perf_counter() - begin) / count * 1e6
    finally:
        os.close(fd)
