"""Plain forms of enum members and of numpy scalars."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from kapelle.engine.values.extras import required
from kapelle.engine.values.json_forms import Form, FormWalk, form_of, register_forms, restore
from kapelle.engine.values.naming import resolve
from kapelle.engine.values.refusals import NotExact, changed_class


def enum_form(kind: Any, name: str) -> Form:
    """The form of the members of one enum: by name, or by value for flags that are combined."""

    def form(value: Any, walk: FormWalk) -> Any:
        if kind.__members__.get(value.name) is value:
            return {"$": "enum", "t": name, "v": value.name}
        if kind(value.value) is not value and kind(value.value) != value:
            raise NotExact("member that its value does not lead to")
        return {"$": "enum", "t": name, "w": form_of(value.value, walk)}

    return form


def _to_enum(plain: dict[str, Any]) -> Any:
    kind = resolve(plain["t"])
    try:
        return kind(restore(plain["w"])) if "w" in plain else kind.__members__[plain["v"]]
    except (KeyError, ValueError) as error:
        raise changed_class(plain["t"], f"it has no member {error}") from error


def numpy_scalar_form(value: Any, walk: FormWalk) -> Any:
    """A scalar by its dtype and bytes."""
    if value.dtype.kind not in "biufcmM":
        raise NotExact("numpy scalar without a fixed width")
    made = {"$": "numpy", "t": value.dtype.str, "v": b64encode(value.tobytes()).decode("ascii")}
    if type(_to_numpy_scalar(made)) is not type(value):  # "longlong" is as wide as "int64", and another class
        made["c"] = type(value).__name__
        if type(_to_numpy_scalar(made)) is not type(value):
            raise NotExact("numpy scalar of an unknown class")
    return made


def _to_numpy_scalar(plain: dict[str, Any]) -> Any:
    numpy = required("numpy")
    kind = getattr(numpy, plain["c"]) if "c" in plain else plain["t"]
    return numpy.frombuffer(b64decode(plain["v"]), dtype=kind)[0]


register_forms({}, {"enum": _to_enum, "numpy": _to_numpy_scalar})
