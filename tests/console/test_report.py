"""The page of one recorded run."""

from datetime import UTC

import pytest
from tests.console.samples import RUN_ID, S, group, run, texts

from kapelle.console import words
from kapelle.console.failures import place_of
from kapelle.console.report import Dossier, FailedCall, report_rows
from kapelle.console.summary import next_command
from kapelle.console.table import Cell, table
from kapelle.model.calls import CallRow, CallState
from kapelle.model.failures import Failure
from kapelle.model.journal import OutputLine
from kapelle.model.runs import ABANDONED, Attempt, GenerationEnd, RunState


@pytest.fixture(autouse=True)
def in_utc(monkeypatch):
    local = words._local
    monkeypatch.setattr(words, "_local", lambda at_us, zone: local(at_us, zone or UTC))


def dossier(of, **known) -> Dossier:
    values = {"usual_us": 0, "groups": (), "failed": (), "last_lines": (), "result": "", **known}
    return Dossier(run=of, now_us=3675 * S, home="~/.kapelle", **values)


def test_a_failed_run_says_why_where_and_what_next():
    call = CallRow(
        "c" * 32,
        7,
        "flows.train",
        "",
        CallState.FAILED,
        0,
        S,
        attempts=3,
        inputs="rate=-1",
        failure=run(RunState.FAILED).failure,
    )
    line = OutputLine(70 * S, 7, 3, "log", 30, "", "rate looks odd", "flows.train")
    found = dossier(
        run(RunState.FAILED, tags=("nightly",)),
        usual_us=37 * S,
        groups=[
            group("load", succeeded=1, duration_us=2 * S),
            group("train", succeeded=8, failed=2, duration_us=40 * S),
        ],
        failed=[FailedCall(call, 2, (line,))],
    )
    assert texts(report_rows(found, 100)) == [
        f"✖ failed  daily  brave-otter  {RUN_ID}",
        "why         ValueError: bad rate -1",
        "            at flows/rates.py:7 in check",
        "time        1m 14s, usually 37.0 s (2.0 times as long) · started 1970-01-01 00:00:01 (1 h ago)",
        "parameters  day='2026-01-01'",
        "tags        nightly",
        "code        flows/daily.py",
        "recorded    ~/.kapelle",
        "",
        "├─ ✔ load   succeeded   2.0 s",
        "└─ ✖ train  failed      ✖ 2 · 10 calls · 40.0 s of work",
        "",
        "✖ failed  train(rate=-1), attempt 3, 2 calls like this",
        "  │ 00:01:10.000  WARNING   train  rate looks odd",
        "",
        "next        kapelle retry k3f9x2ab",
    ]


def test_a_failure_that_the_flow_did_not_end_with_is_told_with_its_call():
    other = Failure("KeyError", "builtins", "'x'")
    call = CallRow("c" * 32, 7, "flows.score", "", CallState.FAILED, 0, S, failure=other)
    found = dossier(run(RunState.SUCCEEDED), failed=[FailedCall(call, 1, ())], result="0.93")
    assert texts(report_rows(found, None))[-4:] == ["✖ failed  score()", "  KeyError: 'x'", "", "result      0.93"]


def test_a_run_whose_process_is_gone():
    lines = texts(report_rows(dossier(run(RunState.WAITING, reason=ABANDONED)), None))
    assert lines[0].startswith("‖ waiting")
    assert lines[1] == "why         its process is gone; what it had done is recorded"
    assert lines[-1] == "next        kapelle resume k3f9x2ab"


def test_history():
    ended = GenerationEnd(1, RunState.FAILED, "timed out", S, 2 * S)
    of = run(RunState.SUCCEEDED, generation=2, previous=(ended,), attempt=Attempt(RUN_ID, 2, 3, "c"))
    lines = texts(report_rows(dossier(of), None))
    assert "history     generation 1 failed (timed out), now generation 2, attempt 3" in lines


def test_the_next_command_of_each_state():
    assert next_command(run(RunState.SUCCEEDED)) == ""
    assert next_command(run(RunState.CANCELLED)) == "kapelle retry k3f9x2ab"
    assert next_command(run(RunState.RUNNING)) == "kapelle logs k3f9x2ab --follow"


def test_places():
    assert place_of('  File "a.py", line 3, in <module>\n') == "a.py:3"
    assert place_of("no frames") == ""


def test_tables_are_cut_only_for_terminals_and_only_where_it_may_be():
    lines = [[Cell("1", right=True), Cell("a long text that may go"), Cell("kept")]]
    assert texts(table(("N", "TEXT", "LAST"), lines)) == [
        "N  TEXT                     LAST",
        "1  a long text that may go  kept",
    ]
    assert texts(table(("N", "TEXT", "LAST"), lines, 19, flexible=(1,)))[1] == "1  a long te…  kept"
