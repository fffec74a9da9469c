"""Fingerprints of arrays and tables: by content, whatever their layout in memory."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kapelle.engine.values.fingerprint import fingerprint_arguments, fingerprint_value


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": [1, 2, 3],
            "x": [0.5, float("nan"), -0.0],
            "s": ["a", None, "c"],
            "o": pd.Series([{"k": 1}, [1, 2], None], dtype=object),
            "c": pd.Categorical(["u", "v", "u"]),
            "t": pd.to_datetime(["2024-01-01", None, "2024-01-03"]).tz_localize("Europe/Berlin"),
            "i": pd.array([1, None, 3], dtype="Int64"),
        }
    )


ARRAYS = [
    np.array([1, 2, 3]), np.array([1, 2, 3], "i4"), np.array([1.0, 2.0, 3.0]), np.array([[1, 2, 3]]),
    np.array([[1], [2], [3]]), np.array(1), np.array([]), np.zeros((0, 3)), np.zeros((3, 0)), np.array([True, False]),
    np.array(["a", "b"]), np.array(["a", "b"], object), np.array([b"a"]), np.array([1, "a", None], object),
    np.array(["2024-01-01"], "M8[D]"), np.array(["2024-01-01"], "M8[ns]"), np.array([1], "m8[s]"), np.array([1j]),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), np.array([(1, 2.0)], [("a", "i4"), ("c", "f8")]),
    np.array([1, 2, 3], ">i8"), np.array([1.5], np.longdouble), np.float64(1), np.float32(1), np.int64(1), np.bool_(1),
    np.str_("a"), np.datetime64("2024-01-01"), np.ma.masked_array([1, 2], [0, 1]), np.ma.masked_array([1, 2], [1, 0]),
    np.dtype("f8"), np.arange(20_000), np.arange(20_001), np.array([np.array([1, 2]), 1], object),
]  # fmt: skip

TABLES = [
    frame(), frame().drop(columns="n"), frame().rename(columns={"n": "m"}), frame().set_index("n"), frame().iloc[::-1],
    frame()[["x", "n", "s", "o", "c", "t", "i"]], frame().iloc[:0], pd.DataFrame(), pd.DataFrame({"n": [1]}),
    pd.DataFrame({"n": [1]}, dtype="i4"), pd.DataFrame({"n": [1.0]}), pd.DataFrame({"n": [1]}, index=[5]),
    pd.DataFrame({"n": [1]}, index=["0"]), pd.DataFrame({"n": ["1"]}), pd.DataFrame({0: [1]}), pd.Series([1]),
    pd.Series([1], name="n"), pd.Series([None], dtype=object), pd.Series([float("nan")], dtype=object), pd.Index([1]),
    pd.RangeIndex(3), pd.MultiIndex.from_tuples([(1, "a"), (2, "b")]), pd.Series(pd.Categorical(["a"])),
    pd.Series(pd.Categorical(["a"], categories=["a", "b"])), pd.Series(pd.Categorical(["a"], ordered=True)),
    pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz="UTC"), pd.Timedelta(1), pd.NaT, pd.NA,
    pd.Series(pd.period_range("2024-01", periods=2, freq="M")), pd.Series(pd.interval_range(0, 2)),
    pd.Series([1, 0, 0], dtype=pd.SparseDtype("i8", 0)), pd.Series(["a"], dtype="string"),
    pa.table({"a": [1, 2]}), pa.table({"b": [1, 2]}), pa.table({"a": [1.0, 2.0]}), pa.table({"a": [1, None]}),
    pa.table({"a": ["x", "yz"]}), pa.table({"a": ["xy", "z"]}), pa.table({"a": [[1], [2, 3]]}), pa.array([1, 2]),
    pa.table({"a": [None, "x"]}), pa.table({"a": [b"x", b"yz"]}), pa.table({"a": [True, None]}), pa.scalar(1),
    pa.int64(),
]  # fmt: skip


def test_every_array_and_table_has_a_fingerprint_of_its_own() -> None:
    met: dict[bytes, object] = {}
    for value in [*ARRAYS, *TABLES, [1, 2, 3], 1, 1.0, True, "a"]:
        digest = fingerprint_value(value)
        assert digest is not None, repr(value)
        assert digest not in met, (value, met[digest])
        met[digest] = value


@pytest.mark.parametrize("value", ARRAYS, ids=lambda a: f"{type(a).__name__} {getattr(a, 'dtype', a)}")
def test_copies_and_layouts_of_an_array_are_the_same(value: np.ndarray) -> None:
    digest = fingerprint_value(value)
    if isinstance(value, np.ndarray):
        assert fingerprint_value(value.copy(order="F")) == digest
        assert fingerprint_value(value.copy(order="C")) == digest
    assert fingerprint_value([value]) != digest


def test_strides_do_not_count() -> None:
    grid = np.arange(12).reshape(3, 4)
    assert fingerprint_value(grid[:, ::2]) == fingerprint_value(np.ascontiguousarray(grid[:, ::2]))
    assert fingerprint_value(grid.T) == fingerprint_value(grid.T.copy())
    assert fingerprint_value(grid.T) != fingerprint_value(grid)
    assert fingerprint_value(np.broadcast_to(np.array([1]), 5)) == fingerprint_value(np.ones(5, "i8"))


def test_bytes_between_the_fields_of_a_record_do_not_count() -> None:
    dtype = np.dtype([("a", "i1"), ("b", "i8")], align=True)
    one, other = np.frombuffer(b"\x00" * 32, dtype), np.frombuffer(bytes(32), dtype).copy()
    other.view("u1")[3] = 77
    assert fingerprint_value(one) == fingerprint_value(other)


def test_m6_the_same_frame_after_a_column_was_added_and_after_consolidation() -> None:
    whole = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": ["x", "y"]})
    grown = pd.DataFrame({"a": [1, 2]})
    grown["b"] = [3, 4]
    grown["c"] = ["x", "y"]
    assert fingerprint_value(whole) == fingerprint_value(grown) == fingerprint_value(grown.copy())
    assert fingerprint_value(whole.iloc[::2]) == fingerprint_value(whole.iloc[::2].copy())


def test_m6_the_same_frame_after_a_round_trip_through_arrow() -> None:
    sink = io.BytesIO()
    columns = ["n", "x", "s", "c", "t", "i"]
    frame()[columns].to_parquet(sink)
    assert fingerprint_value(pd.read_parquet(sink)) == fingerprint_value(frame()[columns])


def test_chunks_and_slices_of_arrow_do_not_count() -> None:
    whole = pa.table({"a": [1, None, 3, 4], "s": ["x", None, "yy", "z"], "b": [True, None, False, True]})
    chunked = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 2), whole.slice(3)])
    assert fingerprint_value(whole) == fingerprint_value(chunked)
    assert fingerprint_value(whole.slice(1, 2)) == fingerprint_value(pa.table(whole.slice(1, 2).to_pydict()))
    assert fingerprint_value(whole) != fingerprint_value(whole.slice(1))


def test_what_stands_in_the_slots_of_nulls_does_not_count() -> None:
    buffers = [pa.py_buffer(b"\x05"), pa.py_buffer(np.array([1, 99, 3], "i8"))]
    garbage = pa.Array.from_buffers(pa.int64(), 3, buffers)
    assert fingerprint_value(garbage) == fingerprint_value(pa.array([1, None, 3]))


def test_attributes_of_a_frame_count() -> None:
    one, other = frame(), frame()
    other.attrs["unit"] = "m"
    assert fingerprint_value(one) != fingerprint_value(other)


def test_arrays_and_frames_can_change_and_scalars_cannot() -> None:
    for value in (np.array([1]), frame(), pd.Series([1])):
        assert not fingerprint_arguments(("a",), (value,)).immutable
    for scalar in (np.float64(1), pd.Timestamp("2024"), pa.table({"a": [1]}), pd.RangeIndex(2)):
        assert fingerprint_arguments(("a",), (scalar,)).immutable


def test_frames_of_polars() -> None:
    pl = pytest.importorskip("polars")
    one = pl.DataFrame({"a": [1, None], "s": ["x", None], "l": [[1], []]})
    two = pl.concat([one.head(1), one.tail(1)], rechunk=False)
    assert fingerprint_value(one) == fingerprint_value(two)
    assert fingerprint_value(one) != fingerprint_value(one.head(1))
    assert fingerprint_value(one["a"]) != fingerprint_value(one["s"])
