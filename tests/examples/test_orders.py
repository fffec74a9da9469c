"""The orders example: every line ends up in one place, once, whatever happens on the way."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.examples.programs import EXAMPLES, Bench

from kapelle import PermanentError
from lines import Order, parse
from sample import HEADER, write_sample

SCRIPT = EXAMPLES / "orders" / "orders.py"
DAYS, LINES = 6, 400

KILLED_AFTER = """
import contextlib, os, signal, sys
sys.path.insert(0, {folder!r})
import database
transaction, left = database.transaction, [{commits}]
@contextlib.contextmanager
def deadly(path):
    with transaction(path) as connection:
        yield connection
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
database.transaction = deadly
from orders import load_orders
load_orders()
"""
"""Dies behind a commit and before the call that made it is recorded: the moment at which work is done twice."""


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "demo-orders" / "orders.sqlite")) as database:
        return database.execute(query).fetchall()


def contents(folder: Path) -> dict[str, object]:
    """Everything that the run has made, without what names the run."""
    tables = {name: rows(folder, f"SELECT * FROM {name} ORDER BY 1, 2") for name in ("orders", "quarantine", "sales")}
    loads = rows(folder, "SELECT file, orders FROM loads ORDER BY 1")
    files = {name: (folder / "demo-orders" / name).read_bytes() for name in ("quarantine.csv", "sales.png")}
    return {**tables, **files, "loads": loads}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of an undisturbed run of the script, and what it printed."""
    bench = Bench(tmp_path_factory.mktemp("orders"))
    return bench.folder, bench.python(SCRIPT).stdout


def test_every_line_is_an_order_or_in_quarantine_with_its_reason(done: tuple[Path, str]) -> None:
    folder, _ = done
    orders, bad = rows(folder, "SELECT * FROM orders"), rows(folder, "SELECT reason, text FROM quarantine")
    assert len(orders) + len(bad) == DAYS * LINES
    assert len(bad) == DAYS * len(range(7, LINES, 23))
    kinds = ("unit_price:", "quantity:", "day:", "country:", "not UTF-8", "3 fields", "the order is already in line")
    assert {reason for reason, _ in bad if not reason.startswith(kinds)} == set()
    assert all(any(reason.startswith(kind) for reason, _ in bad) for kind in kinds)


def test_the_sales_add_up(done: tuple[Path, str]) -> None:
    folder, printed = done
    ((sold,),) = rows(folder, "SELECT sum(cents) FROM sales")
    ((ordered,),) = rows(folder, "SELECT sum(cents) FROM orders")
    assert sold == ordered > 0
    assert len(rows(folder, "SELECT * FROM sales")) == DAYS * 4
    assert "2,292 orders" in printed
    assert "108 lines in quarantine" in printed
    for name in ("orders.sqlite", "quarantine.csv", "sales.png"):
        assert str(folder / "demo-orders" / name) in printed
    assert (folder / "demo-orders" / "sales.png").read_bytes().startswith(b"\x89PNG")


def test_quarantine_is_a_file_too(done: tuple[Path, str]) -> None:
    folder, _ = done
    with open(folder / "demo-orders" / "quarantine.csv", encoding="utf-8", newline="") as file:
        listed = [(row["file"], int(row["line"]), row["reason"], row["text"]) for row in csv.DictReader(file)]
    assert listed == rows(folder, "SELECT * FROM quarantine ORDER BY file, line")


def test_a_second_run_over_the_same_files_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.python(SCRIPT)
    before = contents(tmp_path)
    bench.python(SCRIPT)
    after = contents(tmp_path)
    assert len(rows(tmp_path, "SELECT * FROM loads")) == 2 * DAYS
    assert {**after, "loads": before["loads"]} == before


@pytest.mark.slow
@pytest.mark.parametrize("commits", [1, 4, DAYS, DAYS + 1])
def test_killed_behind_a_commit_and_resumed_it_loads_nothing_twice(
    tmp_path: Path, done: tuple[Path, str], commits: int
) -> None:
    bench = Bench(tmp_path)
    bench.python("-c", KILLED_AFTER.format(folder=str(SCRIPT.parent), commits=commits), code=-9)
    assert len(rows(tmp_path, "SELECT * FROM loads")) == min(commits, DAYS)
    bench.kapelle("resume", "@last")
    assert bench.last_run()["state"] == "succeeded"
    assert contents(tmp_path) == contents(done[0])


def test_the_same_days_give_the_same_files(tmp_path: Path) -> None:
    one, other = write_sample(tmp_path / "one", 3, 50), write_sample(tmp_path / "other", 3, 50)
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_a_line_becomes_a_typed_order(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text(f'{HEADER}\n7,2026-03-02,"Smith, Ltd",DE,3,19.99\n')
    (order,) = parse(path).orders
    assert (order.customer, order.unit_price, order.cents) == ("Smith, Ltd", Decimal("19.99"), 5997)
    assert isinstance(order, Order)


def test_a_file_with_another_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("name,price\nspoon,3\n")
    with pytest.raises(PermanentError, match=r"day\.csv has the columns"):
        parse(path)
