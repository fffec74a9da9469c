"""Fingerprints: equal inputs have one fingerprint everywhere, different inputs have different ones."""

from __future__ import annotations

import datetime as dt
import functools
import io
import math
import os
import re
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from tests.engine.values import shapes
from tests.engine.values.shapes import (
    Colour,
    Frozen,
    FrozenRecord,
    Keyed,
    Level,
    Model,
    OldPair,
    Open,
    OtherPoint,
    Pair,
    Plain,
    Point,
    Record,
    Rights,
    Slotted,
    UserId,
)
from tests.engine.values.strategies import unordered, values

from kapelle.engine.values.fingerprint import (
    FINGERPRINT_VERSION,
    fingerprint_arguments,
    fingerprint_value,
)
from kapelle.engine.values.naming import type_label
from kapelle.model.secret import Secret

DISTINCT: list[Any] = [
    None, False, True, 0, 1, -1, 2**31, 2**63, 2**64, 10**5000, 0.0, -0.0, 1.0, float("nan"), float("inf"), -math.inf,
    1 + 0j, complex(0, 1), "", "1", "None", "a", "\ud800", "\x00", b"", b"1", b"a", bytearray(b"a"), bytearray(),
    [], (), set(), frozenset(), {}, [1], (1,), {1}, frozenset({1}),
    [1, 2], [[1], 2], [[1, 2]], [[1], [2]], [[]], ((),),
    ([],), [()], [None], {"a": 1}, {"a": "1"}, {"b": 1}, {1: "a"}, {True: "a"}, {"1": "a"}, {None: 1}, [("a", 1)],
    {"a": {"b": 1}}, {"a": {}, "b": 1}, {"a": [1]}, {"a": (1,)}, [1.0], [float("nan")], (1, "a"), ("1", "a"),
    range(3), range(0, 3, 2), range(0), slice(3), slice(0, 3), ..., NotImplemented, NoneType, int, bool, str,
    dt.date(2024, 1, 2), dt.datetime(2024, 1, 2),  # noqa: DTZ001
    dt.datetime(2024, 1, 2, tzinfo=dt.UTC),
    dt.datetime(2024, 1, 2, tzinfo=ZoneInfo("UTC")), dt.datetime(2024, 1, 2, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.time(1, 2), dt.time(1, 2, tzinfo=dt.UTC), dt.timedelta(1), dt.timedelta(0, 1), dt.UTC,
    dt.timezone(dt.timedelta(0), "x"), dt.timezone(dt.timedelta(hours=1)), ZoneInfo("UTC"),
    Decimal(1), Decimal("1.0"), Decimal("NaN"), Fraction(1), Fraction(1, 2), UUID(int=1),
    Path("a"), PurePosixPath("a"), PureWindowsPath("a"), Path("b"),
    Colour.RED, Colour.BLUE, Level.LOW, Level.HIGH, Rights.READ, Rights.READ | Rights.WRITE,
    Point(1), Point(1, 2), Point("1"), OtherPoint(1), Frozen(1), Slotted(1), Point([1]), Point((1,)), Point(Point(1)),
    Pair(1, 2), OldPair(1, 2), Record(1, 2), FrozenRecord(a=1), FrozenRecord(a=1, b="1"),
    Model(a=1), Model(a=2), Open(a=1), Open.model_validate({"a": 1, "c": 2}), Plain(1), Plain(2),
    Plain([1]), Keyed("a"), Keyed("b"),
    UserId("a"), OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), defaultdict(int, a=1), defaultdict(list, a=1),
    Counter("aab"), deque([1]), deque([1], maxlen=3), ValueError(), ValueError("a"), TypeError("a"),
    re.compile("a"), re.compile("a", re.IGNORECASE), re.compile(b"a"),
    os, sys, shapes.double, shapes.triple, len, max,
    Point, OtherPoint, functools.partial(shapes.double, 1), functools.partial(shapes.double, x=1), math.sin,
    list[int], list[str], "x" * 70000, "y" * 70000, b"x" * 70000, [0] * 5000, [0] * 5001, [[0]] * 5000,
]  # fmt: skip


def of(*arguments: object) -> bytes:
    return fingerprint_arguments(tuple(f"a{i}" for i in range(len(arguments))), arguments).digest


def test_every_listed_value_has_a_fingerprint_of_its_own() -> None:
    met: dict[bytes, object] = {}
    for value in DISTINCT:
        digest = fingerprint_value(value)
        assert digest is not None, value
        assert len(digest) == 16
        assert digest not in met, (value, met[digest])
        met[digest] = value


