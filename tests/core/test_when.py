"""The trigger rules as functions: every rule in every small world, against what its name says."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.core.when import EARLY_RULES, decide
from kapelle.model.calls import CallState
from kapelle.model.errors import UpstreamFailed
from kapelle.model.outcomes import Outcome
from kapelle.model.policies import WHEN_RULES

S, F, K, C = CallState.SUCCEEDED, CallState.FAILED, CallState.SKIPPED, CallState.CANCELLED
WORLD = {
    "good": Outcome(S, 1),
    "bad": Outcome(F, None, ValueError("no")),
    "stopped": Outcome(C),
    "behind bad": Outcome(K, None, UpstreamFailed("no")),
    "skipped": Outcome(K),
    "open": None,
}
BAD = {"bad", "stopped", "behind bad"}

Holds = Callable[[Sequence[str]], bool]
LAWS: dict[str, Holds] = {
    "all_success": lambda ends: all(end == "good" for end in ends),
    "all_failed": lambda ends: all(end in BAD for end in ends),
    "all_done": lambda ends: True,
    "all_done_min_one_success": lambda ends: any(end == "good" for end in ends),
    "all_skipped": lambda ends: all(end == "skipped" for end in ends),
    "one_success": lambda ends: any(end == "good" for end in ends),
    "one_failed": lambda ends: any(end in BAD for end in ends),
    "one_done": lambda ends: any(end == "good" or end in BAD for end in ends),
    "none_failed": lambda ends: not any(end in BAD for end in ends),
    "none_failed_min_one_success": lambda ends: not any(end in BAD for end in ends) and "good" in ends,
    "none_skipped": lambda ends: "skipped" not in ends,
    "always": lambda ends: True,
}


def verdict(rule: Any, ends: Sequence[str]) -> str:
    return decide(rule, [WORLD[end] for end in ends]).action


def test_every_rule_has_a_law() -> None:
    assert LAWS.keys() == WHEN_RULES


@pytest.mark.parametrize("rule", sorted(LAWS))
def test_when_all_have_ended_a_rule_runs_or_skips_as_its_name_says(rule: str) -> None:
    ended = [end for end in WORLD if end != "open"]
    for ends in (world for size in (1, 2, 3) for world in product(ended, repeat=size)):
        assert verdict(rule, ends) == ("run" if LAWS[rule](ends) else "skip"), ends


@given(rule=st.sampled_from(sorted(LAWS)), ends=st.lists(st.sampled_from(sorted(WORLD)), min_size=1, max_size=5))
def test_a_rule_never_decides_against_what_may_still_come(rule: str, ends: list[str]) -> None:
    """With calls still open it skips only if no end of theirs could make it run; early rules run once they hold."""
    said = verdict(rule, ends)
    places = [place for place, end in enumerate(ends) if end == "open"]
    worlds = []
    for ways in product(sorted(set(WORLD) - {"open"}), repeat=len(places)):
        world = list(ends)
        for place, way in zip(places, ways, strict=True):
            world[place] = way
        worlds.append(LAWS[rule](world))
    if said == "skip":
        assert not any(worlds)
    if said == "run":
        assert all(worlds)
    if said == "wait":
        assert places
        assert rule not in EARLY_RULES or not all(worlds)


def test_without_dependencies_every_rule_runs() -> None:
    assert {decide(rule, []).action for rule in WHEN_RULES} == {"run"}


def test_all_success_says_at_once_that_a_failure_came_from_before() -> None:
    said = decide("all_success", [WORLD["bad"], None])
    assert (said.action, said.upstream_failed) == ("skip", True)
    assert said.reason == "1 of 2 that it depends on failed"
    assert not decide("all_success", [WORLD["skipped"], None]).upstream_failed


def test_a_callable_is_asked_when_all_have_ended() -> None:
    asked: list[int] = []

    def rule(outcomes: tuple[Outcome[Any], ...]) -> bool:
        asked.append(len(outcomes))
        return outcomes[0].succeeded

    assert decide(rule, [WORLD["good"], None]).action == "wait"
    assert asked == []
    assert decide(rule, [WORLD["good"], WORLD["bad"]]).action == "run"
    assert decide(rule, [WORLD["bad"]]).reason == "its rule rule said no"
