"""Ctrl-C: once asks the run to stop in order, twice ends it at once; nothing of it is left behind."""

import signal
from pathlib import Path

import pytest
from tests.faults.harness import Story

from kapelle.model.runs import RunState

FLOWS = [
    ("in_sequence", 1),
    pytest.param("in_branches", 2, marks=pytest.mark.slow),
    pytest.param("in_threads", 3, marks=pytest.mark.slow),
    pytest.param("in_process", 1, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("flow", "lingering"), FLOWS)
def test_ctrl_c_cancels_in_order(tmp_path: Path, flow: str, lingering: int) -> None:
    story = Story(tmp_path / "story", f"interrupted.py:{flow}")
    living = story.begin()
    living.until(story.saw("start", "linger", lingering), "the tasks")
    living.signal(signal.SIGINT)
    life = living.end()
    assert life.code == 11, life.err
    assert story.times("flow", "finally") == 1
    assert story.times("linger", "finally") == (0 if flow == "in_process" else lingering)
    assert story.times("remove", "end") == 1
    assert story.times("never") == 0
    assert story.run.state is RunState.CANCELLED
    assert not story.survivors()


@pytest.mark.slow
def test_ctrl_c_cancels_a_script_in_order(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "interrupted.py:in_sequence", script=True)
    living = story.begin()
    living.until(story.saw("start", "linger"), "the task")
    living.signal(signal.SIGINT)
    life = living.end()
    assert life.code == 11, life.err
    assert story.times("remove", "end") == 1
    assert "Traceback" not in life.err
    assert story.run.state is RunState.CANCELLED


@pytest.mark.slow
def test_ctrl_c_twice_ends_the_run_at_once(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "interrupted.py:without_end")
    living = story.begin()
    living.until(story.saw("start", "stubborn"), "the task")
    living.signal(signal.SIGINT)
    living.until(story.saw("finally", "stubborn"), "its clean-up")
    living.signal(signal.SIGINT)
    life = living.end()
    assert life.code == 130, life.err
    assert story.kapelle("runs").code == 0
    assert story.run.state is RunState.CANCELLED
    assert not story.survivors()
