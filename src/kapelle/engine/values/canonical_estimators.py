"""Canonical encodings of fitted models: estimators of scikit-learn and in its manner, and what they are made of.

An estimator is its class, its parameters and what it has learned. All of that is in the state which it gives to
pickle, and this state is walked here like any other value; so are the parts of it that are written in C (trees,
losses, metrics), by what they reduce to. Three things in there do not say what the model is, and are left out:

* the version of scikit-learn, which only says where it was pickled;
* counters that a search tree keeps of its own use: asking a model something does not make it another one;
* the state of the generator that an estimator without `random_state` has kept, itself or in its parts. It is the one
  of the whole process, which moves on whenever anybody draws; in a copy out of a pickle it stands still.

Objects of other packages are not walked like this: what their state holds is not known well enough.
"""

from __future__ import annotations

from typing import Any

from kapelle.engine.values.canonical import Encoder, Unprintable, Walk, put, register, special
from kapelle.engine.values.canonical_arrays import put_array
from kapelle.engine.values.canonical_objects import head_of, put_parts
from kapelle.engine.values.extras import loaded
from kapelle.engine.values.naming import name_of, type_label

_PACKAGES = frozenset({"sklearn", "scipy"})
_PICKLE_PROTOCOL = 4
_SEARCH_TREES = ("KDTree", "BallTree", "BinaryTree")
_SEARCH_COUNTERS = slice(7, 11)  # trims, leaves, splits, calls


def classify_estimator(value: Any) -> Encoder | None:
    """The encoder of an estimator, a sparse matrix, or a generator of random numbers."""
    kind = type(value)
    base = loaded("sklearn.base")
    if base is not None and isinstance(value, base.BaseEstimator) and not hasattr(kind, "__kapelle_key__"):
        return _by_reduction(kind, "estimator")
    sparse = loaded("scipy.sparse")
    if sparse is not None and sparse.issparse(value):
        return _sparse
    numpy = loaded("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ufunc):
        return _ufunc
    random = loaded("numpy.random")
    if random is None:
        return None
    if isinstance(value, random.RandomState):
        return _random_state
    return _generator if isinstance(value, (random.Generator, random.BitGenerator)) else None


def classify_part(value: Any) -> Encoder | None:
    """The encoder of what estimators consist of and nobody else knows: trees, losses, metrics, splines, …"""
    kind = type(value)
    return _by_reduction(kind, "part") if kind.__module__.partition(".")[0] in _PACKAGES else None


def _by_reduction(kind: type, what: str) -> Encoder:
    head = head_of(kind, what)
    searches = kind.__name__.startswith(_SEARCH_TREES) and kind.__module__.startswith("sklearn.neighbors")
    own_generator = kind.__module__.startswith("scipy.")
    parameters = frozenset(kind._get_param_names() if hasattr(kind, "_get_param_names") else ())

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        walk.immutable = False
        maker, arguments, state = _reduce(value)
        learned = None
        if isinstance(state, dict):
            state = {name: part for name, part in state.items() if name != "_sklearn_version"}
            if own_generator or state.get("random_state", state) is None:
                learned = _Unseeded({name: state.pop(name) for name in state.keys() - parameters})
        elif searches and isinstance(state, tuple):
            state = (*state[: _SEARCH_COUNTERS.start], *state[_SEARCH_COUNTERS.stop :])
        put_parts(head, value, (maker, arguments, state, learned), out, walk)

    return encode


class _Unseeded:
    """The part of a state in which generators are those of the whole process."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state


def _put_unseeded(value: _Unseeded, out: bytearray, walk: Walk) -> None:
    before = walk.unseeded
    walk.unseeded = True
    try:
        put(value.state, out, walk)
    finally:
        walk.unseeded = before


def _reduce(value: Any) -> tuple[str, Any, Any]:
    """How pickle would make the value again: the name of what makes it, its arguments, the state given to it then."""
    try:
        reduced = value.__reduce_ex__(_PICKLE_PROTOCOL)
    except Exception as error:  # what C holds and does not tell
        raise Unprintable(type_label(type(value))) from error
    if isinstance(reduced, str):
        return reduced, (), None
    maker, arguments, *rest = reduced
    if any(part is not None for part in rest[1:]):
        raise Unprintable(type_label(type(value)))
    return name_of(maker), tuple(arguments), rest[0] if rest else None


def _sparse(value: Any, out: bytearray, walk: Walk) -> None:
    """A sparse matrix: its format, and its entries in the order of rows and columns, each once."""
    walk.immutable = False
    kind = type(value)
    out += special("sparse", kind.__module__.partition(".")[0], kind.__qualname__, value.format, value.shape)
    rows = value.format in ("csr", "csc")
    entries = value if rows else value.tocoo(copy=True)
    if not rows or not entries.has_canonical_format:
        entries = entries.copy() if rows else entries
        entries.sum_duplicates()
    places = (entries.indptr, entries.indices) if rows else _coordinates(entries)
    for place in places:
        put_array(place.astype("i8", copy=False), out, walk)
    put_array(entries.data, out, walk)


def _coordinates(entries: Any) -> tuple[Any, ...]:
    return tuple(entries.coords) if hasattr(entries, "coords") else (entries.row, entries.col)


def _random_state(value: Any, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    out += special("RandomState")
    put(None if walk.unseeded else value.get_state(legacy=False), out, walk)


def _generator(value: Any, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    source = getattr(value, "bit_generator", value)
    out += special("generator", type(value).__qualname__, type(source).__qualname__)
    seeds = getattr(source, "seed_seq", None)
    put((source.state, getattr(seeds, "state", None)), out, walk)


def _ufunc(value: Any, out: bytearray, walk: Walk) -> None:
    name: str = value.__name__
    for package in ("numpy", "scipy.special"):
        if getattr(loaded(package), name, None) is value:
            out += special("ufunc", package, name)
            return
    raise Unprintable(f"the numpy.ufunc {name}")


register({_Unseeded: _put_unseeded})
