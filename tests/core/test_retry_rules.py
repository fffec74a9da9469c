"""What a retry takes from the generation before, and why."""

from typing import Any

import msgspec
import pytest

from kapelle.core.journal import JournalIndex, Recorded
from kapelle.core.retry import REUSED, PlannedCall, RetryRules, Reuse, make_plan
from kapelle.model.failures import Failure
from kapelle.model.journal import AnyLine, Branched, Defined, Ended, Finished, Started
from kapelle.model.values import INLINE_BYTES_MAX, StoredValue

ONE = StoredValue("json", inline=msgspec.Raw(b"1"), size=1)
TWO = StoredValue("json", inline=msgspec.Raw(b"2"), size=1)
DROPPED = StoredValue("pickle", size=INLINE_BYTES_MAX + 1)
IN_BLOBS = StoredValue("pickle", digest="ab" * 32, size=INLINE_BYTES_MAX + 1)
NO = Failure("ValueError", message="no")

LOAD = Defined(0, "task", "flows.load", "old", "flows.py", 1)
SAVE = Defined(1, "task", "flows.save", "old", "flows.py", 5)
INSIDE = Branched(1, 0, 0, "")
"""Branch 1 is the inside of call 0."""
USUAL = RetryRules()
X, Y = "0a", "0b"
NOBODY = b"an identity that no call has"


def began(call: int, branch: int = 0, key: str = "", task: int = 0, inputs: str = X, occurrence: int = 0) -> Started:
    return Started(call, branch, key, task, inputs, occurrence, 10 + call)


def succeeded(call: int, value: StoredValue = ONE, **more: Any) -> Ended:
    return Ended(call, "S", 20 + call, value, **more)


def failed(call: int) -> Ended:
    return Ended(call, "F", 20 + call, None, NO)


def journal(*lines: AnyLine) -> JournalIndex:
    index = JournalIndex().feed([LOAD, SAVE, *lines])
    index.close_attempt()
    return index


def judged(rules: RetryRules, lines: list[AnyLine], code: str | None = "old") -> tuple[str, str]:
    index = journal(*lines)
    return Reuse(index, rules).judge(index.calls[0], code)


def again(*names: str, mode: Any = "unchanged") -> RetryRules:
    return RetryRules(mode, again=frozenset(names))


STANDS = ("reuse", "it succeeded")
HANDLED = ("reuse", "the flow handled its failure")
CHANGED = ("run", "its code has changed")
CLEANED = ("run", "what it created has been cleaned up")
CHOSEN = ("run", "chosen to run again")
AROUND = ("run", "a call inside it was chosen to run again")
NOT_KEPT = ("run", "its result was not kept")

DONE: list[AnyLine] = [began(0), succeeded(0)]
CAUGHT: list[AnyLine] = [began(0), failed(0), Finished("failed", 99, fatal=(1,))]
FATAL: list[AnyLine] = [began(0), failed(0), Finished("failed", 99, fatal=(0,))]
MADE: list[AnyLine] = [began(0, key="1"), succeeded(0)]
NESTED: list[AnyLine] = [began(0), INSIDE, began(1, branch=1, task=1), succeeded(1), succeeded(0)]

