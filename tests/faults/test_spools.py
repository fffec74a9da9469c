"""What a dead process leaves behind, in every state that it can be in, and runs that are alive at the same time."""

import json
import os
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.faults.harness import FLOWS, ROOT, Story

from kapelle.model.errors import RunBusy
from kapelle.model.runs import RunState
from kapelle.supervisor.rundir import RunDir

GATE = "gate.py:gate"
RESULT = (45, "open")


def waiting(folder: Path, *, script: bool = False) -> Story:
    """The story of a run that will wait in its middle until its gate is opened."""
    return Story(folder, GATE, script=script, environ={"FAULTS_GATE": str(folder / "opened")})


def open_gate(story: Story) -> None:
    (story.folder / "opened").touch()


def killed_in_its_middle(folder: Path) -> Story:
    story = waiting(folder)
    living = story.begin()
    living.until(story.saw("start", "wait"), "the middle of the flow")
    story.killed(living)
    open_gate(story)
    return story


def test_a_torn_last_line_was_never_written(tmp_path: Path) -> None:
    story = killed_in_its_middle(tmp_path / "story")
    (spool,) = story.spools
    with open(spool, "r+b") as file:
        lines = spool.read_bytes().rstrip(b"\0")
        file.truncate(len(lines) - 7)
    story.finish()
    assert story.result() == RESULT
    assert [story.times("work"), story.times("wait")] == [10, 2]


@pytest.mark.slow
def test_a_damaged_spool_is_told_by_its_own_run_and_stops_nobody_else(tmp_path: Path) -> None:
    story = killed_in_its_middle(tmp_path / "story")
    (spool,) = story.spools
    spool.write_bytes(spool.read_bytes().rstrip(b"\0") + b'["E",damaged]\n["e",0,\n')
    other = story.command([sys.executable, "-m", "kapelle", "run", story.target])
    assert other.end().code == 0
    told = {run["state"] for run in json.loads(story.kapelle("runs", "--json").out)}
    assert told == {"succeeded", "waiting"}
    refused = story.kapelle("resume", story.runs[1].id)
    assert refused.code == 1
    assert "damaged line" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.slow
def test_spools_of_a_run_that_the_store_never_heard_of_are_swept_away(tmp_path: Path) -> None:
    story = killed_in_its_middle(tmp_path / "story")
    for file in story.home.glob("kapelle.db*"):
        file.unlink()
    life = story.kapelle("runs")
    assert (life.code, life.out) == (0, "")
    assert not list((story.home / "runs").iterdir())
    assert story.finish().code == 0
    assert story.result() == RESULT


@pytest.mark.slow
@pytest.mark.parametrize("left", ["an empty folder", "a folder with its lock", "nothing"])
def test_a_run_whose_files_are_gone_is_abandoned_and_goes_on_from_what_the_store_has(tmp_path: Path, left: str) -> None:
    story = killed_in_its_middle(tmp_path / "story")
    (spool,) = story.spools
    match left:
        case "an empty folder":
            for file in spool.parent.iterdir():
                file.unlink()
        case "a folder with its lock":
            spool.unlink()
        case _:
            shutil.rmtree(spool.parent)
    (told,) = json.loads(story.kapelle("runs", "--json").out)
    assert told["state"] == "waiting"
    assert story.finish().code == 0
    assert story.result() == RESULT


@pytest.mark.slow
def test_a_run_is_resumed_by_one_process_only(tmp_path: Path) -> None:
    story = waiting(tmp_path / "story")
    living = story.begin()
    living.until(story.saw("start", "wait"), "the middle of the flow")
    story.killed(living)
    living = story.begin()
    living.until(story.saw("start", "wait", 2), "the middle of the flow, again")
    refused = story.kapelle("resume", "@last")
    assert refused.code == 5
    assert "alive in another process" in refused.err
    open_gate(story)
    assert living.end().code == 0
    assert story.result() == RESULT
    story.holds(in_sequence=True)


@pytest.mark.slow
def test_of_many_processes_that_resume_a_run_at_once_one_does(tmp_path: Path) -> None:
    story = killed_in_its_middle(tmp_path / "story")
    (story.folder / "opened").unlink()
    racing = [story.begin() for _ in range(4)]
    racing[0].until(story.saw("start", "wait", 2), "the middle of the flow, again", or_over=True)
    open_gate(story)
    codes = sorted(living.end().code for living in racing)
    assert codes[0] == 0
    assert set(codes) <= {0, 2, 5}, "who comes late finds the run alive, or ended"
    assert story.result() == RESULT
    assert story.times("work") == 10


@pytest.mark.slow
def test_a_run_that_goes_on_can_be_looked_at_and_is_not_taken_away(tmp_path: Path) -> None:
    story = waiting(tmp_path / "story")
    living = story.begin()
    living.until(story.saw("start", "wait"), "the middle of the flow")
    (told,) = json.loads(story.kapelle("runs", "--json").out)
    assert told["state"] == "running"
    assert story.kapelle("show", "@last").code == 0
    assert "worked on 4" in story.kapelle("logs", "@last").out
    open_gate(story)
    assert living.end().code == 0
    assert story.result() == RESULT
    assert len(story.runs) == 1


@pytest.mark.slow
def test_a_run_that_is_stopped_and_continued_loses_nothing(tmp_path: Path) -> None:
    story = waiting(tmp_path / "story")
    living = story.begin()
    living.until(story.saw("start", "wait"), "the middle of the flow")
    living.signal(signal.SIGSTOP)
    (told,) = json.loads(story.kapelle("runs", "--json").out)
    assert told["state"] == "running", "an attached run has no lease that could run out"
    assert story.kapelle("resume", "@last").code == 5
    story.bell.pass_time(3)
    open_gate(story)
    living.signal(signal.SIGCONT)
    assert living.end().code == 0
    assert story.result() == RESULT
    assert story.times("work") == 10


@pytest.mark.slow
def test_ten_scripts_side_by_side_lose_nothing(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "chain.py:chain", environ={"FAULTS_CALLS": "30"})
    living = [story.command([sys.executable, str(FLOWS / "chain.py")]) for _ in range(10)]
    ended = [each.end() for each in living]
    assert [life.code for life in ended] == [0] * 10, [life.err for life in ended if life.code]
    assert len({life.out for life in ended}) == 1
    assert [(run.state, run.counts.succeeded) for run in story.runs] == [(RunState.SUCCEEDED, 30)] * 10
    assert not any((story.home / "runs").iterdir())


def test_a_script_is_gone_on_with_by_the_command(tmp_path: Path) -> None:
    story = waiting(tmp_path / "story", script=True)
    living = story.begin()
    living.until(story.saw("start", "wait"), "the middle of the flow")
    story.killed(living)
    open_gate(story)
    story.finish()
    assert story.result() == RESULT
    story.holds(in_sequence=True)


def test_a_lock_keeps_others_out_while_its_folder_is_made_and_removed(tmp_path: Path) -> None:
    inside, most, took = [0], [0], [0]

    def work() -> None:
        for _ in range(200):
            folder = RunDir(tmp_path, "run")
            try:
                folder.acquire()
            except RunBusy:
                continue
            inside[0] += 1
            took[0] += 1
            most[0] = max(most[0], inside[0])
            (folder.path / "something").touch()
            inside[0] -= 1
            folder.remove()
            folder.release()

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work) for _ in range(4)]:
            done.result()
    assert took[0] > 10
    assert most[0] == 1


def test_the_flows_are_run_from_this_checkout() -> None:
    assert os.path.samefile(FLOWS, ROOT / "tests" / "faults" / "flows")
