"""Async calls, awaited one by one and gathered by the thousand."""

from __future__ import annotations

from benchmarks.processes import place
from benchmarks.rows import Row, in_turn, row


def measure(*, quick: bool) -> list[Row]:
    """Both shapes, in turn with the same in plain asyncio with fingerprints and lines."""
    awaited, gathered, times = (1_000, 1_000, 1) if quick else (20_000, 10_000, 5)
    with place() as here:
        here.program("async_flows.py", "await", 1000)
        found = in_turn(
            times,
            lambda: here.program("async_flows.py", "await", awaited)["us"],
            lambda: here.program("floors.py", "await", awaited)["us"],
            lambda: here.program("async_flows.py", "gather", gathered)["us"],
            lambda: here.program("floors.py", "gather", gathered)["us"],
        )
    return [
        row(f"await chain of {awaited:,}: one call", "µs", found[0], found[1]),
        row(f"gather of 1,000, {gathered // 1000} times: one call", "µs", found[2], found[3]),
    ]
