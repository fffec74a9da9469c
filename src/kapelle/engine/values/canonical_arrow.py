"""Canonical encodings of pyarrow: content by column, without chunks, slices, and what stands in the slots of nulls."""

from __future__ import annotations

from typing import Any

from kapelle.engine.values.canonical import Encoder, Walk, put, put_buffer, special
from kapelle.engine.values.extras import required


def classify_arrow(value: Any) -> Encoder | None:
    """The encoder of a value of pyarrow."""
    if type(value).__module__.partition(".")[0] != "pyarrow":
        return None
    arrow = required("pyarrow")
    if isinstance(value, (arrow.Table, arrow.RecordBatch)):
        return _arrow_table
    if isinstance(value, (arrow.Array, arrow.ChunkedArray)):
        return put_arrow_column
    if isinstance(value, arrow.Scalar):
        return _arrow_scalar
    return _arrow_type if isinstance(value, (arrow.DataType, arrow.Schema, arrow.Field)) else None


def _arrow_scalar(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("arrow scalar", str(value.type))
    put(value.as_py(), out, walk)


def _arrow_type(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("arrow", type(value).__name__, str(value))


def _arrow_table(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("arrow table", type(value).__name__, value.num_rows)
    immutable = walk.immutable
    put([field.name for field in value.schema], out, walk)
    put([field.nullable for field in value.schema], out, walk)
    put(value.schema.metadata, out, walk)
    for column in value.columns:
        put_arrow_column(column, out, walk)
    walk.immutable = immutable  # nothing in Arrow can be changed


def put_arrow_column(value: Any, out: bytearray, walk: Walk) -> None:
    """Append a column of Arrow: which values are there, and what they are."""
    arrow = required("pyarrow")
    out += special("arrow", str(value.type), len(value))
    if isinstance(value, arrow.ChunkedArray):
        value = value.combine_chunks()
        if isinstance(value, arrow.ChunkedArray):  # more than one array can hold
            value = arrow.concat_arrays(value.chunks) if value.num_chunks else arrow.array([], value.type)
    if isinstance(value, arrow.ExtensionArray):
        value = value.storage
    kind = value.type
    types = arrow.types
    put_buffer(value.is_valid().to_numpy(zero_copy_only=False), out, walk)
    if types.is_integer(kind) or types.is_floating(kind):
        filled = value.fill_null(0) if value.null_count else value
        put_buffer(filled.to_numpy(zero_copy_only=False), out, walk)
    elif types.is_boolean(kind):
        filled = value.fill_null(False) if value.null_count else value
        put_buffer(filled.to_numpy(zero_copy_only=False), out, walk)
    elif types.is_large_string(kind) or types.is_string(kind):
        _arrow_text(value.fill_null("") if value.null_count else value, out, walk)
    elif types.is_large_binary(kind) or types.is_binary(kind):
        _arrow_text(value.fill_null(b"") if value.null_count else value, out, walk)
    else:
        immutable = walk.immutable
        put(value.to_pylist(), out, walk)
        walk.immutable = immutable


def _arrow_text(value: Any, out: bytearray, walk: Walk) -> None:
    """Lengths and text of an array without nulls, from where its slice begins to where it ends."""
    numpy = required("numpy")
    width = "i8" if "large" in str(value.type) else "i4"
    _, offsets, content = value.buffers()
    if offsets is None or not len(value):
        return
    places = numpy.frombuffer(offsets, dtype=width)[value.offset : value.offset + len(value) + 1]
    put_buffer(numpy.diff(places.astype("i8")), out, walk)
    begin, end = int(places[0]), int(places[-1])
    put_buffer(memoryview(content)[begin:end] if content is not None else b"", out, walk)
