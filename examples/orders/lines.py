"""From the lines of a file to typed orders. A line that is none is quarantined, with the reason."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kapelle import PermanentError, task


class Order(BaseModel):
    """One line of a file, as it must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: Annotated[int, Field(gt=0)]
    day: date
    customer: Annotated[str, Field(min_length=1, max_length=80)]
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    quantity: Annotated[int, Field(gt=0, le=1000)]
    unit_price: Annotated[Decimal, Field(gt=0, decimal_places=2)]

    @property
    def cents(self) -> int:
        """What the order comes to."""
        return int(self.quantity * self.unit_price * 100)


@dataclass(frozen=True)
class BadLine:
    """A line that is no order."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Parsed:
    """What a file holds."""

    file: str
    orders: list[Order]
    bad: list[BadLine]


@task(run_name="parse {path.name}")
def parse(path: Path) -> Parsed:
    """Read one file. Bad lines do not stop it; a file with another header is none of ours."""
    texts = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    names = texts[0].decode().split(",") if texts else []
    if names != list(Order.model_fields):
        raise PermanentError(f"{path.name} has the columns {names} instead of {list(Order.model_fields)}")
    orders: list[Order] = []
    bad: list[BadLine] = []
    first_seen: dict[int, int] = {}
    for number, raw in enumerate(texts[1:], start=2):
        try:
            order = read_line(raw, names)
            if order.order_id in first_seen:
                raise ValueError(f"the order is already in line {first_seen[order.order_id]}")
            first_seen[order.order_id] = number
            orders.append(order)
        except ValueError as error:
            bad.append(BadLine(number, reason_of(error), raw.decode("utf-8", "backslashreplace")))
    return Parsed(path.name, orders, bad)


def read_line(raw: bytes, names: list[str]) -> Order:
    """The order of one line; ValueError says why it is none."""
    fields = next(csv.reader([raw.decode()]))
    if len(fields) != len(names):
        raise ValueError(f"{len(fields)} fields instead of {len(names)}")
    return Order.model_validate(dict(zip(names, fields, strict=True)))


def reason_of(error: ValueError) -> str:
    """Why a line is no order, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{first['loc'][0]}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
