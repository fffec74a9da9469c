"""Arguments: what is part of a call's identity, and what happens to a task that changes them (E1, E7, E20)."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.kit import Bench, Life, did

from kapelle import Cache, Secret, flow, task
from kapelle.model.calls import CallState
from kapelle.model.errors import ArgumentChanged, UnrepeatableInput


@task
def last(x: Any) -> Any:
    did("last")
    return x


class Model:
    def __init__(self) -> None:
        self.fitted = 0


def test_e1_a_task_that_changes_its_argument_fails_and_is_told_what_to_do(bench: Bench) -> None:
    @task
    def clean(rows: list[int]) -> int:
        rows.append(1)
        return len(rows)

    @flow
    def daily() -> int:
        return clean([])

    life = bench.run(daily)
    assert isinstance(life.error, ArgumentChanged)
    assert "clean changed its argument rows in place" in str(life.error)
    assert "mutates=('rows',)" in str(life.error)
    assert life.states("clean") == [CallState.FAILED]


@pytest.mark.parametrize(
    "make",
    [list, dict, set, bytearray, Model, lambda: {"deep": [{"er": []}]}],
    ids=["list", "dict", "set", "bytearray", "object", "deep"],
)
def test_e1_a_change_of_any_kind_of_argument_is_seen(bench: Bench, make: Any) -> None:
    @task
    def change(thing: Any, other: int) -> None:
        match thing:
            case list() | bytearray():
                thing.append(1)
            case dict() if "deep" in thing:
                thing["deep"][0]["er"].append(1)
            case dict():
                thing["x"] = 1
            case set():
                thing.add(1)
            case Model():
                thing.fitted = 6

    @flow
    def daily() -> None:
        change(make(), 1)

    assert isinstance(bench.run(daily).error, ArgumentChanged)


def test_e1_a_task_that_only_reads_is_left_alone(bench: Bench) -> None:
    @task
    def read(rows: list[int], table: dict[str, list[int]]) -> int:
        return len(rows) + len(table)

    @flow
    def daily() -> int:
        return read([1, 2], {"a": [1]})

    assert bench.run(daily).result == 3


def fitting(**options: Any) -> Any:
    """M1: fit(model) and then score(model)."""

    @task(**options)
    def fit(model: list[int]) -> str:
        did("fit")
        model.append(6)
        return "fitted"

    @task
    def score(model: list[int]) -> int:
        did("score")
        return sum(model)

    @flow
    def daily() -> int:
        model: list[int] = []
        fit(model)
        return score(model)

    return daily


def test_e1_when_not_strict_the_call_is_not_reusable_and_runs_again_on_replay(tmp_path: Path) -> None:
    life = Bench(tmp_path, strict=False).run(fitting())
    assert life.result == 6
    assert any("fit changed its argument model in place" in note for note in life.notes)
    for after, again in Bench(tmp_path, strict=False).every_resume(life):
        assert again.result == 6, f"behind line {after}"
        assert "fit" in again.ran


def test_e1_mutates_is_stored_and_restored_on_replay(bench: Bench) -> None:
    life = bench.run(fitting(mutates=("model",)))
    assert life.result == 6
    assert life.notes == []
    for after, again in bench.every_resume(life):
        assert again.result == 6, f"behind line {after}"
    assert bench.resume(life, life.ends(1)).ran == ["score"]


@pytest.mark.parametrize("make", [list, dict, set, bytearray, Model], ids=lambda one: one.__name__)
def test_e1_mutates_restores_every_kind_in_place(bench: Bench, make: Any) -> None:
    seen: list[Any] = []

    @task(mutates=("thing",))
    def change(thing: Any) -> None:
        match thing:
            case list() | bytearray():
                thing.append(1)
            case dict():
                thing["x"] = 1
            case set():
                thing.add(1)
            case _:
                thing.fitted = 6

    @flow
    def daily() -> None:
        thing = make()
        change(thing)
        seen.append(vars(thing) if isinstance(thing, Model) else thing)
        last(1)

    life = bench.run(daily)
    bench.resume(life, life.ends(1))
    assert seen[0] == seen[1] != make()


def inserted(**options: Any) -> Any:
    """M5: three calls that differ in nothing but what they are given beside a session."""

    @task(**options)
    def load(session: Any, table: str) -> str:
        did(f"load {table}")
        return f"rows of {table}"

    tables: list[str] = ["invoices", "users", "orders"]

    @flow
    def daily() -> list[str]:
        session = sqlite3.connect(":memory:")
        try:
            return [load(session, table) for table in tables]
        finally:
            session.close()

    return daily, tables


def test_e7_an_argument_without_a_fingerprint_is_left_out_with_a_note(bench: Bench) -> None:
    daily, _ = inserted()
    life = bench.run(daily)
    assert any("load: session (sqlite3.Connection) cannot be fingerprinted" in note for note in life.notes)
    for after, again in bench.every_resume(life):
        assert again.result == life.result, f"behind line {after}"


def test_e7_call_order_alone_is_never_an_identity(bench: Bench) -> None:
    """A call inserted before the others shifts nobody's results."""
    daily, tables = inserted()
    life = bench.run(daily)
    tables.insert(0, "new")
    again = bench.resume(life, life.ends(3))
    assert again.result == ["rows of new", *life.result]
    assert again.ran == ["load new"]


