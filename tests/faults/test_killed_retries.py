"""Retries of a run that are killed themselves: what an earlier generation has done stays done."""

import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.faults.harness import Story
from tests.faults.test_killed_at_each_line import ARMED


def failed(folder: Path) -> Story:
    """The story of a run that has failed and can be mended."""
    story = Story(folder, "mended.py:mended", environ={"FAULTS_MENDED": str(folder / "mended")})
    assert story.begin().end().code == 10
    (folder / "mended").touch()
    return story


def retry(story: Story, dies_at: int) -> None:
    """Begin a retry that dies at this line of its journal."""
    argv = [sys.executable, "-m", "kapelle", "retry", "@last"]
    life = story.command(argv, PYTHONPATH=ARMED, FAULTS_DIE_AT=str(dies_at)).end()
    assert life.code == -signal.SIGKILL, life.err


def require_each_once(story: Story, cut_off: int) -> None:
    assert story.result() == (190, "mended")
    starts = Counter(line.args for line in story.seen if line.task == "work" and line.phase == "start")
    assert set(starts) == {(number,) for number in range(20)}
    assert sum(starts.values()) <= 20 + cut_off
    assert all(starts[(number,)] == 1 for number in range(10)), "what the first generation did is not done again"


@pytest.mark.slow
@pytest.mark.parametrize("line", [1, 2, 3, 4, 8, 20])
def test_a_retry_that_dies_early_still_takes_what_had_succeeded(tmp_path: Path, line: int) -> None:
    story = failed(tmp_path / "story")
    retry(story, dies_at=line)
    assert story.finish().code == 0
    require_each_once(story, cut_off=0)


@pytest.mark.slow
def test_a_retry_that_is_killed_again_and_again_goes_on_where_it_was(tmp_path: Path) -> None:
    story = failed(tmp_path / "story")
    living = story.command([sys.executable, "-m", "kapelle", "retry", "@last"], leash=4)
    living.until(story.saw("end", "fragile"), "the mended call")
    living.kill()
    for number in (12, 15, 17):
        living = story.begin()
        living.until(lambda number=number: story.times("work", "end") >= number, f"call {number}", or_over=True)  # type: ignore[misc]
        living.kill()
    if not story.has_ended:
        story.kapelle("resume", "@last")
    require_each_once(story, cut_off=4)
