"""The codec "frame": tables of pandas, pyarrow and polars in Arrow's format.

Arrow does not know everything that a frame may hold, so a frame is brought back at once and compared: in full while
its bytes are few, by schema and a sample of its rows above that. What comes out different goes to another codec.
"""

from __future__ import annotations

import io
from typing import Any

import msgspec

from kapelle.engine.values.extras import loaded, required
from kapelle.engine.values.fingerprint import fingerprint_value
from kapelle.engine.values.refusals import NotExact
from kapelle.model.errors import ValueRefused

NAME = "frame"
COMPARE_BYTES_MAX = 1 << 20
SAMPLES = 64
SAMPLE_ROWS = 16


class _Head(msgspec.Struct, array_like=True):
    kind: str


def encode(value: Any) -> bytes:
    """Arrow bytes of a frame that comes back the same."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    name = f"{package}.{kind.__qualname__}"
    writer = _WRITERS.get(name)
    if writer is None or getattr(loaded(package), kind.__qualname__, None) is not kind:
        raise NotExact("not a frame")
    try:
        body = writer(value)
        data = msgspec.json.encode(_Head(name)) + b"\n" + body
        back = _read(name, body)
        same = type(back) is kind and _looks_same(name, value, back, len(data))
    except (NotExact, MemoryError):
        raise
    except Exception as error:  # Arrow has many ways to say that it does not know a type
        raise NotExact(f"{name}: {error}") from error
    if not same:
        raise NotExact(f"{name} that Arrow brings back different")
    return data


def decode(data: bytes) -> Any:
    """The frame of bytes that `encode` made."""
    try:
        end = data.index(b"\n")
        head = msgspec.json.decode(data[:end], type=_Head)
        return _read(head.kind, memoryview(data)[end + 1 :])
    except ValueRefused:
        raise
    except Exception as error:
        raise ValueRefused(
            "a stored frame does not decode",
            cause=f"{type(error).__name__}: {error}",
            hint="its bytes are damaged, or it was written under other versions of pandas, polars or pyarrow",
        ) from error


def _write_arrow(table: Any) -> bytes:
    arrow = required("pyarrow")
    sink = arrow.BufferOutputStream()
    with required("pyarrow.ipc").new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def _read_arrow(body: Any) -> Any:
    arrow = required("pyarrow")
    return required("pyarrow.ipc").open_stream(arrow.py_buffer(body)).read_all()


def _write_pandas(frame: Any) -> bytes:
    if not frame.flags.allows_duplicate_labels:
        raise NotExact("frame with flags")
    return _write_arrow(_arrow().Table.from_pandas(frame))


def _arrow() -> Any:
    try:
        return required("pyarrow")
    except ValueRefused as error:
        raise NotExact("pyarrow is not installed") from error


def _write_series(series: Any) -> bytes:
    if not (series.name is None or type(series.name) is str) or not series.flags.allows_duplicate_labels:
        raise NotExact("series with a name that is no text")
    attrs = dict(series.attrs)
    name = "" if series.name is None else "=" + series.name
    frame = series.to_frame(name)
    frame.attrs = attrs
    return _write_pandas(frame)


def _read_series(body: Any) -> Any:
    frame = _read_arrow(body).to_pandas()
    series = frame.iloc[:, 0]
    series.name = series.name[1:] if series.name else None
    series.attrs = dict(frame.attrs)
    return series


def _write_polars(frame: Any) -> bytes:
    sink = io.BytesIO()
    frame.write_ipc_stream(sink)
    return sink.getvalue()


def _write_polars_series(series: Any) -> bytes:
    return _write_polars(series.to_frame())


_WRITERS = {
    "pandas.DataFrame": _write_pandas,
    "pandas.Series": _write_series,
    "pyarrow.Table": _write_arrow,
    "polars.DataFrame": _write_polars,
    "polars.Series": _write_polars_series,
}


def _read(name: str, body: Any) -> Any:
    if name == "pyarrow.Table":
        return _read_arrow(body)
    if name == "pandas.DataFrame":
        required("pandas")
        return _read_arrow(body).to_pandas()
    if name == "pandas.Series":
        required("pandas")
        return _read_series(body)
    frame = required("polars").read_ipc_stream(io.BytesIO(body))
    return frame.to_series() if name == "polars.Series" else frame


def _looks_same(name: str, value: Any, back: Any, size: int) -> bool:
    if len(value) != len(back):
        return False
    if name.startswith("pandas.") and not _same_in_pandas(value, back):
        return False
    if name == "pyarrow.Table" and not value.schema.equals(back.schema, check_metadata=True):
        return False
    if size <= COMPARE_BYTES_MAX:
        return _same(value, back)
    if name.startswith("pandas.") and not _objects_are_alike(value):
        return False
    rows = len(value)
    step = max(rows // SAMPLES, 1)
    cut = _slice_pandas if name.startswith("pandas.") else _slice_arrow
    starts = [*range(0, rows, step), max(rows - SAMPLE_ROWS, 0)]
    return all(_same(cut(value, start), cut(back, start)) for start in starts)


def _same(one: Any, other: Any) -> bool:
    digest = fingerprint_value(one)
    return digest is not None and digest == fingerprint_value(other)


def _slice_pandas(frame: Any, start: int) -> Any:
    return frame.iloc[start : start + SAMPLE_ROWS]


def _slice_arrow(table: Any, start: int) -> Any:
    return table.slice(start, SAMPLE_ROWS)


def _same_in_pandas(value: Any, back: Any) -> bool:
    """What a sample cannot see: the classes of the indexes, and what the user attached."""
    if type(value.index) is not type(back.index) or value.attrs != back.attrs:
        return False
    if getattr(value.index, "freq", None) != getattr(back.index, "freq", None):
        return False
    return value.ndim == 1 or type(value.columns) is type(back.columns)


def _objects_are_alike(value: Any) -> bool:
    """A column of Python objects can hold one odd cell that no sample meets: only plain text may pass."""
    infer = required("pandas").api.types.infer_dtype
    columns = [value] if value.ndim == 1 else [value.iloc[:, place] for place in range(value.shape[1])]
    columns += [value.index.get_level_values(level) for level in range(value.index.nlevels)]
    return all(infer(column, skipna=False) in ("string", "bytes") for column in columns if column.dtype == object)
