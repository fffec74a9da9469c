"""A result of each kind, given on to a second task: after a resume it must be the same value, of the same type."""

import datetime as dt
import decimal
import enum
import os
import uuid
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from tests.faults.flows.witness import witnessed

from kapelle import flow, task


class Colour(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: float


@dataclass
class Order:
    number: int
    lines: list[tuple[str, int]] = field(default_factory=list)


class Opaque:
    """Only pickle takes it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Opaque({self.text!r})"


class Fitted:
    """A model that holds an array."""

    def __init__(self) -> None:
        self.weights = np.linspace(0.0, 1.0, 5)

    def __repr__(self) -> str:
        return f"Fitted({self.weights.tolist()})"


MAKERS: dict[str, Any] = {
    "none": lambda: None,
    "text": lambda: "naïve \x00 \ud800 text",
    "float": lambda: [1.5, float("nan"), float("-inf"), -0.0, 10**40],
    "tuple": lambda: (1, (2, [3, (4,)])),
    "int_keys": lambda: {1: "one", 2: {3: "three"}, (4, 5): "pair"},
    "set": lambda: {"b", "a", 3, (1, 2)},
    "frozenset": lambda: frozenset({1, 2}),
    "bytes": lambda: b"\x00\xff" * 10,
    "dates": lambda: [dt.date(2024, 2, 29), dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.timedelta(seconds=1)],
    "numbers": lambda: [decimal.Decimal("1.10"), Fraction(1, 3), 1j, True],
    "others": lambda: [uuid.UUID(int=7), PurePosixPath("a/b"), Colour.RED, range(3), Point(1, 2.0)],
    "dataclass": lambda: Order(7, [("apple", 2)]),
    "opaque": lambda: Opaque("x"),
    "fitted": lambda: Fitted(),
    "array": lambda: np.arange(12, dtype=np.int16).reshape(3, 4),
    "array_f": lambda: np.asfortranarray(np.ones((3, 2))),
    "scalar": lambda: np.float32(1.5),
    "objects": lambda: np.array(["a", None, 3], dtype=object),
    "frame": lambda: pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [{"k": 1}, {"j": None}]}),
    "series": lambda: pd.Series([1.0, 2.0], index=pd.date_range("2024-01-01", periods=2), name="s"),
    "split_frame": lambda: _grown_frame(),
    "table": lambda: pa.table({"n": [1, 2, None], "t": ["a", "b", "c"]}),
    "large": lambda: list(range(400_000)),
    "large_bytes": lambda: bytes(3_000_000),
    "large_array": lambda: np.arange(300_000, dtype=np.float64),
}


def _grown_frame() -> Any:
    frame = pd.DataFrame({"a": np.arange(50)})
    for name in "bcdef":
        frame[name] = frame["a"] * 2
    return frame


def told(value: Any) -> str:
    """All that matters about a value, in words."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}".replace("__main__", "tests.faults.flows.values")
    match value:
        case pd.DataFrame():
            cells = [[f"{type(cell).__name__}:{cell!r}" for cell in column] for _, column in value.items()]
            return f"{kind} {value.dtypes.to_dict()} {cells} {value.index!r}"[:4000]
        case pd.Series():
            return f"{kind} {value.to_dict()} {value.dtype} {value.name} {value.index!r}"
        case np.ndarray():
            return f"{kind} {value.dtype} {value.shape} {value.flags.f_contiguous} {value.ravel()[:50].tolist()}"
        case pa.Table():
            return f"{kind} {value.schema} {value.to_pydict()}"
        case set() | frozenset():
            return f"{kind} {sorted(map(repr, value))}"
        case list() | tuple() | dict() | bytes() | str():
            return f"{kind} {len(value)} {value!r}"[:4000]
        case _:
            return f"{kind} {value!r}"


@task(interruptions=99)
def make(name: str) -> Any:
    with witnessed("make", name):
        return MAKERS[name]()


@task(interruptions=99)
def look(name: str, value: Any) -> str:
    """Its inputs hold the value, so it runs again if the value's fingerprint is another one after a resume."""
    with witnessed("look", name):
        return told(value)


@flow
def values() -> list[str]:
    found = []
    for name in os.environ.get("FAULTS_VALUES", "").split(",") if os.environ.get("FAULTS_VALUES") else MAKERS:
        value = make(name)
        found += [look(name, value), told(value)]
    return found
