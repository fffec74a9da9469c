"""Canonical encodings of numbers, times, paths and the other small values of the language and its library."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from marshal import dumps
from typing import Any
from uuid import UUID

from kapelle.engine.values.canonical import TAG_NAN, Encoder, Unprintable, Walk, put, register, special


def _put_marshalled(value: Any, out: bytearray, walk: Walk) -> None:
    out += dumps(value, 2)


def _put_float(value: float, out: bytearray, walk: Walk) -> None:
    out += dumps(value, 2) if value == value else TAG_NAN


def _put_complex(value: complex, out: bytearray, walk: Walk) -> None:
    out += special("complex")
    _put_float(value.real, out, walk)
    _put_float(value.imag, out, walk)


def _put_range(value: range, out: bytearray, walk: Walk) -> None:
    out += special("range", value.start, value.stop, value.step)


def _put_slice(value: slice, out: bytearray, walk: Walk) -> None:
    out += special("slice")
    for part in (value.start, value.stop, value.step):
        put(part, out, walk)


def _put_date(value: dt.date, out: bytearray, walk: Walk) -> None:
    out += special("date", value.toordinal())


def _put_datetime(value: dt.datetime, out: bytearray, walk: Walk) -> None:
    out += special("datetime", value.replace(tzinfo=None).isoformat(), value.fold)
    _put_zone_of(value, out, walk)


def _put_time(value: dt.time, out: bytearray, walk: Walk) -> None:
    out += special("time", value.replace(tzinfo=None).isoformat(), value.fold)
    _put_zone_of(value, out, walk)


def _put_zone_of(value: dt.datetime | dt.time, out: bytearray, walk: Walk) -> None:
    zone = value.tzinfo
    if zone is None:
        out += dumps(None, 2)
        return
    try:
        put(zone, out, walk)
    except Unprintable:  # a zone of another library: its class, and what it says about this very time
        offset = value.utcoffset()
        kind = type(zone)
        out += special("zone", kind.__module__, kind.__qualname__, str(zone), value.tzname(), str(offset))


def _put_timedelta(value: dt.timedelta, out: bytearray, walk: Walk) -> None:
    out += special("timedelta", value.days, value.seconds, value.microseconds)


def _put_timezone(value: dt.timezone, out: bytearray, walk: Walk) -> None:
    offset = value.utcoffset(None)
    out += special("timezone", offset.days, offset.seconds, offset.microseconds, value.tzname(None))


def _put_decimal(value: Decimal, out: bytearray, walk: Walk) -> None:
    out += special("Decimal", str(value))


def _put_uuid(value: UUID, out: bytearray, walk: Walk) -> None:
    out += special("UUID", value.int)


def _put_ellipsis(value: object, out: bytearray, walk: Walk) -> None:
    out += special("Ellipsis")


def _put_not_implemented(value: object, out: bytearray, walk: Walk) -> None:
    out += special("NotImplemented")


_SCALARS: dict[type, Encoder] = {
    type(None): _put_marshalled,
    bool: _put_marshalled,
    int: _put_marshalled,
    float: _put_float,
    complex: _put_complex,
    range: _put_range,
    slice: _put_slice,
    dt.date: _put_date,
    dt.datetime: _put_datetime,
    dt.time: _put_time,
    dt.timedelta: _put_timedelta,
    dt.timezone: _put_timezone,
    Decimal: _put_decimal,
    UUID: _put_uuid,
    type(Ellipsis): _put_ellipsis,
    type(NotImplemented): _put_not_implemented,
}
register(_SCALARS)
