"""What importing costs, over Python itself, with compiled bytecode."""

from __future__ import annotations

from functools import partial
from statistics import median

from benchmarks.processes import COMMAND, place, whole
from benchmarks.rows import Row, in_turn, row

FLOW = "from kapelle import flow, task\n@flow\ndef main(x: int) -> int:\n    return x\n"


def measure(*, quick: bool) -> list[Row]:
    """Whole processes, in turn with one that does nothing."""
    times = 3 if quick else 21
    with place() as here:
        home = here.home()
        (home / "defines.py").write_text(FLOW)
        words = (
            ["-c", "pass"],
            ["-c", "import kapelle"],
            [str(home / "defines.py")],
            [*COMMAND, "--help"],
        )
        measures = [partial(whole, one, home) for one in words]
        for warm in measures:
            warm()
        bare, *others = in_turn(times, *measures)
    names = ("import kapelle", "… and one @flow defined", "kapelle --help")
    return [
        row(
            f"{name}, over bare Python",
            "ms",
            [(one.s - floor.s) * 1e3 for one, floor in zip(found, bare, strict=True)],
            budget=budget,
            note=f"bare Python takes {median(one.s for one in bare) * 1e3:.0f} ms",
        )
        for name, found, budget in zip(names, others, (60, 120, 100), strict=True)
    ]
