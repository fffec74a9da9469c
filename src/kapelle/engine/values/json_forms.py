"""Plain forms: what the JSON codec makes of a value before it is written, and back.

Lists, dicts with text as keys, and ordinary scalars stand for themselves. Everything else is an object with the key
"$", which names the form: `{"$": "tuple", "v": [1, 2]}`. A dict of the user's that contains the key "$" is written
as pairs, like one whose keys are not text, so nothing a user stores can pass for a tag.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from kapelle.engine.values.refusals import NotExact, advice_against
from kapelle.model.errors import ValueRefused

Form = Callable[[Any, "FormWalk"], Any]
Restorer = Callable[[dict[str, Any]], Any]

FORMS: dict[type, Form] = {}
"""What becomes of each exact type."""

RESTORERS: dict[str, Restorer] = {}
"""How the form of each tag is brought back."""

FORM_CLASSIFIERS: list[Callable[[Any], Form | None]] = []
"""Asked for the form of a class that is met for the first time."""

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
DEPTH_MAX = 120
_CLASSES_MAX = 5000
_builtin_forms: dict[type, Form] = {}

_SCALARS = frozenset({type(None), bool, int, float, str})
_only_scalars = _SCALARS.issuperset
only_text = frozenset({str}).issuperset


class Refused(Exception):
    """Holds the part of a value that can never be stored."""

    def __init__(self, culprit: object) -> None:
        super().__init__()
        self.culprit = culprit


class FormWalk:
    """What one walk has met. An object that is met twice is refused: JSON would make two of it."""

    __slots__ = ("careful", "depth", "met")

    def __init__(self, careful: bool = False) -> None:
        self.careful = careful  # True: some text has surrogates, so look at each one
        self.depth = 0
        self.met: dict[int, object] = {}

    def meet(self, value: object) -> None:
        """Note an object that has an identity of its own."""
        if id(value) in self.met:
            raise NotExact("an object stands in two places")
        self.met[id(value)] = value


def plain_scalars(values: Any) -> bool:
    """True if JSON writes each of these exactly: no NaN, no infinity, no integer beyond 64 bits."""
    if not _only_scalars(map(type, values)):
        return False
    kinds = set(map(type, values))
    if int not in kinds and float not in kinds:
        return True
    if len(kinds) == 1:
        return _all_fit(values) if int in kinds else all(map(isfinite, values))
    return all(map(_fits, values))


def _fits(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        return bool(INT_MIN <= value <= INT_MAX)
    return kind is not float or isfinite(value)


def _all_fit(values: Any) -> bool:
    return bool(min(values) >= INT_MIN and max(values) <= INT_MAX)


def form_of(value: Any, walk: FormWalk) -> Any:
    """The plain form of any value, or `NotExact`."""
    form = FORMS.get(type(value))
    if form is None:
        form = _form_for(value)
    walk.depth += 1
    if walk.depth > DEPTH_MAX:
        raise NotExact("nested too deeply")
    made = form(value, walk)
    walk.depth -= 1
    return made


def register_forms(forms: dict[type, Form], restorers: dict[str, Restorer]) -> None:
    """Add forms that are known from the start."""
    _builtin_forms.update(forms)
    FORMS.update(forms)
    RESTORERS.update(restorers)


def _form_for(value: Any) -> Form:
    form: Form | None = None
    if advice_against(value) is not None:
        form = _refuse
    else:
        for classify in FORM_CLASSIFIERS:
            form = classify(value)
            if form is not None:
                break
    if len(FORMS) > _CLASSES_MAX:
        for kind in FORMS.keys() - _builtin_forms.keys():  # other threads read on meanwhile
            FORMS.pop(kind, None)
    form = form or _not_exact
    FORMS[type(value)] = form
    return form


def _refuse(value: Any, walk: FormWalk) -> Any:
    raise Refused(value)


def _not_exact(value: Any, walk: FormWalk) -> Any:
    raise NotExact(type(value).__qualname__)


def restore(plain: Any) -> Any:
    """The value of a plain form that contains tags."""
    if type(plain) is list:
        return [restore(part) if type(part) is list or type(part) is dict else part for part in plain]
    if type(plain) is dict:
        tag = plain.get("$")
        if tag is None:
            return {key: restore(part) for key, part in plain.items()}
        restorer = RESTORERS.get(tag)
        if restorer is None:
            raise ValueRefused(f"a stored value has the unknown form {tag!r}", cause="a newer Kapelle wrote it")
        return restorer(plain)
    return plain
