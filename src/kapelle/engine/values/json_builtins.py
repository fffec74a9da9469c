"""Plain forms of the built-in types and of the value types of the standard library."""

from __future__ import annotations

import datetime as dt
import struct
from base64 import b64decode, b64encode
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from kapelle.engine.values.extras import required
from kapelle.engine.values.json_forms import (
    INT_MAX,
    INT_MIN,
    Form,
    FormWalk,
    form_of,
    only_text,
    plain_scalars,
    register_forms,
    restore,
)
from kapelle.engine.values.refusals import NotExact


def _same(value: Any, walk: FormWalk) -> Any:
    return value


def _int(value: int, walk: FormWalk) -> Any:
    return value if INT_MIN <= value <= INT_MAX else {"$": "int", "v": format(value, "x")}


def _float(value: float, walk: FormWalk) -> Any:
    return value if isfinite(value) else {"$": "float", "v": struct.pack(">d", value).hex()}


def _str(value: str, walk: FormWalk) -> Any:
    if walk.careful and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return {"$": "str", "v": _text(value.encode("utf-8", "surrogatepass"))}
    return value


def _text(data: bytes | bytearray) -> str:
    return b64encode(data).decode("ascii")


def _list(value: list[Any], walk: FormWalk) -> Any:
    walk.meet(value)
    if not walk.careful and plain_scalars(value):
        return value
    return [form_of(part, walk) for part in value]


def _tuple(value: tuple[Any, ...], walk: FormWalk) -> Any:
    if not walk.careful and plain_scalars(value):
        return {"$": "tuple", "v": value}
    if value:
        walk.meet(value)
    return {"$": "tuple", "v": [form_of(part, walk) for part in value]}


def _dict(value: dict[Any, Any], walk: FormWalk) -> Any:
    walk.meet(value)
    if only_text(map(type, value)) and "$" not in value and not walk.careful:
        if plain_scalars(value.values()):
            return value
        return {key: form_of(part, walk) for key, part in value.items()}
    return {"$": "dict", "v": [[form_of(key, walk), form_of(part, walk)] for key, part in value.items()]}


def _set(value: set[Any], walk: FormWalk) -> Any:
    walk.meet(value)
    return {"$": "set", "v": [form_of(part, walk) for part in value]}


def _frozenset(value: frozenset[Any], walk: FormWalk) -> Any:
    return {"$": "frozenset", "v": [form_of(part, walk) for part in value]}


def _bytes(value: bytes, walk: FormWalk) -> Any:
    return {"$": "bytes", "v": _text(value)}


def _bytearray(value: bytearray, walk: FormWalk) -> Any:
    walk.meet(value)
    return {"$": "bytearray", "v": _text(value)}


def _complex(value: complex, walk: FormWalk) -> Any:
    return {"$": "complex", "v": struct.pack(">dd", value.real, value.imag).hex()}


def _range(value: range, walk: FormWalk) -> Any:
    return {"$": "range", "v": [_int(part, walk) for part in (value.start, value.stop, value.step)]}


def _date(value: dt.date, walk: FormWalk) -> Any:
    return {"$": "date", "v": value.isoformat()}


def _datetime(value: dt.datetime, walk: FormWalk) -> Any:
    return _zoned("datetime", value, walk)


def _time(value: dt.time, walk: FormWalk) -> Any:
    return _zoned("time", value, walk)


def _zoned(tag: str, value: Any, walk: FormWalk) -> Any:
    made = {"$": tag, "v": value.replace(tzinfo=None).isoformat()}
    if value.fold:
        made["fold"] = 1
    if value.tzinfo is not None:
        made["tz"] = form_of(value.tzinfo, walk)
    return made


def _timedelta(value: dt.timedelta, walk: FormWalk) -> Any:
    return {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]}


def _timezone(value: dt.timezone, walk: FormWalk) -> Any:
    made = {"$": "timezone", "v": [form_of(part, walk) for part in value.__getinitargs__()]}  # type: ignore[attr-defined]
    return made


def _decimal(value: Decimal, walk: FormWalk) -> Any:
    return {"$": "Decimal", "v": str(value)}


def _uuid(value: UUID, walk: FormWalk) -> Any:
    if value.is_safe.value is not None:
        raise NotExact("UUID with a note on its safety")
    return {"$": "UUID", "v": value.hex}


def path_form(value: Any, walk: FormWalk) -> Any:
    """A path of one of the four classes of pathlib."""
    return {"$": type(value).__name__, "v": _str(str(value), FormWalk(careful=True))}


def zone_form(value: Any, walk: FormWalk) -> Any:
    """A ZoneInfo that can be found again by its key."""
    if value.key is None or type(value)(value.key) is not value:
        raise NotExact("ZoneInfo that is not the one of its key")
    return {"$": "ZoneInfo", "v": value.key}


def fraction_form(value: Any, walk: FormWalk) -> Any:
    """A Fraction."""
    return {"$": "Fraction", "v": [_int(value.numerator, walk), _int(value.denominator, walk)]}


def _to_datetime(plain: dict[str, Any]) -> Any:
    made = dt.datetime.fromisoformat(plain["v"])
    return made.replace(fold=plain.get("fold", 0), tzinfo=restore(plain.get("tz")))


def _to_time(plain: dict[str, Any]) -> Any:
    made = dt.time.fromisoformat(plain["v"])
    return made.replace(fold=plain.get("fold", 0), tzinfo=restore(plain.get("tz")))


def _to_path(plain: dict[str, Any]) -> Any:
    return getattr(required("pathlib"), plain["$"])(restore(plain["v"]))


_FORMS: dict[type, Form] = {
    type(None): _same,
    bool: _same,
    int: _int,
    float: _float,
    str: _str,
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    bytes: _bytes,
    bytearray: _bytearray,
    complex: _complex,
    range: _range,
    dt.date: _date,
    dt.datetime: _datetime,
    dt.time: _time,
    dt.timedelta: _timedelta,
    dt.timezone: _timezone,
    Decimal: _decimal,
    UUID: _uuid,
}
register_forms(
    _FORMS,
    {
        "int": lambda plain: int(plain["v"], 16),
        "float": lambda plain: struct.unpack(">d", bytes.fromhex(plain["v"]))[0],
        "str": lambda plain: b64decode(plain["v"]).decode("utf-8", "surrogatepass"),
        "tuple": lambda plain: tuple(restore(plain["v"])),
        "dict": lambda plain: {restore(key): restore(part) for key, part in plain["v"]},
        "set": lambda plain: set(restore(plain["v"])),
        "frozenset": lambda plain: frozenset(restore(plain["v"])),
        "bytes": lambda plain: b64decode(plain["v"]),
        "bytearray": lambda plain: bytearray(b64decode(plain["v"])),
        "complex": lambda plain: complex(*struct.unpack(">dd", bytes.fromhex(plain["v"]))),
        "range": lambda plain: range(*restore(plain["v"])),
        "date": lambda plain: dt.date.fromisoformat(plain["v"]),
        "datetime": _to_datetime,
        "time": _to_time,
        "timedelta": lambda plain: dt.timedelta(*plain["v"]),
        "timezone": lambda plain: dt.timezone(*restore(plain["v"])),
        "Decimal": lambda plain: Decimal(plain["v"]),
        "Fraction": lambda plain: required("fractions").Fraction(*restore(plain["v"])),
        "UUID": lambda plain: UUID(hex=plain["v"]),
        "ZoneInfo": lambda plain: required("zoneinfo").ZoneInfo(plain["v"]),
        **{f"{kind}Path": _to_path for kind in ("Posix", "Windows", "PurePosix", "PureWindows")},
    },
)
