"""Arrays and tables come back exactly: element by element, with dtypes, index, names and order in memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.engine.values.codecs import decode, encode
from kapelle.engine.values.fingerprint import fingerprint_value

ARRAYS: list[Any] = [
    np.array(5), np.array([]), np.zeros((0, 3)), np.arange(6).reshape(2, 3),
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.arange(12).reshape(3, 4)[:, ::2], np.array([True, False]), np.array([1.5, np.nan, -0.0], "f4"),
    np.array([1, 2], ">i4"), np.array(["a", "bcd"]), np.array([b"a", b"bcd"]), np.array([1j]),
    np.array(["2024-01-01", "NaT"], "M8[ns]"), np.array([1], "m8[D]"), np.array([1.5], np.longdouble),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), np.array([(1, [2, 3])], [("a", "i1"), ("b", "i8", (2,))]),
    np.array([((1, 2),)], [("n", [("a", "i1"), ("b", "i2")])]), np.zeros(2, np.dtype([("a", "i1"),
    ("b", "i8")], align=True)),
    np.arange(1000)[::-1], np.zeros((2, 3, 4), order="F"), np.array("text"),
]  # fmt: skip


@pytest.mark.parametrize("value", ARRAYS, ids=lambda a: f"{a.dtype} {a.shape}")
def test_arrays(value: Any) -> None:
    encoded = encode(value)
    assert encoded.codec in ("array", "pickle")
    back: Any = decode(*encoded)
    assert type(back) is np.ndarray
    assert (back.dtype, back.shape) == (value.dtype, value.shape)
    assert back.tobytes() == value.tobytes() or value.dtype.fields
    assert fingerprint_value(back) == fingerprint_value(value)
    if encoded.codec == "array":
        assert back.flags.owndata
        assert back.flags.writeable
        assert back.flags.f_contiguous == (value.flags.f_contiguous or (back.ndim < 2 and back.flags.f_contiguous))


def test_most_arrays_need_no_pickle() -> None:
    assert [encode(value).codec for value in ARRAYS].count("array") >= len(ARRAYS) - 2


OTHER_ARRAYS = [np.array([1, "a"], object), np.ma.masked_array([1], [1]), np.rec.array([(1, 2)])]


@pytest.mark.parametrize("value", OTHER_ARRAYS, ids=lambda a: type(a).__name__)
def test_arrays_of_objects_and_subclasses_are_pickled(value: Any) -> None:
    encoded = encode(value)
    assert encoded.codec == "pickle"
    assert type(decode(*encoded)) is type(value)


@given(
    st.sampled_from(["i1", "<u4", ">f8", "c16", "?", "U3", "S2", "M8[s]"]),
    st.lists(st.integers(0, 4), max_size=3),
    st.sampled_from("CF"),
)
def test_any_shape_and_dtype(code: str, shape: list[int], order: Any) -> None:
    value: Any = np.arange(np.prod(shape, dtype=int)).astype("i8").astype(code).reshape(shape).copy(order=order)
    encoded = encode(value)
    back: Any = decode(*encoded)
    assert encoded.codec == "array"
    assert (back.dtype, back.shape, back.tobytes()) == (value.dtype, value.shape, value.tobytes())
    assert back.flags.f_contiguous == value.flags.f_contiguous
    assert back.flags.c_contiguous == value.flags.c_contiguous


def dated(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs["source"] = {"day": 1}
    return frame


FRAMES = {
    "simple": pd.DataFrame({"a": [1, 2], "b": [0.5, None], "c": ["x", None]}),
    "dtypes": pd.DataFrame(
        {
            "i": pd.array([1, None], "Int64"), "c": pd.Categorical(["u", None], categories=["u", "v"], ordered=True),
            "t": pd.to_datetime(["2024-01-01", None]).tz_localize("Europe/Berlin"), "d": pd.to_timedelta([1, None]),
            "b": pd.array([True, None], "boolean"), "f": np.array([1, 2], "f4"), "s": pd.array(["a", None], "string"),
        }
    ),
    "index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key")),
    "gappy index": pd.DataFrame({"a": [1, 2, 3]}).iloc[::2],
    "multi index": pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "a"),
    (2, "b")], names=["n", None])),
    "attributes": dated(pd.DataFrame({"a": [1]})),
    "empty": pd.DataFrame({"a": pd.Series([], dtype="i4")}),
    "series": pd.Series([1, 2], name="n"),
    "nameless series": pd.Series([0.5, None]),
    "table": pa.table({"a": [1, None], "s": ["x", "y"], "l": [[1], None]}),
    "table in chunks": pa.table({"a": pa.chunked_array([[1], [2, 3]])}),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_frames_by_arrow(name: str) -> None:
    value = FRAMES[name]
    encoded = encode(value)
    back: Any = decode(*encoded)
    assert encoded.codec == "frame"
    assert fingerprint_value(back) == fingerprint_value(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(back, value)
        assert back.attrs == value.attrs
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value)
    else:
        assert back.equals(value)


ODD_FRAMES = {
    "m7 dicts in cells": pd.DataFrame({"o": [{"k": 1}, {"j": 2}]}),
    "m7 mixed cells": pd.DataFrame({"o": [1, "a", None]}),
    "tuples in cells": pd.DataFrame({"o": [(1, 2), (3,)]}),
    "decimals": pd.DataFrame({"o": [Decimal("1.0"), Decimal("1.00")]}),
    "none and nan": pd.DataFrame({"o": pd.Series([None, float("nan"), "a"], dtype=object)}),
    "same name twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "two levels of columns": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "columns by number": pd.DataFrame({0: [1], 1: [2]}),
    "columns of dates": pd.DataFrame([[1, 2]], columns=pd.to_datetime(["2024-01-01", "2024-01-02"])),
    "periods": pd.DataFrame({"p": pd.period_range("2024-01", periods=2, freq="M")}),
    "intervals": pd.DataFrame({"p": pd.interval_range(0, 2)}),
    "frequency": pd.DataFrame({"a": [1, 2, 3]}, index=pd.date_range("2024-01-01", periods=3)),
    "sparse": pd.DataFrame({"a": pd.array([1, 0], pd.SparseDtype("i8", 0))}),
    "complex": pd.DataFrame({"a": [1j]}),
    "flags": pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
    "series with an odd name": pd.Series([1], name=("a", 1)),
    "an object attribute": pd.Series([1]).rename("x"),
}


@pytest.mark.parametrize("name", ODD_FRAMES)
def test_m7_what_arrow_would_change_is_pickled(name: str) -> None:
    value = ODD_FRAMES[name]
    back: Any = decode(*encode(value))
    assert type(back) is type(value)
    assert fingerprint_value(back) == fingerprint_value(value)
    compare = pd.testing.assert_frame_equal if isinstance(value, pd.DataFrame) else pd.testing.assert_series_equal
    compare(back, value, check_freq=True)
    assert back.flags == value.flags


def test_large_frames_are_compared_on_a_sample() -> None:
    value = pd.DataFrame({"a": np.arange(100_000), "s": [f"row {n}" for n in range(100_000)]})
    encoded = encode(value)
    assert encoded.codec == "frame"
    pd.testing.assert_frame_equal(decode(*encoded), value)


def test_one_odd_cell_in_a_large_column_of_objects_is_not_missed() -> None:
    cells: list[Any] = [{"k": 1}] * 100_000
    cells[77_777] = {"j": 2}
    value = pd.DataFrame({"o": pd.Series(cells, dtype=object), "n": np.arange(100_000)})
    encoded = encode(value)
    assert encoded.codec == "pickle"
    assert decode(*encoded)["o"][77_777] == {"j": 2}  # type: ignore[index]


def test_a_decoded_frame_can_be_changed() -> None:
    back: Any = decode(*encode(pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})))
    back.loc[0, "a"] = 9
    back["b"] += 1
    assert back.to_dict("list") == {"a": [9, 2], "b": [1.5, 2.5]}


def test_frames_of_polars() -> None:
    pl = pytest.importorskip("polars")
    for value in (pl.DataFrame({"a": [1, None], "s": ["x", None], "l": [[1], []]}), pl.Series("n", [1, None])):
        encoded = encode(value)
        back: Any = decode(*encoded)
        assert encoded.codec == "frame"
        assert type(back) is type(value)
        assert back.equals(value, null_equal=True)
