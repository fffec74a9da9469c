"""The live view, turned by hand on a small terminal."""

import io

from tests.console.samples import RUN_ID, Terminal, Watch, crank, group, pipeline, progress, run

from kapelle.console.live import LINES_HELD, LiveDisplay
from kapelle.console.screen import Screen
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Attempt, RunState


def said(text: str, stream: str = "out", level: int = 20, task: str = "") -> OutputLine:
    return OutputLine(0, 1, 1, stream, level, "", text, task)


def live(terminal: Terminal, **options) -> LiveDisplay:
    return LiveDisplay(Screen(terminal, terminal.size), ticker=crank, home="~/.kapelle", **options)


def test_from_the_first_picture_to_the_summary():
    terminal, watch = Terminal(), Watch(pipeline())
    display = live(terminal)
    display.started(watch, run())
    display.output(said("hello"))
    display.output(said("odd rate", "log", 30, "flows.train"))
    display.tick()
    assert terminal.shown().splitlines()[:3] == [
        "hello",
        "WARNING train: odd rate",
        "▶ running  daily  1m 11s · k3f9x2ab · brave-otter",
    ]
    display.ended(run(RunState.FAILED))
    assert terminal.shown().splitlines()[2:] == [
        "✖ failed  daily  1m 11s · k3f9x2ab · brave-otter",
        "├─ ✔ extract    succeeded   ◆ 1 · 4 calls · 2.0 s",
        "├─ ✔ clean      succeeded   850 ms",
        "├─ ✖ train      failed      █████░░░ 87/120  ✖ 1 · 1m 08s",
        "│     ✖ ValueError: bad rate -1",
        "├─ ◌ report     cut off",
        "│  ├─ ◌ render  cut off     2 calls · 1 cut off · 9.0 s",
        "│  └─ ✔ tables  succeeded   ████████    3/3  9.0 s",
        "└─ ◌ publish    cut off",
        "✖ 1 failed  ✔ 96 succeeded  ◆ 1 cached",
        "  failure   ValueError: bad rate -1",
        "            at flows/rates.py:7 in check",
        "  failed    train: 1 of 87 calls",
        "  slowest   train 1m 08s · report / render 9.0 s · report / tables 9.0 s",
        "  recorded  run k3f9x2ab in ~/.kapelle",
        "  next      kapelle retry k3f9x2ab",
    ]


def test_prints_go_to_stdout_when_that_is_no_terminal():
    terminal, stdout = Terminal(), io.StringIO()
    display = live(terminal, stdout=stdout)
    display.started(Watch(progress()), run())
    display.output(said("data"))
    display.output(said("warned", "err", 30))
    display.tick()
    assert stdout.getvalue() == "data\n"
    assert "data" not in terminal.shown()
    assert "warned" in terminal.shown()


def test_a_flood_of_output_is_cut_and_says_so():
    terminal = Terminal()
    display = live(terminal)
    display.started(Watch(progress()), run())
    for number in range(LINES_HELD + 5):
        display.output(said(f"line {number}"))
    display.tick()
    lines = terminal.shown().splitlines()
    assert lines[:2] == [f"… 5 lines not shown here: kapelle logs {RUN_ID[:8]}", "line 5"]


def test_output_after_the_last_picture_is_not_lost():
    terminal = Terminal()
    display = live(terminal)
    display.started(Watch(progress()), run())
    display.output(said("last words"))
    display.ended(run(RunState.SUCCEEDED))
    assert terminal.shown().splitlines()[0] == "last words"


def test_a_cancel_is_shown_until_the_end():
    terminal = Terminal()
    display = live(terminal)
    display.started(Watch(progress(group("a", running=1))), run())
    display.cancelling("Ctrl-C", 5)
    display.tick()
    assert "■ cancelling (Ctrl-C): what runs has 5 s to clean up; Ctrl-C again ends it now" in terminal.shown()
    display.ended(run(RunState.CANCELLED))
    assert "Ctrl-C" not in terminal.shown()
    assert "■ cancelled  daily" in terminal.shown()


def test_a_resumed_run_says_that_it_goes_on():
    terminal = Terminal()
    display = live(terminal)
    display.started(Watch(progress()), run(attempt=Attempt(RUN_ID, 1, 2, "b")))
    display.tick()
    assert "going on where it was" in terminal.shown()


def test_several_runs_one_after_the_other():
    terminal = Terminal()
    display = live(terminal)
    for _ in range(2):
        display.started(Watch(progress()), run())
        display.tick()
        display.ended(run(RunState.SUCCEEDED))
    assert terminal.shown().count("✔ succeeded  daily") == 2
