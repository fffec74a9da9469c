"""The database: orders, quarantine, and which call has loaded what."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kapelle import PermanentError, current_task, task
from lines import Parsed

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (order_id INTEGER PRIMARY KEY, day TEXT NOT NULL, customer TEXT NOT NULL,
    country TEXT NOT NULL, quantity INTEGER NOT NULL, cents INTEGER NOT NULL, file TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS quarantine (file TEXT NOT NULL, line INTEGER NOT NULL, reason TEXT NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY (file, line)) STRICT;
CREATE TABLE IF NOT EXISTS sales (day TEXT NOT NULL, country TEXT NOT NULL, orders INTEGER NOT NULL,
    cents INTEGER NOT NULL, PRIMARY KEY (day, country)) STRICT;
CREATE TABLE IF NOT EXISTS loads (key TEXT PRIMARY KEY, file TEXT NOT NULL, orders INTEGER NOT NULL) STRICT;
"""
ORDER = """
INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO UPDATE SET day = excluded.day,
    customer = excluded.customer, country = excluded.country, quantity = excluded.quantity, cents = excluded.cents,
    file = excluded.file
"""
BAD_LINE = "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?)"


@dataclass(frozen=True)
class Sales:
    """What was sold in one country on one day."""

    day: str
    country: str
    orders: int
    cents: int


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on the database: all of it is written, or nothing."""
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        with database:
            yield database


@task(effects="external")
def prepare(path: Path) -> None:
    """Make the tables, where they are not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SCHEMA)


@task(effects="external", retries=4, retry_on=sqlite3.OperationalError, run_name="load {parsed.file}")
def load(path: Path, parsed: Parsed) -> int:
    """Write one file's orders and bad lines, once; how many orders.

    A process may die after the transaction and before the call is recorded as ended: then the call is made again. It
    carries the same key as the first time, and the key was written in the same transaction, so it finds its work done.
    A new run over the same files has other keys; it replaces each order by itself.
    """
    with transaction(path) as database:
        key = (current_task().idempotency_key, parsed.file, len(parsed.orders))
        if database.execute("INSERT OR IGNORE INTO loads VALUES (?, ?, ?)", key).rowcount:
            database.executemany(
                ORDER,
                [
                    (each.order_id, str(each.day), each.customer, each.country, each.quantity, each.cents, parsed.file)
                    for each in parsed.orders
                ],
            )
            database.executemany(BAD_LINE, [(parsed.file, bad.line, bad.reason, bad.text) for bad in parsed.bad])
    return len(parsed.orders)


@task(effects="external")
def aggregate(path: Path) -> list[Sales]:
    """Sales by day and country, computed anew from all orders."""
    with transaction(path) as database:
        database.execute("DELETE FROM sales")
        database.execute(
            "INSERT INTO sales SELECT day, country, count(*), sum(cents) FROM orders GROUP BY day, country"
        )
        rows = database.execute("SELECT day, country, orders, cents FROM sales ORDER BY day, country").fetchall()
    return [Sales(*row) for row in rows]


@task
def reconcile(path: Path, files: list[Parsed], sales: list[Sales]) -> None:
    """Every line that was read must be an order or in quarantine, and every order in the sales."""
    with transaction(path) as database:
        for each in files:
            stored = [
                database.execute(f"SELECT count(*) FROM {table} WHERE file = ?", (each.file,)).fetchone()[0]
                for table in ("orders", "quarantine")
            ]
            if stored != [len(each.orders), len(each.bad)]:
                raise PermanentError(f"{each.file}: {stored[0]} orders and {stored[1]} bad lines are stored")
        orders = database.execute("SELECT count(*) FROM orders").fetchone()[0]
    if orders != sum(each.orders for each in sales):
        raise PermanentError(f"{orders} orders are stored, but the sales do not add up to them")
