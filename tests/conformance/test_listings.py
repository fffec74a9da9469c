"""Listings: newest first, page by page, by predicates that all hold."""

import pytest
from tests.conformance.samples import ALL, new_run, queued

from kapelle.model.errors import UsageError
from kapelle.model.runs import RunEnd, RunState
from kapelle.ports.storage.listings import RunFilter
from kapelle.ports.storage.store import Store


def ids(store: Store, where: RunFilter | None = None, limit: int = 50) -> list[str]:
    with store.read() as tx:
        return [run.id for run in tx.listings.runs(ALL, where or RunFilter(), limit=limit).runs]


def test_runs_are_listed_newest_first_and_by_id_where_they_are_of_one_moment(store: Store) -> None:
    for run_id, at_us in (("b", 1), ("c", 3), ("a", 2), ("d", 2)):
        queued(store, run_id, created_at_us=at_us)
    assert ids(store) == ["c", "d", "a", "b"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_join_to_the_whole(store: Store, size: int) -> None:
    for number in range(7):
        queued(store, f"r{number}", created_at_us=number // 3)
    found: list[str] = []
    cursor = None
    with store.read() as tx:
        while True:
            page = tx.listings.runs(ALL, RunFilter(), limit=size, cursor=cursor)
            assert len(page.runs) <= size
            found += [run.id for run in page.runs]
            cursor = page.next
            if cursor is None:
                break
    assert found == ids(store)
    assert len(found) == 7


def test_pages_are_stable_while_runs_come_and_go(store: Store) -> None:
    for number in range(6):
        queued(store, f"r{number}", created_at_us=number)
    with store.read() as tx:
        first = tx.listings.runs(ALL, RunFilter(), limit=2)
    queued(store, "new", created_at_us=99)
    with store.write() as tx:
        tx.runs.delete(ALL, "r4")
        tx.runs.delete(ALL, "r2")
    with store.read() as tx:
        second = tx.listings.runs(ALL, RunFilter(), limit=2, cursor=first.next)
    assert [run.id for run in first.runs] == ["r5", "r4"]
    assert [run.id for run in second.runs] == ["r3", "r1"]


@pytest.mark.parametrize("cursor", ["", "x", "12", "-r1", "1-", f"{2**63}-r1", "1.5-r1", "' OR 1=1 --", "-1-r1"])
def test_a_cursor_that_is_none_is_refused(store: Store, cursor: str) -> None:
    with store.read() as tx, pytest.raises(UsageError, match="cursor"):
        tx.listings.runs(ALL, RunFilter(), cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_holds_something(store: Store, limit: int) -> None:
    with store.read() as tx:
        with pytest.raises(UsageError, match="limit"):
            tx.listings.runs(ALL, RunFilter(), limit=limit)
        with pytest.raises(UsageError, match="limit"):
            tx.listings.durations(ALL, "ada", "daily", limit=limit)


FILTERS = {
    "project": (RunFilter(project="bob"), "b"),
    "flow by full name": (RunFilter(flow="pipelines.sales.daily"), "ab"),
    "flow by last part": (RunFilter(flow="weekly"), "c"),
    "flow by a part that is not the last": (RunFilter(flow="sales"), ""),
    "one state": (RunFilter(states=frozenset({RunState.RUNNING})), "b"),
    "two states": (RunFilter(states=frozenset({RunState.RUNNING, RunState.QUEUED})), "abc"),
    "id": (RunFilter(id_prefix="b"), "b"),
    "empty id": (RunFilter(id_prefix=""), "abc"),
    "id with signs of a pattern": (RunFilter(id_prefix="%"), ""),
    "name": (RunFilter(name="calm-owl"), "c"),
    "part of a name": (RunFilter(name="calm"), ""),
    "tag": (RunFilter(tag="x"), "ac"),
    "tag that is a part of one": (RunFilter(tag="nigh"), ""),
    "since": (RunFilter(since_us=20), "bc"),
    "all that hold": (RunFilter(project="ada", tag="x", since_us=20, flow="weekly"), "c"),
    "all of which one does not": (RunFilter(project="ada", tag="x", name="brisk-fox", since_us=20), ""),
    "a text that is SQL": (RunFilter(name="' OR '1'='1"), ""),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_what_holds_for_it(store: Store, name: str) -> None:
    queued(store, "a", created_at_us=10, tags=("x",))
    queued(store, "b", "bob", created_at_us=20, tags=())
    queued(store, "c", created_at_us=30, tags=("y", "x"), flow="pipelines.sales:weekly", name="calm-owl")
    with store.write() as tx:
        tx.runs.begin_attempt(ALL, "b", 1, "first", 5)
    where, wanted = FILTERS[name]
    assert sorted(ids(store, where)) == sorted(wanted)


def test_durations_are_those_of_the_last_successes(store: Store) -> None:
    with store.write() as tx:
        for number, (state, flow, project) in enumerate(
            [
                (RunState.SUCCEEDED, "m.daily", "ada"),
                (RunState.SUCCEEDED, "m.daily", "ada"),
                (RunState.FAILED, "m.daily", "ada"),
                (RunState.SUCCEEDED, "m.weekly", "ada"),
                (RunState.SUCCEEDED, "m.daily", "bob"),
                (RunState.SUCCEEDED, "m.daily", "ada"),
            ]
        ):
            run_id = f"r{number}"
            tx.runs.create(ALL, new_run(run_id, project, flow=flow, created_at_us=number), RunState.QUEUED)
            attempt = tx.runs.begin_attempt(ALL, run_id, 1, "first", 100)
            tx.runs.end(ALL, attempt, RunEnd(state, 100 + 10**number))
    with store.read() as tx:
        assert tx.listings.durations(ALL, "ada", "daily") == [100_000, 10, 1]
        assert tx.listings.durations(ALL, "ada", "m.daily", limit=2) == [100_000, 10]
        assert tx.listings.durations(ALL, "ada", "none") == []
