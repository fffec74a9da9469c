"""The codec "array": numpy arrays as one line of JSON (dtype, shape, order) and their buffer behind it."""

from __future__ import annotations

from typing import Any

import msgspec

from kapelle.engine.values.extras import loaded, required
from kapelle.engine.values.refusals import NotExact
from kapelle.model.errors import ValueRefused

NAME = "array"


class _Head(msgspec.Struct, array_like=True):
    dtype: Any
    shape: list[int]
    order: str


def encode(value: Any) -> bytes:
    """The bytes of an array whose dtype says all about its elements."""
    numpy = loaded("numpy")
    if numpy is None or type(value) is not numpy.ndarray:
        raise NotExact("not a numpy array")
    dtype = value.dtype
    if dtype.hasobject or dtype.itemsize == 0 or dtype.metadata or dtype.kind == "T":
        raise NotExact(f"numpy array of {dtype}")
    described = _plain(numpy.lib.format.dtype_to_descr(dtype))
    if not _same_dtype(_dtype_of(described, numpy), dtype):
        raise NotExact(f"numpy array of {dtype}")
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    head = msgspec.json.encode(_Head(described, list(value.shape), order))
    buffer = numpy.ascontiguousarray(value.T if order == "F" else value).reshape(-1).view("u1")
    return b"".join((head, b"\n", buffer))


def decode(data: bytes) -> Any:
    """A new array that owns its memory and can be written to."""
    numpy = required("numpy")
    try:
        end = data.index(b"\n")
        head = msgspec.json.decode(data[:end], type=_Head)
        dtype = _dtype_of(head.dtype, numpy)
        made = numpy.empty(tuple(head.shape), dtype, order=head.order)
        if len(data) - end - 1 != made.nbytes:
            raise ValueError("the buffer has another length than the shape asks for")
        if made.nbytes:
            view = numpy.ndarray(made.shape, dtype, buffer=memoryview(data)[end + 1 :], order=head.order)
            made[...] = view
        return made
    except Exception as error:
        raise ValueRefused(
            "a stored array does not decode",
            cause=f"{type(error).__name__}: {error}",
            hint="its bytes are damaged, or it was written under another version of numpy",
        ) from error


def _plain(described: Any) -> Any:
    return [_plain(part) for part in described] if isinstance(described, (list, tuple)) else described


def _dtype_of(described: Any, numpy: Any) -> Any:
    return numpy.lib.format.descr_to_dtype(_tuples(described))


def _tuples(described: Any) -> Any:
    """JSON knows no tuples: a description is text, or a list of fields, each a tuple of (name, dtype, shape)."""
    if isinstance(described, str):
        return described
    if described and isinstance(described[0], list):
        return [tuple(_field(part) for part in field) for field in described]
    return (_tuples(described[0]), tuple(described[1]))


def _field(part: Any) -> Any:
    if isinstance(part, list):
        return tuple(part) if all(isinstance(item, (int, str)) for item in part) else _tuples(part)
    return part


def _same_dtype(one: Any, other: Any) -> bool:
    return bool(
        one == other
        and one.str == other.str
        and one.isalignedstruct == other.isalignedstruct
        and one.fields == other.fields
        and one.type is other.type
    )
