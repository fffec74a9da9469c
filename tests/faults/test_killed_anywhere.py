"""Runs that are killed at random moments, again and again: nothing that ended runs twice, the result is the same."""

from collections import defaultdict
from pathlib import Path

import pytest
from tests.faults.harness import Killing, Story, undisturbed


def survive(tmp_path: Path, target: str, killing: Killing, environ: dict[str, str] | None = None) -> Story:
    """Kill a run of `target` as planned; require that it ends with the result of one that nobody disturbed."""
    story = Story(tmp_path / "killed", target, environ=environ)
    killing.carry_out(story)
    assert story.kills >= min(killing.kills, 3), f"only {story.kills} kills: the flow is too short"
    assert story.result() == undisturbed(tmp_path / "undisturbed", target, environ)
    story.holds()
    return story


def one_for_each(story: Story, task: str) -> dict[object, tuple[object, ...]]:
    """The arguments of a task by the first of them, which must name them all: the same in each life."""
    found: dict[object, set[tuple[object, ...]]] = defaultdict(set)
    for line in story.seen:
        if line.task == task and line.phase == "start":
            found[line.args[0]].add(line.args[1:])
    changed = {number: each for number, each in found.items() if len(each) > 1}
    assert not changed, f"{task} was called with other arguments after a resume: {changed}"
    return {number: each.pop() for number, each in found.items()}


def test_a_flow_that_is_killed_ten_times_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    story = survive(tmp_path, "chain.py:chain", Killing(seed=1, kills=10, lines=(1, 10)), {"FAULTS_CALLS": "60"})
    assert story.kills == 10
    story.holds(in_sequence=True)


@pytest.mark.slow
def test_a_flow_of_a_thousand_calls_survives_a_hundred_kills(tmp_path: Path) -> None:
    story = survive(tmp_path, "chain.py:chain", Killing(seed=2, kills=100, lines=(1, 28)), {"FAULTS_CALLS": "1000"})
    assert story.kills == 100
    assert {line.args for line in story.seen} == {(number,) for number in range(1000)}
    story.holds(in_sequence=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4])
def test_maps_survive_and_what_an_iterator_gave_is_not_read_again(tmp_path: Path, seed: int) -> None:
    story = survive(tmp_path, "maps.py:fan_out", Killing(seed, kills=12, lines=(4, 26)))
    tokens = one_for_each(story, "use")
    assert len(set(tokens.values())) == 30


@pytest.mark.slow
def test_nested_flows_survive(tmp_path: Path) -> None:
    survive(tmp_path, "nested.py:outer", Killing(seed=5, kills=10, lines=(3, 16)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [6, 7])
def test_branches_that_race_differently_in_each_life_keep_their_own_tokens(tmp_path: Path, seed: int) -> None:
    story = survive(tmp_path, "branches.py:bank", Killing(seed, kills=10, lines=(3, 16)))
    words = one_for_each(story, "open_account")
    own = [word for name, word in words.items() if not str(name).startswith("sub")]
    assert len(set(own)) == len(own) == 24


@pytest.mark.slow
def test_isolated_tasks_survive(tmp_path: Path) -> None:
    survive(tmp_path, "isolated.py:isolated", Killing(seed=8, kills=6, lines=(1, 5)))


@pytest.mark.slow
def test_retries_go_on_counting_where_they_were(tmp_path: Path) -> None:
    story = survive(tmp_path, "retries.py:persistent", Killing(seed=9, kills=12, lines=(2, 12)))
    for line in story.seen:
        if line.task == "flaky":
            number = line.args[0]
            assert isinstance(number, int)
            assert line.attempt <= number % 4 + 1


@pytest.mark.slow
def test_what_was_done_about_a_failure_stays_done(tmp_path: Path) -> None:
    story = survive(tmp_path, "fallbacks.py:shop", Killing(seed=10, kills=12, lines=(2, 16)))
    ways = one_for_each(story, "publish")
    assert len(ways) == 30
    assert {way for (way,) in ways.values()} >= {"fallback", "stand-in"}
    story.holds(in_sequence=True)


@pytest.mark.slow
def test_results_of_every_kind_come_back_as_they_were(tmp_path: Path) -> None:
    story = survive(tmp_path, "values.py:values", Killing(seed=11, kills=9, lines=(2, 20)))
    story.holds(in_sequence=True)


@pytest.mark.slow
def test_the_durable_vocabulary_gives_the_same_in_every_life(tmp_path: Path) -> None:
    story = survive(tmp_path, "durable.py:durable", Killing(seed=12, kills=14, lines=(2, 22)))
    one_for_each(story, "note")
    assert len(one_for_each(story, "remove")) == 16
    story.holds(in_sequence=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [13, 14])
def test_submitted_calls_and_their_rules_survive(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, "futures.py:dependent", Killing(seed, kills=8, lines=(2, 10)))


@pytest.mark.slow
def test_a_pause_before_the_next_attempt_is_neither_cut_short_nor_begun_again(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "retries.py:patient", environ={"FAULTS_PAUSE_S": "2"})
    living = story.begin()
    living.until(story.saw("failed", "once_more"), "the failure")
    living.until(lambda: any(b'["a"' in spool.read_bytes() for spool in story.spools), "its record")
    failed_at_us = story.seen[-1].at_us
    story.killed(living)
    assert story.begin(FAULTS_PAUSE_S="3600").end().code == 0
    again = story.seen[-2]
    assert (again.task, again.phase, again.attempt) == ("once_more", "start", 2)
    assert again.at_us >= failed_at_us + 2_000_000
    story.holds()


@pytest.mark.slow
def test_a_task_with_outside_effects_starts_when_the_store_knows_its_key(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "durable.py:durable")
    living = story.begin(leash=8)
    living.until(story.saw("start", "charge"), "the charge")
    story.killed(living)
    charge = next(line for line in story.seen if line.task == "charge")
    for spool in story.spools:
        spool.unlink()  # as if the whole machine were lost
    assert charge.call in story.recorded()
    assert story.finish().code == 0
    assert {line.key for line in story.seen if line.task == "charge" and line.args == charge.args} == {charge.key}
