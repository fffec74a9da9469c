"""What belongs to a project is not there for who may not see it: looked at for every verb of every port."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance.samples import (
    ADA,
    ALL,
    BOB,
    COUNTS,
    GROUPS,
    NOBODY,
    cache_entry,
    call_row,
    ended,
    everything,
    new_run,
    running,
)

from kapelle.model.access import Scope
from kapelle.model.errors import NotFound
from kapelle.model.runs import Attempt, RunEnd, RunState
from kapelle.ports.storage.cache import CacheStore
from kapelle.ports.storage.journal import JournalStore
from kapelle.ports.storage.listings import Listings, Page, RunFilter
from kapelle.ports.storage.output import OutputStore
from kapelle.ports.storage.runs import RunStore
from kapelle.ports.storage.store import Store, Transaction

PORTS = {"runs": RunStore, "journal": JournalStore, "output": OutputStore, "cache": CacheStore, "listings": Listings}
FIRST = Attempt("run1", 1, 1, "first")
Verb = Callable[[Transaction, Scope], Any]
REFUSED = object()

# For each verb: how it is used on a run or entry of the project "ada", and what somebody gets who does not see "ada".
CANARIES: dict[str, tuple[Verb, Any]] = {
    "runs.create": (lambda tx, who: tx.runs.create(who, new_run("run2"), RunState.QUEUED), REFUSED),
    "runs.begin_attempt": (lambda tx, who: tx.runs.begin_attempt(who, "run1", 1, "second", 5), REFUSED),
    "runs.end": (lambda tx, who: tx.runs.end(who, FIRST, RunEnd(RunState.FAILED, 6)), REFUSED),
    "runs.abandon": (lambda tx, who: tx.runs.abandon(who, FIRST, "abandoned", 6), REFUSED),
    "runs.cancelling": (lambda tx, who: tx.runs.cancelling(who, FIRST), REFUSED),
    "runs.next_generation": (lambda tx, who: tx.runs.next_generation(who, "run1", 1, 7), REFUSED),
    "runs.count": (lambda tx, who: tx.runs.count(who, FIRST, COUNTS, GROUPS), REFUSED),
    "runs.get": (lambda tx, who: tx.runs.get(who, "run1"), REFUSED),
    "runs.groups": (lambda tx, who: tx.runs.groups(who, "run1"), REFUSED),
    "runs.delete": (lambda tx, who: tx.runs.delete(who, "run1"), REFUSED),
    "journal.append": (lambda tx, who: tx.journal.append(who, FIRST, 4, b"[2]\n", [call_row(2)]), REFUSED),
    "journal.shipped": (lambda tx, who: tx.journal.shipped(who, FIRST), 0),
    "journal.read": (lambda tx, who: list(tx.journal.read(who, "run1", 1)), REFUSED),
    "journal.rows": (lambda tx, who: tx.journal.rows(who, "run1", 1), REFUSED),
    "journal.bytes_stored": (lambda tx, who: tx.journal.bytes_stored(who, "run1"), REFUSED),
    "output.append": (lambda tx, who: tx.output.append(who, FIRST, 4, b"two\n"), REFUSED),
    "output.shipped": (lambda tx, who: tx.output.shipped(who, FIRST), 0),
    "output.read": (lambda tx, who: list(tx.output.read(who, "run1", 1)), REFUSED),
    "cache.find": (lambda tx, who: tx.cache.find(who, "ada", "k1"), None),
    "cache.newest": (lambda tx, who: tx.cache.newest(who, "ada", "train"), None),
    "cache.put": (lambda tx, who: tx.cache.put(who, "ada", cache_entry(made_at_us=77)), REFUSED),
    "cache.clear": (lambda tx, who: tx.cache.clear(who, "ada"), 0),
    "listings.runs": (lambda tx, who: tx.listings.runs(who, RunFilter(project="ada")), Page([], None)),
    "listings.durations": (lambda tx, who: tx.listings.durations(who, "ada", "daily"), []),
}


def verbs() -> set[str]:
    return {
        f"{domain}.{name}"
        for domain, port in PORTS.items()
        for name, member in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_")
    }


def test_every_domain_of_a_transaction_is_looked_at() -> None:
    domains = {name for name, member in vars(Transaction).items() if isinstance(member, property)}
    assert domains == set(PORTS)


def test_every_verb_has_a_canary() -> None:
    assert verbs() == set(CANARIES)


def test_every_verb_asks_who_is_asking_first() -> None:
    for name in verbs():
        domain, verb = name.split(".")
        second = list(inspect.signature(getattr(PORTS[domain], verb)).parameters)[1]
        assert second == "scope", f"{name} takes {second} first"


@pytest.fixture
def world(store: Store) -> Store:
    """A run and a cache entry of each of two projects, and a run of the first that is over."""
    ended(store, "run5")
    for run_id, project in (("run1", "ada"), ("run9", "bob")):
        attempt = running(store, run_id, project)
        with store.write() as tx:
            tx.journal.append(ALL, attempt, 0, b"[1]\n", [call_row()])
            tx.output.append(ALL, attempt, 0, b"one\n")
            tx.runs.count(ALL, attempt, COUNTS, GROUPS)
            tx.cache.put(ALL, project, cache_entry())
    return store


@pytest.mark.parametrize("who", [BOB, NOBODY], ids=["another project", "no project"])
@pytest.mark.parametrize("name", CANARIES)
def test_a_verb_shows_and_changes_nothing_of_another_project(world: Store, name: str, who: Scope) -> None:
    verb, wanted = CANARIES[name]
    before = everything(world)
    with world.write() as tx:
        if wanted is REFUSED:
            with pytest.raises(NotFound) as refused:
                verb(tx, who)
            assert "brisk-fox" not in str(refused.value)
        else:
            assert verb(tx, who) == wanted
    assert everything(world) == before


# What is answered from memory of an earlier time must not be answered to others either.
AGAIN: dict[str, Verb] = {
    "runs.create": lambda tx, who: tx.runs.create(who, new_run(project="bob"), RunState.QUEUED),
    "runs.begin_attempt": lambda tx, who: tx.runs.begin_attempt(who, "run1", 1, "first", 5),
    "runs.end": lambda tx, who: tx.runs.end(who, FIRST, RunEnd(RunState.FAILED, 6)),
    "runs.next_generation": lambda tx, who: tx.runs.next_generation(who, "run1", 1, 7),
    "journal.append": lambda tx, who: tx.journal.append(who, FIRST, 0, b"[1]\n", []),
    "output.append": lambda tx, who: tx.output.append(who, FIRST, 0, b"one\n"),
}


@pytest.mark.parametrize("who", [BOB, NOBODY], ids=["another project", "no project"])
@pytest.mark.parametrize("name", AGAIN)
def test_a_verb_that_takes_the_same_again_does_so_for_its_project_only(world: Store, name: str, who: Scope) -> None:
    if name in ("runs.end", "runs.next_generation"):
        with world.write() as tx:
            AGAIN["runs.end"](tx, ADA)
            if name == "runs.next_generation":
                AGAIN[name](tx, ADA)
    before = everything(world)
    with world.write() as tx, pytest.raises(NotFound):
        AGAIN[name](tx, who)
    assert everything(world) == before


@pytest.mark.parametrize("name", sorted(set(CANARIES) - {"runs.next_generation"}))
def test_the_same_verb_works_for_who_may_see_the_project(world: Store, name: str) -> None:
    verb, wanted = CANARIES[name]
    with world.write() as tx:
        assert verb(tx, ADA) != wanted


def test_a_listing_without_a_filter_holds_what_the_scope_sees(world: Store) -> None:
    with world.read() as tx:
        for who, wanted in ((ADA, {"run1", "run5"}), (BOB, {"run9"}), (NOBODY, set()), (ALL, {"run1", "run5", "run9"})):
            assert {run.id for run in tx.listings.runs(who, RunFilter()).runs} == wanted


@pytest.mark.parametrize("project", ["", "ada\x00", "ad", "ADA", "ada,bob", '["ada"]', "%", "*", "a'da"])
def test_a_name_that_is_nearly_the_projects_is_another_one(world: Store, project: str) -> None:
    with world.read() as tx, pytest.raises(NotFound):
        tx.runs.get(Scope.of_project(project), "run1")
