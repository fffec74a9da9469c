"""Going on after kill -9: from the start of the new process to its first new task."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.processes import COMMAND, PROGRAMS, TIMEOUT_S, Place, Took, children_cpu_s, environment, place
from benchmarks.rows import Row, in_turn, row

FLOW = str(PROGRAMS / "killed.py")
IMPORTS = (
    "-c",
    "import sys, time, kapelle.cli.main, kapelle.cli.resume; from kapelle.wiring.loading import load_flow;"
    "load_flow(sys.argv[1]); print(time.time())",
    FLOW,
)
"""What a resuming process imports before it does anything: the command's own modules and the flow's file."""


def measure(*, quick: bool) -> list[Row]:
    """Resumes after 1,000 and after 100,000 ended calls, in turn with a process that only imports."""
    sizes = ((100, 2, 0.3),) if quick else ((1_000, 9, 0.3), (100_000, 5, 1.5))
    rows: list[Row] = []
    for calls, times, budget in sizes:
        with place() as here:
            rows += _resumed(here, calls, times, budget)
    return rows


def _resumed(here: Place, calls: int, times: int, budget: float) -> list[Row]:
    died = here.home()
    died_at = here.folder / "witness-of-the-killed"
    done = _python((*COMMAND, "run", f"{FLOW}:killed", "-p", f"calls={calls}"), died, died_at, kill=True)
    before = died_at.stat().st_size
    if done.returncode >= 0 or before != calls:
        raise RuntimeError(f"the run was to be killed after {calls} calls, not {before}:\n{done.stderr}")
    again: list[float] = []

    def resume() -> Took:
        home, witness = here.home(like=died), here.folder / f"witness-{len(again)}"
        cpu, begin = children_cpu_s(), time.time()
        done = _python((*COMMAND, "resume", "--quiet", "@last"), home, witness)
        if done.returncode:
            raise RuntimeError(f"the run was not resumed:\n{done.stderr}")
        again.append(witness.stat().st_size)
        return Took(float(done.stdout.splitlines()[-1]) - begin, children_cpu_s() - cpu)

    def imports() -> Took:
        cpu, begin = children_cpu_s(), time.time()
        first = float(_python(IMPORTS, died, died_at).stdout)
        return Took(first - begin, children_cpu_s() - cpu)

    imports()
    whole, bare = in_turn(times, resume, imports)
    over = [one.s - least.s for one, least in zip(whole, bare, strict=True)]
    cpu_over = [one.cpu_s - least.cpu_s for one, least in zip(whole, bare, strict=True)]
    return [
        row(f"resume after {calls:,} calls, over imports", "s", over, budget=budget),
        row("… processor time of that", "s", cpu_over, note="of the whole process, its end included"),
        row(
            "… with imports, from the start of the process",
            "s",
            [one.s for one in whole],
            [one.s for one in bare],
            note="its floor is the imports alone",
        ),
        row("… ended calls that ran again", "calls", again, budget=0),
    ]


def _python(words: tuple[str, ...], home: Path, witness: Path, kill: bool = False) -> subprocess.CompletedProcess[str]:
    variables = environment(home) | {"BENCH_WITNESS": str(witness)} | ({"BENCH_KILL": "1"} if kill else {})
    return subprocess.run(
        [sys.executable, *words],
        env=variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=os.path.dirname(FLOW),
    )
