"""A map over threads: how long it takes, when the first result is there, what a call keeps in memory."""

from __future__ import annotations

from benchmarks.processes import place
from benchmarks.rows import Row, in_turn, row


def measure(*, quick: bool) -> list[Row]:
    """Maps of 10,000 calls that do nothing and a reduce, in turn with the standard library's pool."""
    elements, kept_not, times = (1_000, 1_000, 1) if quick else (10_000, 100_000, 9)
    with place() as here:
        here.program("map.py", "reduce", 1000)
        runs, floors = in_turn(
            times, lambda: here.program("map.py", "reduce", elements), lambda: here.program("map.py", "floor", elements)
        )
        unheld = [here.program("map.py", "unheld", kept_not)["bytes"] for _ in range(min(times, 3))]
    of_pool = "its floor is ThreadPoolExecutor.map, which records nothing"
    return [
        row(
            f"map of {elements:,} and a reduce",
            "s",
            [said["s"] for said in runs],
            [said["s"] for said in floors],
            budget=0.4,
            note=of_pool,
        ),
        row(
            "… its first result",
            "ms",
            [said["first_ms"] for said in runs],
            [said["first_ms"] for said in floors],
            budget=20,
        ),
        row(f"… memory, one call of {kept_not:,} unkept", "bytes", unheld, budget=300),
    ]
