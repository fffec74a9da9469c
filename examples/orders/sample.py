"""The shop's files: a CSV for each day, the same in every run, with the dirt that real ones have."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

FIRST_DAY = date(2026, 3, 2)
HEADER = "order_id,day,customer,country,quantity,unit_price"
COUNTRIES = ("DE", "FR", "IT", "PL")
WEIGHTS = (5, 3, 2, 2)


def write_sample(folder: Path, days: int, lines: int) -> list[Path]:
    """Write the files of the days into a folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_day(folder, number, lines) for number in range(days)]


def write_day(folder: Path, number: int, lines: int) -> Path:
    """Write the file of one day."""
    chance = random.Random(number)
    day = FIRST_DAY + timedelta(days=number)
    rows = [_row(chance, 10_000 * (number + 1) + place, day) for place in range(lines)]
    for place in range(7, lines, 23):  # every 23rd line is spoiled, in one way after the other
        rows[place] = _spoil(rows[place], rows[place - 1], (number + place) % 7)
    end = "\r\n" if number % 3 == 2 else "\n"  # some days come from another system,
    start = b"\xef\xbb\xbf" if number % 3 == 2 else b""  # which also writes a byte order mark
    path = folder / f"orders-{day}.csv"
    path.write_bytes(start + end.join([HEADER, *map(_text, rows), ""]).encode("latin-1"))
    return path


def _row(chance: random.Random, order: int, day: date) -> list[str]:
    customer = f"Customer {chance.randrange(200)}, Ltd" if chance.random() < 0.1 else f"C{chance.randrange(200):03}"
    country = chance.choices(COUNTRIES, WEIGHTS)[0]
    return [
        str(order),
        str(day),
        customer,
        country,
        str(chance.randint(1, 9)),
        f"{chance.randint(199, 9999) / 100:.2f}",
    ]


def _spoil(row: list[str], before: list[str], how: int) -> list[str]:
    order, day, customer, country, quantity, price = row
    year, month, rest = day.split("-")
    return [
        [order, day, customer, country, quantity, ""],
        [order, day, customer, country, f"-{quantity}", price],
        [order, f"{rest}.{month}.{year}", customer, country, quantity, price],
        [order, day, customer, f"{country.lower()}x", quantity, price],
        [order, day, "M\xfcller", country, quantity, price],
        [order, day, customer],
        before,
    ][how]


def _text(row: list[str]) -> str:
    return ",".join(f'"{field}"' if "," in field else field for field in row)