def test_e7_ignore_says_that_this_is_right_and_silences_the_note(bench: Bench) -> None:
    daily, _ = inserted(ignore=("session",))
    assert bench.run(daily).notes == []


def test_e7_an_ignored_argument_is_no_part_of_the_identity(bench: Bench) -> None:
    days = iter(range(10))

    @task(ignore=("day",))
    def load(table: str, day: int) -> int:
        did(f"load {day}")
        return day

    @flow
    def daily() -> list[int]:
        return [load("orders", next(days)), last(1)]

    life = bench.run(daily)
    assert bench.resume(life, life.ends(1)).result == [0, 1]


def test_e7_with_a_cache_an_argument_without_a_fingerprint_is_an_error(bench: Bench) -> None:
    daily, _ = inserted(cache=Cache())
    life = bench.run(daily)
    assert isinstance(life.error, UnrepeatableInput)
    assert "no fingerprint for session (sqlite3.Connection)" in str(life.error)
    assert "ignore=(…)" in str(life.error)
    assert life.ran == []


def test_e7_with_a_cache_ignore_settles_it(bench: Bench) -> None:
    daily, _ = inserted(cache=Cache(), ignore=("session",))
    assert len(bench.run(daily).ran) == 3


def everything(life: Life) -> bytes:
    """All that a run left behind: journal, output, parameters."""
    output = "".join(line.text for line in life.output).encode()
    return life.journal + output + repr(life.run).encode()


def test_e20_a_secret_is_no_part_of_identity_journal_or_preview(bench: Bench) -> None:
    passwords = iter(["tiger-1", "tiger-2"])

    @task(index=True, run_name="load-{dsn}")
    def load(dsn: Secret, table: str) -> str:
        did(f"load {table}")
        assert dsn.reveal().startswith("tiger")
        return table

    @flow
    def daily() -> str:
        return load(Secret(next(passwords), name="dw"), "orders") + last("")

    life = bench.run(daily)
    again = bench.resume(life, life.ends(1))
    assert again.ran == ["last"], "a rotated password changes nothing"
    for one in (life, again):
        assert b"tiger" not in everything(one)
    assert life.call("load").inputs == "dsn=Secret(dw), table='orders'"
    assert life.notes == []


def test_e20_a_secret_cannot_be_a_result(bench: Bench) -> None:
    @task
    def fetch() -> list[Secret]:
        return [Secret("tiger")]

    @flow
    def daily() -> Any:
        return fetch()

    life = bench.run(daily)
    assert "Secret" in str(life.error)
    assert b"tiger" not in everything(life)


def test_e20_a_secret_deep_inside_an_argument_does_not_leak(bench: Bench) -> None:
    @task(index=True)
    def load(options: dict[str, Any]) -> int:
        return 1

    @flow
    def daily() -> int:
        return load({"dsn": Secret("tiger", name="dw")})

    life = bench.run(daily)
    assert life.result == 1
    assert b"tiger" not in everything(life)


def test_defaults_and_keywords_are_the_same_call(bench: Bench) -> None:
    forms = iter([lambda t: t(1), lambda t: t(x=1, y=2)])

    @task
    def add(x: int, y: int = 2) -> int:
        did("add")
        return x + y

    @flow
    def daily() -> int:
        form: Any = next(forms)
        return form(add) + last(0)  # type: ignore[no-any-return]

    life = bench.run(daily)
    assert bench.resume(life, life.ends(1)).ran == ["last"]


def test_every_kind_of_parameter_is_bound(bench: Bench) -> None:
    @task
    def many(a: int, /, b: int, *rest: int, c: int, d: int = 4, **more: int) -> tuple[Any, ...]:
        return a, b, rest, c, d, more

    @flow
    def daily() -> Any:
        return many(1, 2, 3, 5, c=6, e=7), many.submit(1, b=2, c=3).result()

    assert bench.run(daily).result == ((1, 2, (3, 5), 6, 4, {"e": 7}), (1, 2, (), 3, 4, {}))


def test_equal_calls_in_one_branch_are_told_apart_by_their_number(bench: Bench) -> None:
    numbers = iter(range(10))

    @task
    def draw() -> int:
        return next(numbers)

    @flow
    def daily() -> list[int]:
        return [draw(), draw(), draw()]

    life = bench.run(daily)
    again = bench.resume(life, life.ends(2))
    assert again.result[:2] == [0, 1]
    assert again.result[2] > 2


def test_locks_and_threads_can_be_handed_to_tasks(bench: Bench) -> None:
    @task
    def use(lock: Any) -> bool:
        with lock:
            return True

    @flow
    def daily() -> bool:
        return use(threading.Lock())

    assert bench.run(daily).result is True
