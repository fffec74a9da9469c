"""Tasks that kill their own process: started again a few times, then given up, so that the run ends."""

import signal
from pathlib import Path

import pytest
from tests.faults.harness import Story

from kapelle.model.runs import RunState


def dies(story: Story) -> None:
    life = story.begin().end()
    assert life.code == -signal.SIGKILL, life.err
    story.kills += 1
    story.note()


def test_a_call_that_keeps_killing_its_process_ends_as_crashed_where_the_flow_can_catch_it(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "deaths.py:careful")
    dies(story)
    dies(story)
    life = story.finish()
    assert life.code == 0
    assert "deadly was cut off 2 times" in story.result()
    assert [story.times("deadly"), story.times("harmless")] == [2, 2]
    story.holds(in_sequence=True)


@pytest.mark.slow
def test_a_run_whose_call_keeps_killing_its_process_fails_and_says_which(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "deaths.py:careless")
    dies(story)
    dies(story)
    life = story.finish()
    assert life.code == 10
    assert "deadly was cut off 2 times" in life.err
    assert story.run.state is RunState.FAILED
    again = story.kapelle("resume", "@last")
    assert again.code == 2, "an ended run is not resumed"


@pytest.mark.slow
def test_an_isolated_task_dies_alone_and_counts_as_an_attempt(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "deaths.py:fenced")
    assert story.begin().end().code == 0
    assert "SIGSEGV" in story.result()
    assert story.times("deadly_apart") == 2
