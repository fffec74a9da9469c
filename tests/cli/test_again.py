"""`kapelle resume` and `kapelle retry`."""

import subprocess
import sys

import pytest


@pytest.fixture
def failed(kapelle, monkeypatch):
    monkeypatch.setenv("KAPELLE_TEST_BAD", "1")
    assert kapelle("run", "flows.py:doubled", "--name", "bad").code == 10
    monkeypatch.delenv("KAPELLE_TEST_BAD")
    return kapelle


def test_the_plan_alone(failed):
    answer = failed("retry", "bad", "--plan")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].startswith("retry of doubled (bad, ")
    assert lines[0].endswith("): generation 2")
    assert lines[1].split() == ["TASK", "REUSED", "RUNS", "AGAIN", "WHY"]
    assert lines[2].split()[0] == "double"
    assert "its failure ended the run" in lines[2]
    assert failed("show", "bad", "--json").json["generation"] == 1


def test_the_plan_for_programs(failed):
    plan = failed("retry", "bad", "--plan", "--json").json
    assert plan["generation"] == 2
    assert {call["action"] for call in plan["calls"]} == {"reuse", "run"}


def test_off_a_terminal_the_retry_goes_on_after_its_plan(failed):
    answer = failed("retry", "bad")
    assert answer.code == 0
    assert answer.out.endswith('{"x":6}\n')
    assert answer.err.splitlines()[0].startswith("retry of doubled (bad, ")
    assert "generation 2)" in answer.err
    shown = failed("show", "bad", "--json").json
    assert shown["calls"]["reused"] >= 1
    assert shown["generation"] == 2


@pytest.mark.parametrize("choice", [["--reuse", "none"], ["--task", "double"]], ids=" ".join)
def test_nothing_or_chosen_tasks_run_again(failed, choice):
    plan = failed("retry", "bad", "--plan", "--json", *choice).json
    assert {call["action"] for call in plan["calls"]} == {"run"}


def test_a_chosen_task_that_is_none_of_the_runs(failed):
    assert failed("retry", "bad", "--plan", "--task", "dubble").code == 2


def test_events_begin_with_the_plan(failed):
    events = failed("retry", "bad", "--json").events
    assert [event["type"] for event in events[:2]] == ["plan", "run_started"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_on_a_terminal_it_asks(failed, monkeypatch):
    monkeypatch.setattr("kapelle.cli.retry.is_terminal", lambda stream: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    answer = failed("retry", "bad")
    assert answer.code == 0
    assert "nothing was run" in answer.err
    assert failed("show", "bad", "--json").json["generation"] == 1
    assert failed("retry", "bad", "--yes").code == 0


def test_what_has_ended_cannot_be_resumed(failed):
    answer = failed("resume", "bad")
    assert answer.code in (2, 5)
    assert "there is nothing to resume" in answer.err
    assert "kapelle retry" in answer.err


def test_a_run_whose_process_died_goes_on_where_it_was(kapelle):
    argv = ["run", "flows.py:fragile", "-p", "marker=died", "--name", "phoenix"]
    assert subprocess.run([sys.executable, "-m", "kapelle", *argv], capture_output=True, check=False).returncode == 9
    assert kapelle("show", "phoenix").out.splitlines()[-1].startswith("next        kapelle resume ")
    answer = kapelle("resume", "phoenix")
    assert (answer.code, answer.out) == (0, "42\n")
    assert "going on where it was" in answer.err
    assert kapelle("show", "phoenix", "--json").json["attempt"] == 2
