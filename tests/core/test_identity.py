"""What makes a call the same call: the program, never time, order of arrival or process."""

from itertools import product

from kapelle.core.identity import ROOT_BRANCH, branch_id, call_seed, finish_call_id, idempotency_key

BRANCHES = [ROOT_BRANCH, branch_id(ROOT_BRANCH, None, "1"), branch_id(ROOT_BRANCH, None, "2")]
TASKS = ["load", "load.", "loads"]
INPUTS = [b"", b"a" * 16, b"b" * 16]
PLACES = [("", 0), ("", 1), ("1", 0), ("2", 0), ("1.0", 0)]


def identity(branch: bytes, task: str, inputs: bytes, key: str, occurrence: int) -> bytes:
    return finish_call_id(call_seed(branch, task), inputs, key, occurrence)


def test_everything_that_tells_calls_apart_is_part_of_the_identity() -> None:
    calls = [identity(*call[:3], *call[3]) for call in product(BRANCHES, TASKS, INPUTS, PLACES)]
    assert len(set(calls)) == len(calls)
    assert {len(call) for call in calls} == {16}


def test_the_same_call_has_the_same_identity() -> None:
    assert identity(ROOT_BRANCH, "load", b"x", "", 3) == identity(ROOT_BRANCH, "load", b"x", "", 3)
    seed = call_seed(ROOT_BRANCH, "load")
    first = finish_call_id(seed, b"x", "", 0)
    assert finish_call_id(seed, b"x", "", 0) == first, "the seed is not used up"


def test_the_occurrence_of_a_submitted_call_plays_no_part() -> None:
    assert identity(ROOT_BRANCH, "load", b"x", "7", 0) == identity(ROOT_BRANCH, "load", b"x", "7", 5)


def test_branches_are_told_apart_by_parent_call_and_key() -> None:
    one, two = branch_id(ROOT_BRANCH, None, "1"), branch_id(ROOT_BRANCH, None, "2")
    inside = branch_id(ROOT_BRANCH, b"c" * 16, "")
    assert len({ROOT_BRANCH, one, two, inside, branch_id(one, None, "1")}) == 5


def test_the_inside_of_a_call_is_the_calls_alone() -> None:
    assert branch_id(ROOT_BRANCH, b"c" * 16, "") == branch_id(b"another parent..", b"c" * 16, "")


def test_the_key_for_the_outside_adds_run_and_generation() -> None:
    keys = {idempotency_key(run, generation, b"c" * 16) for run in ("a", "b") for generation in (1, 2)}
    assert len(keys) == 4
    assert idempotency_key("a", 1, b"c" * 16) == idempotency_key("a", 1, b"c" * 16)
