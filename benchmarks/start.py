"""A whole `kapelle run` of a flow with one task, from the shell's point of view."""

from __future__ import annotations

from functools import partial

from benchmarks.processes import COMMAND, Took, place, whole
from benchmarks.rows import Row, in_turn, row

FLOW = """
from kapelle import flow, task
@task
def one() -> int:
    return 1
@flow
def main() -> int:
    return one()
"""
CALLED = FLOW + 'if __name__ == "__main__":\n    main()\n'


def measure(*, quick: bool) -> list[Row]:
    """By the command and as a script, in a home that is there, in turn with a process that does nothing."""
    times = 3 if quick else 15
    with place() as here:
        home = here.home()
        (home / "tiny.py").write_text(FLOW)
        (home / "called.py").write_text(CALLED)
        measures = [
            partial(whole, ["-c", "pass"], home),
            partial(whole, [*COMMAND, "run", "--quiet", str(home / "tiny.py")], home),
            partial(whole, [str(home / "called.py")], home),
        ]
        for warm in measures:
            warm()
        bare, by_command, by_script = in_turn(times, *measures)
    return [
        row("kapelle run, one task, whole process", "ms", _ms(by_command), _ms(bare)),
        row("… processor time", "ms", _cpu_ms(by_command), _cpu_ms(bare)),
        row("python flow.py, one task, whole process", "ms", _ms(by_script), _ms(bare)),
        row("… processor time", "ms", _cpu_ms(by_script), _cpu_ms(bare)),
    ]


def _ms(samples: list[Took]) -> list[float]:
    return [one.s * 1e3 for one in samples]


def _cpu_ms(samples: list[Took]) -> list[float]:
    return [one.cpu_s * 1e3 for one in samples]
