"""`kapelle runs`, `show` and `logs`: what was recorded, for people and for programs."""

import json

import msgspec
import pytest

from kapelle.cli.logs import Sieve, followed
from kapelle.model.access import Scope
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Entry, NewRun, RunEnd, RunState
from kapelle.model.values import StoredValue
from kapelle.wiring.local import open_home

S = 1_000_000


@pytest.fixture
def failed(kapelle, monkeypatch):
    """A home with a run that succeeded and, newer, one that failed."""
    kapelle("run", "flows.py:doubled", "--name", "good")
    monkeypatch.setenv("KAPELLE_TEST_BAD", "1,2")
    kapelle("run", "flows.py:doubled", "--name", "bad")
    monkeypatch.delenv("KAPELLE_TEST_BAD")
    return kapelle


def test_an_empty_home_is_an_empty_list(kapelle):
    assert kapelle("runs", "--json").out == "[]\n"
    empty = kapelle("runs")
    assert (empty.code, empty.out) == (0, "")
    assert "no runs yet" in empty.err


def test_runs_newest_first(failed):
    lines = failed("runs").out.splitlines()
    assert lines[0].split() == ["RUN", "STATE", "FLOW", "NAME", "STARTED", "TOOK", "CALLS"]
    assert [line.split()[2:5] for line in lines[1:]] == [["failed", "doubled", "bad"], ["succeeded", "doubled", "good"]]
    assert lines[1].endswith("ValueError: cannot double 1") or lines[1].endswith("ValueError: cannot double 2")


def test_runs_of_a_state_or_flow(failed):
    assert [run["name"] for run in failed("runs", "--state", "failed", "--json").json] == ["bad"]
    assert [run["name"] for run in failed("runs", "--flow", "doubled", "--json").json] == ["bad", "good"]
    assert failed("runs", "--flow", "other", "--json").json == []
    assert "no run is like that" in failed("runs", "--flow", "other").err
    limited = failed("runs", "--limit", "1")
    assert len(limited.out.splitlines()) == 2
    assert "more with --limit" in limited.err


def test_show_answers_first(failed):
    lines = failed("show", "@last-failed").out.splitlines()
    assert lines[0].startswith("✖ failed  doubled  bad  ")
    assert lines[1].startswith("why         ValueError: cannot double ")
    assert lines[2].endswith("flows.py:17 in double")
    assert any(line.startswith("└─ ✖ double  failed") for line in lines)
    assert any("about to fail" in line for line in lines)
    assert lines[-1].startswith("next        kapelle retry ")


def test_show_of_a_success_has_its_result(failed):
    lines = failed("show", "good", "--calls").out.splitlines()
    assert 'result      {"x":6}' in lines
    assert [line.split()[1:4] for line in lines[-3:]] == [["double", "✔", "succeeded"]] * 3


def test_show_for_programs(failed):
    shown = failed("show", "bad", "--calls", "--json").json
    assert (shown["state"], shown["failure"]["type"]) == ("failed", "ValueError")
    assert shown["groups"][0]["path"] == ["doubled", "double"]
    assert shown["failed_calls"][0]["task"].endswith("double")
    assert [line["text"] for line in shown["failed_calls"][0]["output"]][-1] == "about to fail"
    assert len(shown["every_call"]) in (2, 3)  # the flow fails at the second; the third may have begun
    assert shown["next"].startswith("kapelle retry ")


def test_a_run_that_is_not_there(failed):
    answer = failed("show", "goood")
    assert (answer.code, answer.out) == (3, "")
    assert "did you mean good" in answer.err


def test_logs_are_data(failed):
    lines = failed("logs", "good").out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines] == ["print     doubling 3 numbers"]


def test_logs_can_be_narrowed(failed):
    def texts(*options: str) -> set[str]:
        return {line["text"] for line in failed("logs", "bad", "--json", *options).json}

    assert "about to fail" in texts("--task", "double")
    assert texts("--level", "warning") <= {"1 looks odd", "2 looks odd"}
    assert texts("--grep", "^doub") == {"doubling 3 numbers"}
    assert texts("--grep", "nowhere") == set()
    assert "no line is like that" in failed("logs", "bad", "--grep", "nowhere").err
    assert failed("logs", "bad", "--grep", "(").code == 2


def test_following_a_run_that_is_over_shows_it_and_ends(failed):
    lines = failed("logs", "good", "--follow", "--json").out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["doubling 3 numbers"]


def test_following_waits_for_what_comes(kapelle):
    def say(text: str) -> None:
        with home.store.write() as tx:
            line = msgspec.json.encode(OutputLine(S, -1, 1, "out", 20, "", text)) + b"\n"
            tx.output.append(scope, attempt, tx.output.shipped(scope, attempt), line)

    def wait(_: float) -> None:
        say("late")
        with home.store.write() as tx:
            tx.runs.end(scope, attempt, RunEnd(RunState.SUCCEEDED, 2 * S))

    scope = Scope.system()
    with open_home() as home:
        new = NewRun("a" * 26, "demo", "flows.f", "slow", Entry(), StoredValue("json", size=4), "", S)
        with home.store.write() as tx:
            tx.runs.create(scope, new, RunState.QUEUED)
            attempt = tx.runs.begin_attempt(scope, new.id, 1, "x" * 32, S)
        say("early")
        seen = [line.text for line in followed(home, home.find("slow"), Sieve(), wait)]
    assert seen == ["early", "late"]


def test_ctrl_c_while_following_ends_quietly(failed, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kapelle.cli.logs.followed", interrupted)
    answer = failed("logs", "good", "--follow")
    assert (answer.code, answer.out, answer.err) == (130, "", "\n")
