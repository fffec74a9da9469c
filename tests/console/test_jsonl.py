"""A run as events."""

import io
import json
from typing import Any

from tests.console.samples import Watch, crank, group, progress, run

from kapelle.console.jsonl import JsonlDisplay
from kapelle.model.journal import OutputLine
from kapelle.model.runs import RunState


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_events_of_a_run():
    stream, watch = io.StringIO(), Watch(progress())
    display = JsonlDisplay(stream, ticker=crank)
    display.started(watch, run())
    watch.now = progress(group("load", running=1))
    display.tick()
    display.tick()
    display.output(OutputLine(0, 1, 1, "out", 20, "", "héllo"))
    display.cancelling("Ctrl-C", 5)
    watch.now = progress(group("load", cancelled=1))
    display.ended(run(RunState.CANCELLED))
    display.emit("result", kind="anything")
    made = events(stream)
    assert [event["type"] for event in made] == [
        "run_started", "group", "progress", "output", "cancelling", "group", "progress", "run_ended", "result",
    ]  # fmt: skip
    assert [event["seq"] for event in made] == list(range(1, 10))
    assert made[1]["path"] == ["daily", "load"]
    assert made[1]["state"] == "running"
    assert made[3]["text"] == "héllo"
    assert made[7]["run"]["state"] == "cancelled"


def test_times_are_iso_and_durations_are_seconds():
    stream = io.StringIO()
    JsonlDisplay(stream, ticker=crank).ended(run(RunState.FAILED))
    ended = events(stream)[0]["run"]
    assert ended["started_at"] == "1970-01-01T00:00:01.000000Z"
    assert ended["duration_s"] == 74.0
    assert ended["failure"]["type"] == "ValueError"


def test_when_nobody_reads_any_more_it_falls_silent():
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    display = JsonlDisplay(Closed(), ticker=crank)
    display.started(Watch(progress()), run())
    display.ended(run(RunState.SUCCEEDED))
