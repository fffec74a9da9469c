"""Change: a task that changes its arguments is caught, and only that argument is named."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.engine.values.shapes import Frozen, Model, Pair, Plain, Point

from kapelle.engine.values.change import changed, snapshot
from kapelle.engine.values.fingerprint import fingerprint_arguments
from kapelle.model.secret import Secret


def watch(*values: Any, strict: bool = False, ignore: frozenset[str] = frozenset()) -> Any:
    """Take a snapshot; the answer asks for the names that changed since."""
    names = tuple("abcdefgh"[: len(values)])
    taken = snapshot(names, values, fingerprint_arguments(names, values), strict, ignore)
    return lambda: changed(taken, names, values)


def test_nothing_is_kept_for_what_cannot_change() -> None:
    values = (1, "a", (1, 2), Frozen(1), None)
    names = ("a", "b", "c", "d", "e")
    assert snapshot(names, values, fingerprint_arguments(names, values), True) is None
    assert changed(None, names, values) == ()


def grow(value: Any) -> None:
    value.append(9)


def set_x(value: Any) -> None:
    value.x = 9


CASES: list[tuple[Any, Any]] = [
    ([1], grow), ([], grow), ({"a": 1}, lambda d: d.update(b=2)), ({"a": [1]}, lambda d: grow(d["a"])),
    ({1}, lambda s: s.add(2)), (bytearray(b"a"), grow), (([1],), lambda t: grow(t[0])), (Point(1), set_x),
    (Frozen([1]), lambda p: grow(p.x)), (Plain(1), set_x), (Model(a=1), lambda m: setattr(m, "a", 2)),
    (Pair([], 1), lambda p: grow(p.left)), ([1, 2], lambda v: v.reverse()),
    ([1], lambda v: v.append(threading.Lock())),
    (np.arange(5), lambda a: a.__setitem__(0, 9)), (np.arange(5), lambda a: a.sort() or a.resize(3, refcheck=False)),
    (pd.DataFrame({"a": [1]}), lambda f: f.insert(1, "b", 1)),
    (pd.DataFrame({"a": [2, 1]}), lambda f: f.__setitem__("a", [1, 2])),
    (pd.Series([1]), lambda s: s.__setitem__(0, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "act"), CASES, ids=[f"{n} {type(case[0]).__name__}" for n, case in enumerate(CASES)])
def test_a_change_is_seen_alone_and_beside_others(value: Any, act: Any) -> None:
    alone, beside, among = watch(value), watch(1, value, "x"), watch([1], value, Plain(3))
    assert (alone(), beside(), among()) == ((), (), ())
    act(value)
    assert (alone(), beside(), among()) == (("a",), ("b",), ("b",))


def test_m1_fit_and_score() -> None:
    """`fit(model, X)` fits the model in place; a replay that skips it would score an unfitted one."""
    model, data = Plain(None), [1, 2, 3]

    look = watch(model, data)
    model.fitted = sum(data)  # type: ignore[attr-defined]
    assert look() == ("a",)


def test_several_changed_arguments_are_all_named() -> None:
    values: list[list[int]] = [[1], [2], [3]]
    look = watch(*values)
    values[0].append(1)
    values[2].append(1)
    assert look() == ("a", "c")


def test_ignored_and_declared_arguments_are_not_looked_at() -> None:
    model, data = [1], [2]
    look = watch(model, data, ignore=frozenset({"a"}))
    model.append(1)
    assert look() == ()
    data.append(1)
    assert look() == ("b",)


def test_what_was_left_out_of_the_fingerprint_is_not_looked_at() -> None:
    session = {"lock": threading.Lock(), "uses": 0}
    look = watch(session, 1, Secret("x"))
    session["uses"] = 1
    assert look() == ()
    beside = watch(session, [1])
    session["uses"] = 2
    assert beside() == ()


LARGE = 400_000


def large() -> dict[str, Any]:
    return {
        "array": np.zeros(LARGE),
        "fortran": np.zeros((1000, 400), order="F"),
        "frame": pd.DataFrame({"a": np.zeros(LARGE), "s": ["x"] * LARGE}),
        "series": pd.Series(np.zeros(LARGE)),
        "bytearray": bytearray(8 * LARGE),
    }


def fill(value: Any) -> None:
    if isinstance(value, pd.DataFrame):
        value["a"] = 1.0
    elif isinstance(value, bytearray):
        value[:] = b"\x01" * len(value)
    else:
        value[:] = 1


@pytest.mark.parametrize("name", large())
def test_large_values_are_sampled(name: str) -> None:
    value = large()[name]
    nested = {"inside": [value]}
    look, inside = watch(value), watch(nested)
    assert (look(), inside()) == ((), ())
    fill(value)
    assert (look(), inside()) == (("a",), ("a",))


@pytest.mark.parametrize("name", ["array", "fortran", "series", "bytearray"])
def test_strict_sees_a_single_element_of_a_large_value(name: str) -> None:
    value = large()[name]
    look = watch(value, strict=True)
    value[12345 if value is not None and name != "fortran" else 321] = 1
    assert look() == ("a",)


def test_the_sample_sees_the_shape_and_the_names_of_a_large_frame() -> None:
    frame = large()["frame"]
    look = watch(frame)
    frame["new"] = 1
    assert look() == ("a",)
    look = watch(frame)
    frame.columns = pd.Index(["a", "s", "old"])
    assert look() == ("a",)


def test_reading_is_no_change() -> None:
    frame = pd.DataFrame({"a": [3, 1], "b": ["x", "y"]})
    look = watch(frame, [1])
    frame["a"].sum()
    frame.sort_values("a")
    frame.to_dict()
    _ = frame.values
    frame.groupby("b").sum()
    assert look() == ()
