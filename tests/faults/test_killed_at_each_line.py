"""A run that dies at one line of its journal, for each of its lines: right behind it, and in the middle of it."""

import os
import signal
from pathlib import Path

import pytest
from tests.faults.harness import ROOT, Story, undisturbed

ARMED = os.pathsep.join((str(Path(__file__).parent / "arming"), str(ROOT / "src"), str(ROOT)))
TARGET = "small.py:small"
SIDE_BY_SIDE = 2
"""Calls of the flow that can be under way at once."""


def die_at(folder: Path, line: int) -> Story | None:
    """The story of a run that died at this line of its journal; None if it has no such line."""
    story = Story(folder, TARGET)
    life = story.begin(PYTHONPATH=ARMED, FAULTS_DIE_AT=str(line)).end()
    if life.code == 0:
        return None
    assert life.code == -signal.SIGKILL, life.err
    story.kills += 1
    return story


def tear(story: Story) -> bool:
    """Take the second half off the last line of the spool, as if the process had died while it wrote that line.

    False if the store has the line already.
    """
    (spool,) = story.spools
    whole = spool.read_bytes()
    end = whole.rindex(b"\n")
    begin = whole.rfind(b"\n", 0, end) + 1
    if story.shipped > begin:
        return False
    torn = whole[: begin + (end - begin) // 2]
    spool.write_bytes(torn.ljust(len(whole), b"\0"))
    return True


@pytest.mark.slow
@pytest.mark.parametrize("how", ["behind", "within"])
def test_a_run_that_dies_at_any_line_of_its_journal_goes_on_from_there(tmp_path: Path, how: str) -> None:
    expected = undisturbed(tmp_path / "undisturbed", TARGET)
    line, torn = 1, 0
    while (story := die_at(tmp_path / str(line), line)) is not None:
        if how == "within":
            torn += tear(story)
        story.note()
        if not story.has_ended:
            life = story.finish()
            assert life.code == 0 or "has ended" in life.err, f"line {line}: {life.err}"
        assert story.result() == expected, f"line {line}"
        story.holds()
        starts = sum(story.times(task) for task in ("one", "flaky", "broken", "charge", "create", "remove", "later"))
        assert 12 <= starts <= 12 + SIDE_BY_SIDE, f"line {line}: more than what was cut off ran again"
        line += 1
    assert line > 40, f"only {line} lines were tried"
    assert how == "behind" or torn > 20, f"only {torn} lines could be torn"
