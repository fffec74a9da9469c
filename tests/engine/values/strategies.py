"""Values for property tests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from tests.engine.values.shapes import Colour, Frozen, Pair, Point, Record

zones = st.sampled_from(
    [None, dt.UTC, dt.timezone(dt.timedelta(hours=-3, minutes=7), "odd"), ZoneInfo("Europe/Berlin")]
)
hashable_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**80), max_value=2**80),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.sampled_from(["$", "v", "", "tuple", '"$"']),
    st.binary(max_size=20),
    st.complex_numbers(),
    st.dates(),
    st.datetimes(timezones=zones),
    st.timedeltas(),
    st.decimals().filter(lambda number: not number.is_snan()),  # those cannot stand in sets
    st.uuids(),
    st.fractions().map(Fraction),
    st.sampled_from([Colour.RED, Colour.BLUE, Decimal("-0"), PurePosixPath("a/b"), range(3), float("-inf")]),
)
hashables = st.recursive(
    hashable_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.frozensets(inner, max_size=4),
        st.builds(Frozen, inner, inner),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=6,
)
values = st.recursive(
    hashable_leaves | st.binary(max_size=9).map(bytearray),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=4), st.sampled_from(["$", "v"])), inner, max_size=4),
        st.dictionaries(hashables, inner, max_size=4),
        st.sets(hashables, max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Record, inner, inner),
    ),
    max_leaves=12,
)


def exact(value: object) -> object:
    """A value as something that is equal only if type and content are: NaN equals NaN, True is not 1."""
    kind = type(value)
    if isinstance(value, float):
        return (kind, repr(value))
    if isinstance(value, complex):
        return (kind, repr(value))
    if isinstance(value, Decimal):
        return (kind, str(value))
    if isinstance(value, (dt.datetime, dt.time)):
        return (kind, value.replace(tzinfo=None), value.fold, repr(value.tzinfo))
    if isinstance(value, (list, tuple)):
        return (kind, [exact(part) for part in value])
    if isinstance(value, (set, frozenset)):
        return (kind, sorted((exact(part) for part in value), key=repr))
    if isinstance(value, dict):
        return (kind, [(exact(key), exact(part)) for key, part in value.items()])
    if isinstance(value, (Point, Frozen)):
        return (kind, exact(value.x), exact(value.y))
    if isinstance(value, Record):
        return (kind, exact(value.a), exact(value.b))
    return (kind, value)


def unordered(value: object) -> str:
    """The same, blind to the order of dicts."""
    if isinstance(value, dict):
        parts = sorted((unordered(key), unordered(part)) for key, part in value.items())
        return f"{type(value)} {parts}"
    if isinstance(value, (set, frozenset)):
        return f"{type(value)} {sorted(map(unordered, value))}"
    if isinstance(value, (list, tuple)):
        return f"{type(value)} {[unordered(part) for part in value]}"
    if isinstance(value, (Point, Frozen)):
        return f"{type(value)} {unordered(value.x)} {unordered(value.y)}"
    if isinstance(value, Record):
        return f"{type(value)} {unordered(value.a)} {unordered(value.b)}"
    return repr(exact(value))
