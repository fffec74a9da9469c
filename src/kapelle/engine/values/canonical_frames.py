"""Canonical encodings of pandas and polars, column by column.

How a table lies in memory plays no part: blocks, chunks, slices, and what stands in the slots of nulls. Two frames
that compare equal with the same dtypes, index and names have one encoding (measurement M6: pickle gives two).
"""

from __future__ import annotations

from typing import Any

from kapelle.engine.values.canonical import SAMPLED_BYTES_MIN, Encoder, Walk, put, special
from kapelle.engine.values.canonical_arrays import put_array
from kapelle.engine.values.canonical_arrow import put_arrow_column
from kapelle.engine.values.extras import required
from kapelle.model.errors import ValueRefused

SAMPLED_ROWS = 1024


def classify_frame(value: Any) -> Encoder | None:
    """The encoder of a value of pandas or polars."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    if package == "pandas":
        return _classify_pandas(value, required("pandas"))
    if package == "polars":
        polars = required("polars")
        return _polars_frame if kind is polars.DataFrame else _polars_series if kind is polars.Series else None
    return None


def _classify_pandas(value: Any, pandas: Any) -> Encoder | None:
    if type(value) is pandas.DataFrame:
        return _frame
    if type(value) is pandas.Series:
        return _series
    if isinstance(value, pandas.Index):
        return _index
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return _column
    if value is pandas.NaT or value is pandas.NA:
        return _missing
    if isinstance(value, (pandas.Timestamp, pandas.Timedelta)):
        return _instant
    if isinstance(value, (pandas.Period, pandas.Interval)):
        return _by_repr
    return _by_repr if isinstance(value, pandas.api.extensions.ExtensionDtype) else None


def _missing(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("pandas missing", type(value).__name__)


def _instant(value: Any, out: bytearray, walk: Walk) -> None:
    zone = getattr(value, "tzinfo", None)
    name = None if zone is None else str(zone)
    out += special("pandas", type(value).__name__, value.isoformat(), value.unit, name, getattr(value, "fold", 0))


def _by_repr(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("pandas", type(value).__name__, repr(value))


def _frame(value: Any, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    out += special("DataFrame", value.shape)
    put(dict(value.attrs) or None, out, walk)
    if walk.sampled:
        value = sampled_rows(value, int(value.memory_usage(index=False).sum()), walk)
    put(value.index, out, walk)
    put(value.columns, out, walk)
    for _, column in value.items():  # noqa: PERF102  (a frame, not a dict)
        _column(column.array, out, walk)


def _series(value: Any, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    out += special("Series", len(value))
    put((value.name, dict(value.attrs) or None), out, walk)
    if walk.sampled:
        value = sampled_rows(value, int(value.memory_usage(index=False)), walk)
    put(value.index, out, walk)
    _column(value.array, out, walk)


def _index(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("Index", type(value).__name__, len(value))
    immutable = walk.immutable
    put(list(value.names), out, walk)
    if type(value).__name__ == "RangeIndex":
        put((value.start, value.stop, value.step), out, walk)
    elif value.nlevels > 1:
        for level in range(value.nlevels):
            _column(value.get_level_values(level).array, out, walk)
    else:
        _column(value.array, out, walk)
    walk.immutable = immutable  # an index cannot be changed


def _column(array: Any, out: bytearray, walk: Walk) -> None:
    """One column, given as an array of pandas."""
    walk.immutable = False
    numpy, pandas = required("numpy"), required("pandas")
    if isinstance(array, pandas.arrays.NumpyExtensionArray):
        array = array.to_numpy()
    dtype = array.dtype
    out += special("column", str(dtype), len(array))
    if isinstance(array, numpy.ndarray):
        put_array(array, out, walk)
    elif isinstance(dtype, pandas.DatetimeTZDtype):
        put_array(array.view("i8"), out, walk)
    elif isinstance(dtype, pandas.CategoricalDtype):
        put((dtype.categories, dtype.ordered), out, walk)
        put_array(numpy.asarray(array.codes).astype("i8"), out, walk)
    else:
        arrow = _as_arrow(array)
        if arrow is None:
            put(array.astype(object).tolist(), out, walk)
        else:
            put_arrow_column(arrow, out, walk)


def _as_arrow(array: Any) -> Any:
    if not hasattr(array, "__arrow_array__"):
        return None
    try:
        return required("pyarrow").array(array)
    except ValueRefused:
        return None
    except Exception:  # an extension type that does not translate
        return None


def sampled_rows(value: Any, size: int, walk: Walk) -> Any:
    """The rows to look at: all, or evenly spread ones of a large table."""
    if not walk.sampled or size <= SAMPLED_BYTES_MIN or len(value) <= SAMPLED_ROWS:
        return value
    step = len(value) / SAMPLED_ROWS
    rows = [int(step * place) for place in range(SAMPLED_ROWS)] + [len(value) - 1]
    return value.take(rows) if hasattr(value, "take") else value[rows]


def _polars_frame(value: Any, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    out += special("polars frame", value.shape)
    put(list(value.columns), out, walk)
    if walk.sampled:
        value = _sampled_polars(value, walk)
    for column in value.get_columns():
        _polars_column(column, out, walk)


def _polars_series(value: Any, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    out += special("polars series", len(value), value.name)
    _polars_column(_sampled_polars(value, walk) if walk.sampled else value, out, walk)


def _sampled_polars(value: Any, walk: Walk) -> Any:
    return sampled_rows(value, int(value.estimated_size()), walk)


def _polars_column(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("polars column", str(value.dtype))
    if value.dtype.is_numeric() or str(value.dtype) in ("String", "Boolean", "Binary"):
        try:
            arrow = value.to_arrow()
        except ImportError:  # pyarrow is not there
            arrow = None
        if arrow is not None:
            put_arrow_column(arrow, out, walk)
            return
    put(value.to_list(), out, walk)
