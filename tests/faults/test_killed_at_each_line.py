"""A run that dies at one line of its journal, for each of its lines: right behind it, and in the middle of it."""

import os
import signal
from pathlib import Path

import pytest
from tests.faults.harness import ROOT, Story, undisturbed

ARMED = os.pathsep.join((str(Path(__file__).parent / "arming"), str(ROOT / "src"), str(ROOT)))
TARGET = "small.py:small"


def die_at(folder: Path, line: int, how: str) -> Story | None:
    """The story of a run that died at this line of its journal and was gone on with; None if it has no such line."""
    story = Story(folder, TARGET)
    living = story.begin(PYTHONPATH=ARMED, FAULTS_DIE_AT=str(line), FAULTS_DIE_HOW=how)
    life = living.end()
    if life.code == 0:
        return None
    assert life.code == -signal.SIGKILL, life.err
    story.kills += 1
    story.note()
    return story


@pytest.mark.slow
@pytest.mark.parametrize("how", ["after", "torn"])
def test_a_run_that_dies_at_any_line_of_its_journal_goes_on_from_there(tmp_path: Path, how: str) -> None:
    expected = undisturbed(tmp_path / "undisturbed", TARGET)
    line = 1
    while (story := die_at(tmp_path / f"{how}{line}", line, how)) is not None:
        if not story.has_ended:
            life = story.finish()
            assert life.code == 0, f"line {line}: {life.err}"
        assert story.result() == expected, f"line {line}"
        story.holds()
        repeated = sum(story.times(task) for task in ("one", "flaky", "broken", "charge", "create", "remove", "later"))
        assert repeated <= 7 + 6, f"line {line}: more than the one call that was cut off ran again"
        line += 1
    assert line > 40, f"only {line} lines were tried"