def test_as_arguments_too_alone_and_beside_another() -> None:
    alone = [of(value) for value in DISTINCT]
    beside = [of(value, "other") for value in DISTINCT]
    swapped = [of("other", value) for value in DISTINCT]
    assert len({*alone, *beside, *swapped}) == 3 * len(DISTINCT)


@settings(max_examples=400)
@given(values, values)
def test_two_values_share_a_fingerprint_exactly_if_they_are_the_same(one: object, other: object) -> None:
    assert fingerprint_value(one) is not None
    same = fingerprint_value(one) == fingerprint_value(other)
    assert same == (unordered(one) == unordered(other))
    assert (of(one) == of(other)) == same


@given(values, values)
def test_boundaries_between_parts_are_unambiguous(one: object, other: object) -> None:
    grouped = [[one, other], [[one], other], [one, [other]], [[one, other]], [[one], [other]], (one, other)]
    assert len({fingerprint_value(group) for group in grouped}) == len(grouped)


def test_names_count_and_arguments_in_ignore_do_not() -> None:
    assert fingerprint_arguments(("a",), (1,)).digest != fingerprint_arguments(("b",), (1,)).digest
    ignoring = frozenset({"verbose"})
    quiet = fingerprint_arguments(("a", "verbose"), (1, 0), ignoring)
    loud = fingerprint_arguments(("a", "verbose"), (1, [2]), ignoring)
    assert quiet == loud
    assert quiet.immutable


def test_the_order_in_which_dicts_and_sets_were_filled_does_not_count() -> None:
    assert of({"a": 1, "b": [2]}) == of({"b": [2], "a": 1})
    assert of({1: 1, "b": 2}) == of({"b": 2, 1: 1})
    assert of({f"{i}" for i in range(50)}) == of({f"{i}" for i in reversed(range(50))})


def test_nan_is_nan() -> None:
    negative = struct.unpack(">d", bytes.fromhex("fff8000000000001"))[0]
    assert of(math.nan) == of(negative) == of(float("nan"))
    assert of([math.nan, 1]) == of([negative, 1])
    assert of(Point(math.nan)) == of(Point(negative))


def test_m6_what_is_shared_inside_a_value_does_not_count() -> None:
    text = "ab" * 3
    row = [1, [2]]
    assert of([text, text]) == of(["ab" * 3, "".join(["ab"] * 3)])
    assert of([row, row]) == of([[1, [2]], [1, [2]]])


def test_deep_sharing_costs_what_its_distinct_objects_do() -> None:
    deep: object = [1, [2]]
    for _ in range(100):
        deep = [deep, deep]
    assert fingerprint_value(deep) is not None


def test_m6_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import sys\n"
        "from dataclasses import dataclass\n"
        "from kapelle.engine.values.fingerprint import fingerprint_arguments\n"
        "@dataclass\n"
        "class Row:\n"
        "    tags: set\n"
        "    by: dict\n"
        "def helper(x):\n"
        "    return x in {'a', 'b', 'c'}\n"
        "def function(x):\n"
        "    return helper(x)\n"
        "words = {f'word{i}' for i in range(40)}\n"
        "arguments = (words, frozenset(words), dict.fromkeys(words, (1,)), {(w, 1): 2 for w in words},\n"
        "             function, Row(words, {w: words for w in words}), Row, lambda x: helper(x))\n"
        "print(fingerprint_arguments(tuple('abcdefgh'), arguments))\n"
    )
    answers = set()
    for seed in ("0", "1", "77"):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "script.py")],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        answers.add(done.stdout)
    assert len(answers) == 1
    assert "left_out=()" in answers.pop()


def test_version_one_stays_what_it_is() -> None:
    assert FINGERPRINT_VERSION == 1
    assert of(1, "a").hex() == "be88c5d9030783aa791a8c49722d2965"
    assert of([1, [2.5, None]], {"a": b"b"}).hex() == "7eb24063ae27f23273dcd0ca4eaaff18"


LEFT_OUT = {
    "builtins.generator": lambda: (n for n in [1]),
    "sqlite3.Connection": lambda: sqlite3.connect(":memory:"),
    "_io.StringIO": io.StringIO,
    "_thread.lock": threading.Lock,
    "threading.Event": threading.Event,
    "list_iterator": lambda: iter([1]),
    "object": object,
}


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_what_has_no_content_is_left_out_and_named(kind: str) -> None:
    thing = LEFT_OUT[kind]()
    found = fingerprint_arguments(("n", "session"), (1, thing))
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith("session (")
    assert kind.rpartition(".")[2] in found.left_out[0]
    assert found.digest == fingerprint_arguments(("n",), (1,)).digest
    assert found.immutable  # what is left out is not looked at again
    assert fingerprint_value(thing) is None
    if hasattr(thing, "close"):
        thing.close()


