"""A long sync chain: what one recorded call costs, and how late it is recorded."""

from __future__ import annotations

from pathlib import Path

from benchmarks.processes import bytes_in, place
from benchmarks.rows import Row, in_turn, row


def measure(*, quick: bool) -> list[Row]:
    """Chains of 200,000 calls, in turn with their floor."""
    calls, times = (2_000, 1) if quick else (200_000, 5)
    on_disk: list[float] = []
    with place() as here:
        here.program("chain.py", 1000)

        def one() -> dict[str, float]:
            said = here.program("chain.py", calls)
            on_disk.append(bytes_in(Path(said["home"])) / calls)
            return said

        runs, floors = in_turn(times, one, lambda: here.program("floors.py", "chain", calls))
    floor, cpu_floor = [said["us"] for said in floors], [said["cpu_us"] for said in floors]
    cpu = [said["cpu_us"] for said in runs]
    ratios = [said["us"] / least for said, least in zip(runs, floor, strict=True)]
    cpu_ratios = [one / least for one, least in zip(cpu, cpu_floor, strict=True)]
    return [
        row(f"chain of {calls:,}: one call", "µs", [said["us"] for said in runs], floor, budget=15),
        row("… as a multiple of its floor", "x", ratios, budget=3),
        row("… processor time of the flow's thread", "µs", cpu, cpu_floor),
        row("… that, as a multiple of its floor", "x", cpu_ratios),
        row("… recorded after its end, p50", "ms", [said["lag_p50_ms"] for said in runs]),
        row("… recorded after its end, p99", "ms", [said["lag_p99_ms"] for said in runs], budget=100),
        row("… calls shipped at a time", "calls", [calls / said["pieces"] for said in runs]),
        row("… on disk, one call", "bytes", on_disk, budget=100),
        row("… memory, one call", "bytes", [said["memory_bytes"] for said in runs]),
    ]
