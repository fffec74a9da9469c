"""Runs that are killed at random moments, again and again: nothing that ended runs twice, and the result is the same."""

from pathlib import Path

import pytest
from tests.faults.harness import Killing, Story, undisturbed


def test_a_flow_that_is_killed_ten_times_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    story = Story(tmp_path / "killed", "chain.py:chain", FAULTS_CALLS="60")
    Killing(seed=1, kills=10, lines=(1, 10)).carry_out(story)
    assert story.kills == 10
    assert story.result() == undisturbed(tmp_path / "undisturbed", "chain.py:chain", FAULTS_CALLS="60")
    assert story.times("mix", "end") >= 60
    story.holds(in_sequence=True)


@pytest.mark.slow
def test_a_flow_of_a_thousand_calls_survives_a_hundred_kills(tmp_path: Path) -> None:
    story = Story(tmp_path / "killed", "chain.py:chain", FAULTS_CALLS="1000")
    Killing(seed=2, kills=100, lines=(1, 28)).carry_out(story)
    assert story.kills == 100
    assert story.result() == undisturbed(tmp_path / "undisturbed", "chain.py:chain", FAULTS_CALLS="1000")
    assert {line.args for line in story.seen} == {(number,) for number in range(1000)}
    story.holds(in_sequence=True)