TABLE: list[tuple[str, RetryRules, list[AnyLine], str | None, tuple[str, str]]] = [
    ("a success of the same code", USUAL, DONE, "old", STANDS),
    ("a failure that the flow caught", USUAL, CAUGHT, "old", HANDLED),
    ("a failure of a run without an end", USUAL, CAUGHT[:2], "old", HANDLED),
    ("the failure that ended the run", USUAL, FATAL, "old", ("run", "its failure ended the run")),
    ("that failure, of edited code", USUAL, FATAL, "new", ("run", "its failure ended the run")),
    ("that failure, when all is reused", RetryRules("all"), FATAL, "old", ("run", "its failure ended the run")),
    (
        "a caught failure, to be forgotten",
        RetryRules(also_handled=True), CAUGHT, "old",
        ("run", "its handled failure is forgotten, as asked"),
    ),
    ("a success, when failures are forgotten", RetryRules(also_handled=True), DONE, "old", STANDS),
    ("nothing is wanted", RetryRules("none"), DONE, "old", ("run", "nothing is reused, as asked")),
    ("cut off", USUAL, DONE[:1], "old", ("run", "it was cut off")),
    ("cut off, when all is reused", RetryRules("all"), DONE[:1], "old", ("run", "it was cut off")),
    ("cancelled", USUAL, [began(0), Ended(0, "C", 9)], "old", ("run", "it was cancelled")),
    ("skipped", USUAL, [began(0), Ended(0, "K", 9)], "old", ("run", "it was skipped")),
    ("edited", USUAL, DONE, "new", CHANGED),
    ("edited after a caught failure", USUAL, CAUGHT, "new", CHANGED),
    ("deleted", USUAL, DONE, None, ("run", "its task is gone")),
    ("edited, when all is reused", RetryRules("all"), DONE, "new", STANDS),
    ("it changed an argument", USUAL, [began(0), succeeded(0, reusable=False)], "old", NOT_KEPT),
    ("too large to keep", USUAL, [began(0), succeeded(0, DROPPED)], "old", NOT_KEPT),
    ("too large, when all is reused", RetryRules("all"), [began(0), succeeded(0, DROPPED)], "old", NOT_KEPT),
    ("large and kept", USUAL, [began(0), succeeded(0, IN_BLOBS)], "old", STANDS),
    ("chosen by its full name", again("flows.load"), DONE, "old", CHOSEN),
    ("chosen by its last name", again("load"), DONE, "old", CHOSEN),
    ("chosen, when all is reused", again("load", mode="all"), DONE, "old", CHOSEN),
    ("another task is chosen", again("save"), DONE, "old", STANDS),
    ("a part of its name is no choice", again("flows", "oad"), DONE, "old", STANDS),
    ("a call inside it is chosen", again("save"), NESTED, "old", AROUND),
    ("a call inside it is not chosen", again("other"), NESTED, "old", STANDS),
    (
        "a clean-up",
        RetryRules("all"), [began(0, key="~1"), succeeded(0)], "old",
        ("run", "clean-up is never taken from an earlier try"),
    ),
    ("cleaned up", USUAL, [*MADE, began(1, key="~1", task=1), succeeded(1)], "old", CLEANED),
    ("cleaned up, when all is reused", RetryRules("all"), [*MADE, began(1, key="~1"), succeeded(1)], "old", CLEANED),
    ("a clean-up that failed", USUAL, [*MADE, began(1, key="~1", task=1), failed(1)], "old", STANDS),
    ("a clean-up that was cut off", USUAL, [*MADE, began(1, key="~1", task=1)], "old", STANDS),
    ("a neighbour is cleaned up", USUAL, [*MADE, began(1, key="~2", task=1), succeeded(1)], "old", STANDS),
    (
        "one of another branch is cleaned up",
        USUAL, [Branched(1, 0, -1, "7"), *MADE, began(1, branch=1, key="~1", task=1), succeeded(1)], "old",
        STANDS,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "lines", "code", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_each_call_is_judged(
    rules: RetryRules, lines: list[AnyLine], code: str | None, wanted: tuple[str, str]
) -> None:
    assert judged(rules, lines, code) == wanted


def test_every_call_around_a_chosen_one_runs_again() -> None:
    index = journal(
        began(0), INSIDE, began(1, branch=1), Branched(2, 1, 1, ""), began(2, branch=2, task=1), began(3, inputs=Y),
        succeeded(2), succeeded(1), succeeded(0), succeeded(3),
    )  # fmt: skip
    reuse = Reuse(index, again("save"))
    assert [reuse.judge(call, "old") for call in index.calls.values()] == [AROUND, AROUND, CHOSEN, STANDS]


def find(
    reuse: Reuse, inputs: str = X, name: str = "flows.load", parent: bytes | None = None, code: str = "old"
) -> Any:
    """The number of what stands for a call whose identity is new."""
    found = reuse.find(NOBODY, parent, name, inputs, code)
    return None if found is None else found.number


def same(reuse: Reuse, call: Recorded, code: str = "old") -> Recorded | None:
    """What stands for a call of this identity, of which nothing else fits."""
    return reuse.find(call.id, None, "", "", code)


def test_a_call_is_found_by_its_identity_and_only_once() -> None:
    index = journal(*DONE)
    reuse = Reuse(index, USUAL)
    assert same(reuse, index.calls[0]) is index.calls[0]
    assert same(reuse, index.calls[0]) is None


def test_a_caught_failure_is_found_by_its_identity() -> None:
    index = journal(*CAUGHT)
    assert same(Reuse(index, USUAL), index.calls[0]) is index.calls[0]


def test_a_call_that_has_to_run_again_is_not_replaced_by_one_that_is_alike() -> None:
    index = journal(began(0), began(1, occurrence=1), succeeded(1))
    assert Reuse(index, USUAL).find(index.calls[0].id, None, "flows.load", X, "old") is None
    assert not index.calls[1].claimed


def test_what_must_run_again_is_not_found() -> None:
    for rules, code in [(RetryRules("none"), "old"), (USUAL, "new"), (again("load"), "old")]:
        index = journal(*DONE)
        assert same(Reuse(index, rules), index.calls[0], code) is None
        assert find(Reuse(index, rules), code=code) is None


def test_in_an_edited_flow_a_success_of_the_same_parent_task_and_inputs_stands() -> None:
    lines: list[AnyLine] = [began(0, key="5"), succeeded(0)]
    assert find(Reuse(journal(*lines), USUAL)) == 0
    assert find(Reuse(journal(*lines), USUAL), inputs=Y) is None
    assert find(Reuse(journal(*lines), USUAL), name="flows.save") is None
    assert find(Reuse(journal(*lines), USUAL), parent=b"another") is None


def test_a_call_inside_another_is_alike_only_inside_the_same() -> None:
    index = journal(*NESTED)
    reuse = Reuse(index, USUAL)
    assert find(reuse, name="flows.save") is None
    assert find(reuse, name="flows.save", parent=index.calls[0].id) == 1


def test_calls_that_are_alike_are_given_out_one_by_one_when_their_results_are_equal() -> None:
    reuse = Reuse(journal(*DONE, began(1, occurrence=1), succeeded(1)), USUAL)
    assert [find(reuse) for _ in range(3)] == [0, 1, None]


def test_calls_that_are_alike_with_different_results_stand_for_nothing() -> None:
    blobs = [IN_BLOBS, msgspec.structs.replace(IN_BLOBS, digest="cd" * 32)]
    packed = [StoredValue("pickle", packed=text, size=1) for text in (b"1", b"2")]
    for one, other in ([ONE, TWO], blobs, packed):
        assert find(Reuse(journal(began(0), succeeded(0, one), began(1, key="1"), succeeded(1, other)), USUAL)) is None


def test_a_call_found_by_its_identity_ends_the_doubt_about_another() -> None:
    index = journal(*DONE, began(1, occurrence=1), succeeded(1, TWO))
    reuse = Reuse(index, USUAL)
    assert find(reuse) is None
    assert same(reuse, index.calls[0]) is index.calls[0]
    assert find(reuse) == 1


def test_a_failure_is_never_taken_for_one_that_is_alike() -> None:
    assert find(Reuse(journal(*CAUGHT), USUAL)) is None
    assert find(Reuse(journal(*CAUGHT, began(1, occurrence=1), succeeded(1)), USUAL)) == 1


def test_what_an_attempt_before_has_taken_is_not_free_any_more() -> None:
    index = journal(*DONE, began(1, inputs=Y), succeeded(1), began(2, occurrence=1), succeeded(2))
    reuse = Reuse(index, USUAL)
    reuse.claim_taken(journal(*DONE, began(1, inputs=Y)))
    assert [call.claimed for call in index.calls.values()] == [True, False, False], "the second was cut off"


def test_what_was_taken_for_one_that_is_alike_is_not_free_either() -> None:
    index = journal(began(0, key="1"), succeeded(0), began(1, key="2"), succeeded(1, TWO))
    copied: list[AnyLine] = [began(0, key="9"), succeeded(0, TWO, mark=REUSED)]
    Reuse(index, USUAL).claim_taken(journal(*copied))
    assert [call.claimed for call in index.calls.values()] == [False, True]


def test_each_copy_takes_one_of_those_that_are_alike() -> None:
    index = journal(*[line for call in range(3) for line in (began(call, key=f"{call}"), succeeded(call))])
    reuse = Reuse(index, USUAL)
    reuse.claim_taken(journal(began(0, key="8"), succeeded(0, mark=REUSED), began(1, key="9"), began(2, key="x")))
    assert [call.claimed for call in index.calls.values()] == [True, False, False]
    reuse.claim_taken(journal(began(0, key="9"), succeeded(0, mark=REUSED)))
    assert [call.claimed for call in index.calls.values()] == [True, True, False]


def test_what_this_generation_made_itself_takes_nothing() -> None:
    index = journal(began(0, key="1"), succeeded(0))
    Reuse(index, USUAL).claim_taken(journal(began(0, key="9"), succeeded(0)))
    assert not index.calls[0].claimed


def planned(index: JournalIndex, rules: RetryRules = USUAL, **code: str | None) -> list[tuple[int, str]]:
    plan = make_plan("run", 1, index, rules, lambda name: code.get(name.rpartition(".")[2], "old"))
    return [(call.call, call.action) for call in plan.calls]


def test_a_plan_says_what_happens_to_each_call_and_why() -> None:
    index = journal(began(0), succeeded(0), began(1, task=1), failed(1), Finished("failed", 99, fatal=(1,)))
    plan = make_plan("run", 3, index, USUAL, lambda name: "old")
    assert (plan.run_id, plan.generation, plan.rules, plan.changed) == ("run", 4, USUAL, ())
    assert plan.calls == (
        PlannedCall(index.calls[0].id.hex(), "flows.load", 0, "reuse", "it succeeded"),
        PlannedCall(index.calls[1].id.hex(), "flows.save", 1, "run", "its failure ended the run"),
    )


def test_a_plan_leaves_out_what_is_inside_a_call_that_is_reused() -> None:
    index = journal(*NESTED)
    assert planned(index) == [(0, "reuse")]
    assert planned(index, save="new") == [(0, "reuse")]
    assert planned(index, load="new") == [(0, "run"), (1, "reuse")]
    assert planned(index, again("save")) == [(0, "run"), (1, "run")]


def test_a_plan_names_the_tasks_whose_code_has_changed_or_is_gone() -> None:
    index = journal(*NESTED)
    assert make_plan("run", 1, index, USUAL, lambda name: "new").changed == ("flows.load", "flows.save")
    assert make_plan("run", 1, index, USUAL, {"flows.load": "old"}.get).changed == ("flows.save",)
    unused = journal(*DONE)
    assert make_plan("run", 1, unused, USUAL, lambda name: "new").changed == ("flows.load",), "save was never called"


def test_a_plan_claims_nothing() -> None:
    index = journal(*DONE)
    planned(index)
    assert not index.calls[0].claimed