def test_the_reason_is_one_that_people_can_read() -> None:
    with sqlite3.connect(":memory:") as session:
        found = fingerprint_arguments(("session", "config"), (session, {"db": session}))
    session.close()
    assert found.left_out == ("session (sqlite3.Connection)", "config (dict, because of sqlite3.Connection)")


def test_an_argument_is_left_out_whole() -> None:
    found = fingerprint_arguments(("a", "b"), ([1, {"x": threading.Lock()}], [2]))
    assert found.digest == fingerprint_arguments(("b",), ([2],)).digest
    assert not found.immutable


def test_cycles_are_left_out() -> None:
    loop: list[object] = [1]
    loop.append(loop)
    double: list[object] = []
    double += [double, double]
    ring: dict[str, object] = {}
    ring["self"] = Point(ring)
    plain = Plain(None)
    plain.x = plain
    error = ValueError()
    error.args = (error,)
    for value in (loop, double, ring, plain, error):
        found = fingerprint_arguments(("a",), (value,))
        assert found.left_out == (f"a ({type_label(type(value))} that contains itself)",)


def test_what_is_nested_without_end_is_left_out() -> None:
    deep: object = 1
    for _ in range(50_000):
        deep = [deep]
    assert fingerprint_arguments(("a",), (deep,)).left_out == ("a (list that is nested too deeply)",)
    while isinstance(deep, list):  # take it apart by hand: letting go of it at once would recurse
        deep = deep.pop()


def test_secrets_are_left_out_without_a_word() -> None:
    found = fingerprint_arguments(("dsn", "n"), (Secret("hunter2"), 1))
    assert found == fingerprint_arguments(("n",), (1,))
    assert of([Secret("a"), 1]) == of([Secret("b"), 1])
    assert of([Secret("a")]) != of([None])


def test_a_class_may_say_its_own_key() -> None:
    assert of(Keyed("warehouse")) == of(Keyed("warehouse"))
    assert of(Keyed("warehouse")) != of("warehouse")


def test_objects_of_the_project_are_their_attributes() -> None:
    assert of(Plain([1, 2])) == of(Plain([1, 2]))
    assert fingerprint_value(Plain(threading.Lock())) is None


IMMUTABLE = [
    None, True, 1, 1.5, 1j, "a", b"a", dt.date(2024, 1, 1), Decimal(1), UUID(int=1), Path("a"), Colour.RED,
    frozenset({1}), (1, ("a",)), Frozen(1, "a"), Slotted((1,)), FrozenRecord(a=1),
    shapes.double, os, Point, Pair(1, 2),
    range(3), ZoneInfo("UTC"), re.compile("a"), len, (Frozen((1, frozenset())), Colour.RED), Fraction(1, 2), ...,
]  # fmt: skip
MUTABLE = [
    [], {}, set(), bytearray(), ([],), Frozen([1]), Point(1), Record(1), Model(a=1), Plain(1), Keyed("a"),
    Pair([], 1),
    Slotted({}), deque(), defaultdict(int), ValueError(), OrderedDict(),
]  # fmt: skip


@pytest.mark.parametrize("value", IMMUTABLE, ids=shapes.named)
def test_immutable_values_need_no_second_look(value: object) -> None:
    assert fingerprint_arguments(("a",), (value,)).immutable
    assert fingerprint_arguments(("a", "b"), (value, 1.5)).immutable


@pytest.mark.parametrize("value", MUTABLE, ids=shapes.named)
def test_mutable_values_do(value: object) -> None:
    assert not fingerprint_arguments(("a",), (value,)).immutable
    assert not fingerprint_arguments(("a", "b"), (value, 1)).immutable


def test_a_name_for_the_script_itself(tmp_path: Path) -> None:
    """A class of `__main__` has the fingerprint that it has where the script is imported as a module."""
    (tmp_path / "daily.py").write_text(
        "from dataclasses import dataclass\n"
        "from kapelle.engine.values import naming\n"
        "from kapelle.engine.values.fingerprint import fingerprint_value\n"
        "@dataclass\n"
        "class Row:\n"
        "    n: int\n"
        "if __name__ == '__main__':\n"
        "    naming.declare_main('daily')\n"
        "print(fingerprint_value((Row(1), Row)).hex())\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    answers = {
        subprocess.run(
            [sys.executable, *how], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
        ).stdout
        for how in ([str(tmp_path / "daily.py")], ["-c", "import daily"])
    }
    assert len(answers) == 1


def test_reading_a_time_does_not_depend_on_the_zone_of_the_machine() -> None:
    assert of(time.struct_time) == of(time.struct_time)
