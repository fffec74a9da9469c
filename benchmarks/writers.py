"""Eight scripts side by side that record into one home."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from benchmarks.processes import PROGRAMS, TIMEOUT_S, Place, place, start
from benchmarks.rows import Row, in_turn, row

SIDE_BY_SIDE = 8


def measure(*, quick: bool) -> list[Row]:
    """Chains of 5,000 calls in eight processes, in turn with one process alone."""
    calls, times = (200, 1) if quick else (5_000, 3)
    with place() as here:
        here.program("chain.py", 1000)
        many, alone = in_turn(times, lambda: _together(here, SIDE_BY_SIDE, calls), lambda: _together(here, 1, calls))
    floor = "its floor is one script alone"
    return [
        row(
            f"{SIDE_BY_SIDE} scripts, one home: recorded",
            "calls/s",
            [one["per_s"] for one in many],
            [one["per_s"] for one in alone],
            note=f"{floor}; whole runs, from the first begin to the last end, so more is better",
        ),
        row(
            "… longest wait for the store",
            "ms",
            [one["ship_ms"] for one in many],
            [one["ship_ms"] for one in alone],
        ),
        row(
            "… longest call that the flow saw",
            "ms",
            [one["step_ms"] for one in many],
            [one["step_ms"] for one in alone],
        ),
    ]


def _together(here: Place, processes: int, calls: int) -> dict[str, float]:
    """Start the scripts, let them go at once, and put together what they say."""
    home = here.home()
    writers = [start([str(PROGRAMS / "writer.py"), str(calls)], home) for _ in range(processes)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        said = [_said(writer) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    took = max(one["end"] for one in said) - min(one["begin"] for one in said)
    return {
        "per_s": calls * processes / took,
        "ship_ms": max(one["ship_s"] for one in said) * 1e3,
        "step_ms": max(one["step_s"] for one in said) * 1e3,
    }


def _said(writer: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = writer.communicate(timeout=TIMEOUT_S)
    if writer.returncode:
        raise RuntimeError(f"a script failed:\n{err}")
    said: dict[str, Any] = json.loads(out.splitlines()[-1])
    return said
