"""Classes of all kinds, as a project would define them in a module of its own."""

from __future__ import annotations

import enum
import re
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import pydantic


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Point:
    x: Any
    y: Any = 0


@dataclass
class OtherPoint:
    x: Any
    y: Any = 0


@dataclass(frozen=True)
class Frozen:
    x: Any
    y: Any = 0


@dataclass(frozen=True, slots=True)
class Slotted:
    x: Any
    y: Any = 0


@dataclass
class Counted:
    """Its `__post_init__` would change a value that is built a second time."""

    n: int
    total: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.n += 1
        self.total = self.n * 100


class Pair(NamedTuple):
    left: Any
    right: Any


OldPair = namedtuple("OldPair", "left right")


class Record(msgspec.Struct):
    a: Any
    b: Any = None


class FrozenRecord(msgspec.Struct, frozen=True, kw_only=True):
    a: int
    b: str = ""


class Model(pydantic.BaseModel):
    a: int
    b: str = "x"
    items: list[int] = []


class Open(pydantic.BaseModel, extra="allow"):
    a: int
    _hidden: int = pydantic.PrivateAttr(default=3)


class Names(pydantic.RootModel[list[str]]):
    pass


class Plain:
    def __init__(self, x: Any) -> None:
        self.x = x


class Keyed:
    """A connection-like object that says what it is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.handle = object()

    def __kapelle_key__(self) -> object:
        return self.name


class UserId(str):
    pass


class Odd(Exception):
    """Does not come back: its arguments are not those of its `__init__`."""

    def __init__(self, code: int, where: str) -> None:
        super().__init__(f"odd {code} at {where}")


class Fine(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def double(x: int) -> int:
    return x * 2


def triple(x: int) -> int:
    return x * 3


class Growing(msgspec.Struct):
    items: list[int]

    def __post_init__(self) -> None:
        self.items.append(len(self.items))


def named(value: object) -> str:
    """A name for a test's case that is the same in every process: no addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
