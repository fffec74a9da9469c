"""Canonical encodings of numpy arrays and scalars: dtype, shape, and the elements in C order."""

from __future__ import annotations

from typing import Any

from kapelle.engine.values.canonical import Encoder, Unprintable, Walk, put, put_buffer, special
from kapelle.engine.values.extras import loaded, required


def classify_array(value: Any) -> Encoder | None:
    """The encoder of a value of numpy's."""
    numpy = loaded("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.generic):
        return _scalar
    if type(value) is numpy.ndarray:
        return put_array
    if isinstance(value, numpy.ma.MaskedArray):
        return _masked
    if isinstance(value, numpy.ndarray):
        return _subclass
    if isinstance(value, numpy.dtype):
        return _dtype
    return None


def _scalar(value: Any, out: bytearray, walk: Walk) -> None:
    dtype = value.dtype
    out += special("numpy scalar", type(value).__name__, str(dtype))
    if dtype.kind in "biufcmMSU" and not _has_padding(dtype):
        put_buffer(value.tobytes(), out, walk)
    elif dtype.fields:
        put([value[name] for name in dtype.names], out, walk)
    else:
        put(repr(value), out, walk)


def _has_padding(dtype: Any) -> bool:
    """Long doubles take 80 bits of 128; what stands in the others is anything."""
    return bool(dtype.kind in "fc" and dtype.name in ("float128", "complex256", "float96", "complex192"))


def put_array(value: Any, out: bytearray, walk: Walk) -> None:
    """Append an array, by its buffer where its elements have no other parts."""
    walk.immutable = False
    dtype = value.dtype
    out += special("array", str(dtype), value.shape)
    if dtype.fields is not None:
        for name in dtype.names:  # one by one: between fields may be bytes that nobody has set
            put_array(value[name], out, walk)
        return
    if dtype.kind in "OTV" or _has_padding(dtype):
        _put_elements(value, out, walk)
        return
    if walk.sampled and not value.flags.c_contiguous and value.flags.f_contiguous:
        value = value.T  # the same elements; which ones are sampled does not matter
    numpy = required("numpy")
    put_buffer(numpy.ascontiguousarray(value).reshape(-1).view("u1"), out, walk)


def _put_elements(value: Any, out: bytearray, walk: Walk) -> None:
    if value.dtype.kind == "V":
        out += special("void")
        put_buffer(value.tobytes(), out, walk)
        return
    start = len(out)
    folded = walk.enter(value)
    if folded is not None:
        raise Unprintable("contains itself")
    put([repr(part) for part in value.flat] if value.dtype.kind in "fc" else value.ravel().tolist(), out, walk)
    walk.leave(value, out, start)


def _masked(value: Any, out: bytearray, walk: Walk) -> None:
    numpy = required("numpy")
    out += special("masked array")
    put_array(numpy.asarray(value.filled(0) if value.dtype.kind in "biufc" else value.data), out, walk)
    put_array(numpy.ma.getmaskarray(value), out, walk)


def _subclass(value: Any, out: bytearray, walk: Walk) -> None:
    kind = type(value)
    out += special("array of", kind.__module__, kind.__qualname__)
    put_array(required("numpy").asarray(value), out, walk)


def _dtype(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("dtype", str(value))
