"""Progress as lines."""

import io

from tests.console.samples import S, Watch, crank, group, progress, run

from kapelle.console.plain import PlainDisplay
from kapelle.model.journal import OutputLine
from kapelle.model.runs import RunState


class Lines:
    """A plain display with its streams, and a watch that the test sets."""

    def __init__(self, quiet: bool = False) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.watch = Watch(progress())
        self.display = PlainDisplay(self.out, self.err, quiet=quiet, home="~/.kapelle", ticker=crank)

    def at(self, now_s: float, *groups, **changes) -> None:
        self.watch.now = progress(*groups, now_s=now_s, **changes)
        self.display.tick()

    def said(self) -> list[str]:
        text = self.err.getvalue()
        self.err.seek(0)
        self.err.truncate()
        return text.splitlines()


def test_a_run_from_begin_to_end():
    lines = Lines()
    lines.display.started(lines.watch, run())
    lines.at(2, group("load", running=1))
    lines.at(3, group("load", running=1))
    load = group("load", succeeded=1, first_started_us=2 * S, last_ended_us=3 * S)
    lines.at(4.5, load, group("train", expected=9, running=2, succeeded=1))
    lines.at(5, load, group("train", expected=9, running=2, succeeded=2, failed=1, errors=("ValueError: no",)))
    lines.watch.now = progress(load, group("train", expected=9, succeeded=8, failed=1, errors=("ValueError: no",)))
    lines.display.ended(run(RunState.FAILED))
    assert lines.said() == [
        "kapelle: running daily (brave-otter, k3f9x2ab)",
        "kapelle: load running",
        "kapelle: load succeeded (1.0 s)",
        "kapelle: train running (1 of 9 calls)",
        "kapelle: train running (3 of 9 calls), 1 failed: ValueError: no",
        "kapelle: train failed (9 calls, 1 failed): ValueError: no",
        "kapelle: daily failed after 1m 14s",
        "  failure   ValueError: bad rate -1",
        "            at flows/rates.py:7 in check",
        "  failed    train: 1 of 9 calls",
        "            ValueError: no",
        "  slowest   load 1.0 s",
        "  recorded  run k3f9x2ab in ~/.kapelle",
        "  next      kapelle retry k3f9x2ab",
    ]


def test_a_loop_does_not_flood():
    lines = Lines()
    lines.display.started(lines.watch, run())
    for step in range(1, 19):
        lines.at(step / 2, group("step", running=step % 2, succeeded=step, last_ended_us=step * S // 2))
    assert lines.said() == ["kapelle: running daily (brave-otter, k3f9x2ab)", "kapelle: step running"]


def test_every_ten_seconds_there_is_a_summary():
    lines = Lines()
    lines.display.started(lines.watch, run())
    lines.said()
    for second in range(1, 25):
        lines.at(second, group("train", expected=100, running=4, succeeded=second, failed=0))
    assert lines.said() == [
        "kapelle: train running (1 of 100 calls)",
        "kapelle: 10 s: 11 of 100 calls ended, 4 running",
        "kapelle: 20 s: 21 of 100 calls ended, 4 running",
    ]


def test_a_replay_is_not_told_call_by_call():
    lines = Lines()
    lines.display.started(lines.watch, run(RunState.WAITING))
    lines.at(2, group("load", succeeded=5), replaying=True)
    assert lines.said() == ["kapelle: running daily (brave-otter, k3f9x2ab, going on where it was)"]


def test_output_goes_to_the_stream_that_it_came_from():
    lines = Lines()
    lines.display.output(OutputLine(0, 1, 1, "out", 20, "", "data"))
    lines.display.output(OutputLine(0, 1, 1, "err", 30, "", "to stderr"))
    lines.display.output(OutputLine(0, 1, 1, "log", 30, "root", "careful", "flows.train"))
    lines.display.output(OutputLine(0, -1, 1, "log", 20, "demo", "hello"))
    assert lines.out.getvalue() == "data\n"
    assert lines.said() == ["to stderr", "WARNING train: careful", "INFO demo: hello"]


def test_quiet_is_output_and_failures_only():
    lines = Lines(quiet=True)
    lines.display.started(lines.watch, run())
    lines.at(20, group("a", failed=1))
    lines.display.cancelling("Ctrl-C", 5)
    lines.display.ended(run(RunState.SUCCEEDED))
    assert lines.said() == []
    lines.display.ended(run(RunState.FAILED))
    assert lines.said()[0] == "kapelle: daily failed after 1m 14s"


def test_thousands_of_groups_are_not_told_one_by_one():
    lines = Lines()
    lines.display.started(lines.watch, run())
    lines.at(2, *(group(f"g{n}", running=1) for n in range(3000)))
    assert len(lines.said()) < 250


def test_nobody_reading_is_no_trouble():
    lines = Lines()
    lines.out.close()
    lines.err.close()
    lines.display.started(lines.watch, run())
    lines.display.output(OutputLine(0, 1, 1, "out", 20, "", "data"))
    lines.display.ended(run(RunState.FAILED))
