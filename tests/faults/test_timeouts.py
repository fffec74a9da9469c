"""Tasks whose time is over and that do not come back: the process goes, the record stays, the run goes on by itself."""

import json
import sys
from pathlib import Path

import pytest
from tests.faults.harness import Story

from kapelle.model.runs import RunState

TIMED_OUT = [1, "timed out", 1]


def once(story: Story, *tasks: str) -> bool:
    """Whether each of these tasks started once."""
    return [story.times(task) for task in tasks] == [1] * len(tasks)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flow", "stuck"),
    [("in_main", "compute"), ("in_pool", "sleep"), ("in_loop", "block"), ("in_loop_thread", "block")],
)
def test_a_task_that_stands_in_c_code_costs_the_process_and_not_the_run(tmp_path: Path, flow: str, stuck: str) -> None:
    story = Story(tmp_path / "story", f"stuck.py:{flow}")
    life = story.begin().end()
    assert life.code == 0, life.err
    assert story.result() == TIMED_OUT
    assert once(story, "before", stuck, "after")
    assert "this process is replaced" in story.kapelle("logs", "@last").out + life.err
    assert story.kapelle("show", "@last").code == 0


@pytest.mark.slow
def test_a_script_whose_process_is_replaced_goes_on_with_the_flows_that_it_called(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "stuck.py:in_main", script=True)
    life = story.begin().end()
    assert life.code == 0, life.err
    assert json.loads(life.out.splitlines()[-1]) == [100, TIMED_OUT, TIMED_OUT]
    assert [story.times(task) for task in ("before", "compute", "sleep", "after")] == [3, 1, 1, 2]
    assert [run.state for run in story.runs] == [RunState.SUCCEEDED] * 3


@pytest.mark.slow
def test_a_replaced_process_speaks_to_programs_as_the_one_before(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "stuck.py:in_main")
    life = story.command([sys.executable, "-m", "kapelle", "run", "--json", story.target]).end()
    assert life.code == 0, life.err
    told = [json.loads(line) for line in life.out.splitlines()]
    assert told[-1]["type"] == "result"
    assert told[-1]["value"] == TIMED_OUT


@pytest.mark.slow
def test_a_run_whose_stuck_task_nobody_catches_fails(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "stuck.py:fatal")
    life = story.begin().end()
    assert life.code == 12, life.err
    assert "TaskTimedOut" in life.err
    assert story.run.state is RunState.FAILED
    assert once(story, "before", "compute")


@pytest.mark.parametrize(("flow", "stuck"), [("asleep_in_main", "sleep"), ("apart", "compute_apart")])
def test_where_it_can_be_stopped_the_process_stays(tmp_path: Path, flow: str, stuck: str) -> None:
    story = Story(tmp_path / "story", f"stuck.py:{flow}")
    life = story.begin().end()
    assert life.code == 0, life.err
    assert story.result() == TIMED_OUT
    assert once(story, "before", stuck, "after")
    assert "replaced" not in life.err
