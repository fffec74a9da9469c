"""Plain forms of records: dataclasses, named tuples, structs, pydantic models.

A class is written by its name and found again by it, so only classes take part whose name leads back to them.
Fields are put back as they were; nobody's `__init__` or `__post_init__` decides about them a second time.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from kapelle.engine.values.canonical_objects import slots_of
from kapelle.engine.values.extras import loaded, required
from kapelle.engine.values.json_builtins import fraction_form, path_form, zone_form
from kapelle.engine.values.json_forms import (
    FORM_CLASSIFIERS,
    Form,
    FormWalk,
    form_of,
    register_forms,
    restore,
)
from kapelle.engine.values.json_members import enum_form, numpy_scalar_form
from kapelle.engine.values.naming import importable_name, resolve
from kapelle.engine.values.refusals import NotExact, changed_class


def classify_record(value: Any) -> Form | None:
    """The form of an instance by what its class is, or None."""
    kind = type(value)
    if kind.__module__ == "numpy":
        return numpy_scalar_form if isinstance(value, required("numpy").generic) else None
    if kind.__module__ == "zoneinfo" and kind.__qualname__ == "ZoneInfo":
        return zone_form
    if kind.__module__ == "fractions" and kind.__qualname__ == "Fraction":
        return fraction_form
    if kind.__module__.partition(".")[0] == "pathlib" and kind.__qualname__.endswith("Path"):
        return path_form
    name = importable_name(kind)
    if name is None:
        return None
    if isinstance(value, Enum):
        return enum_form(kind, name)
    if isinstance(value, msgspec.Struct):
        return _struct(kind, name)
    if isinstance(value, tuple):
        return _named_tuple(kind, name) if hasattr(kind, "_fields") and kind.__bases__ == (tuple,) else None
    pydantic = loaded("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return _model(kind, name, pydantic)
    if "__dataclass_fields__" in kind.__dict__:
        return _dataclass(kind, name)
    return None


def _fields_of(kind: Any) -> set[str]:
    return {name for name, field in kind.__dataclass_fields__.items() if field._field_type.name == "_FIELD"}


_HOOKS = ("__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__", "__del__", "__getattribute__")
_STATE_HOOKS = ("__getstate__", "__setstate__")


def _dataclass(kind: Any, name: str) -> Form | None:
    if kind.__new__ is not object.__new__:
        return None
    if any(getattr(kind, hook, None) is not getattr(object, hook, None) for hook in _HOOKS):
        return None
    for hook in _STATE_HOOKS:  # dataclasses writes these itself for frozen classes with slots
        own = getattr(kind, hook, None)
        if own is not getattr(object, hook, None) and getattr(own, "__module__", "") != "dataclasses":
            return None
    fields, slots = _fields_of(kind), slots_of(kind)

    def form(value: Any, walk: FormWalk) -> Any:
        walk.meet(value)
        state = dict(getattr(value, "__dict__", ()))
        for slot in slots:
            if hasattr(value, slot):
                state[slot] = getattr(value, slot)
        if state.keys() != fields:
            raise NotExact("dataclass with other attributes than its fields")
        return {"$": "dataclass", "t": name, "v": {key: form_of(part, walk) for key, part in state.items()}}

    return form


def _to_dataclass(plain: dict[str, Any]) -> Any:
    kind = resolve(plain["t"])
    stored = {key: restore(part) for key, part in plain["v"].items()}
    if not hasattr(kind, "__dataclass_fields__") or stored.keys() != _fields_of(kind):
        raise changed_class(plain["t"], "its fields are not the stored ones")
    made = object.__new__(kind)
    for key, part in stored.items():
        object.__setattr__(made, key, part)
    return made


def _named_tuple(kind: Any, name: str) -> Form:
    def form(value: Any, walk: FormWalk) -> Any:
        if getattr(value, "__dict__", None):
            raise NotExact("named tuple with attributes of its own")
        walk.meet(value)
        parts = [form_of(part, walk) for part in value]
        return {"$": "namedtuple", "t": name, "v": dict(zip(kind._fields, parts, strict=True))}

    return form


def _to_named_tuple(plain: dict[str, Any]) -> Any:
    kind = resolve(plain["t"])
    if tuple(plain["v"]) != getattr(kind, "_fields", None):
        raise changed_class(plain["t"], "its fields are not the stored ones")
    return tuple.__new__(kind, [restore(part) for part in plain["v"].values()])


def _struct(kind: Any, name: str) -> Form:
    fields = kind.__struct_fields__

    def form(value: Any, walk: FormWalk) -> Any:
        walk.meet(value)
        if getattr(value, "__dict__", None):
            raise NotExact("struct with attributes of its own")
        try:
            parts = {field: form_of(getattr(value, field), walk) for field in fields}
        except AttributeError as error:
            raise NotExact("struct with an unset field") from error
        return {"$": "struct", "t": name, "v": parts}

    return form


def _to_struct(plain: dict[str, Any]) -> Any:
    kind = resolve(plain["t"])
    if tuple(plain["v"]) != getattr(kind, "__struct_fields__", None):
        raise changed_class(plain["t"], "its fields are not the stored ones")
    try:
        made = kind(**{key: restore(part) for key, part in plain["v"].items()})
    except Exception as error:
        raise changed_class(plain["t"], f"{type(error).__name__}: {error}") from error
    if hasattr(kind, "__post_init__"):  # a struct cannot be made without it, so what it did is undone
        for key, part in plain["v"].items():
            msgspec.structs.force_setattr(made, key, restore(part))
    return made


_MODEL_HOOKS = ("__getstate__", "__setstate__")


def _model(kind: Any, name: str, pydantic: Any) -> Form | None:
    bases = (pydantic.BaseModel, pydantic.RootModel)
    for hook in _MODEL_HOOKS:
        if getattr(kind, hook) not in [getattr(base, hook) for base in bases]:
            return None
    if any(getattr(kind, hook, None) is not getattr(pydantic.BaseModel, hook, None) for hook in _HOOKS):
        return None

    def form(value: Any, walk: FormWalk) -> Any:
        walk.meet(value)
        state = value.__getstate__()
        if state["__dict__"].keys() != kind.model_fields.keys():
            raise NotExact("model with other attributes than its fields")
        return {"$": "model", "t": name, "v": {key: form_of(part, walk) for key, part in state.items()}}

    return form


def _to_model(plain: dict[str, Any]) -> Any:
    kind = resolve(plain["t"])
    state = {key: restore(part) for key, part in plain["v"].items()}
    if state["__dict__"].keys() != getattr(kind, "model_fields", {}).keys():
        raise changed_class(plain["t"], "its fields are not the stored ones")
    made = kind.__new__(kind)
    made.__setstate__(state)
    return made


register_forms(
    {},
    {
        "dataclass": _to_dataclass,
        "namedtuple": _to_named_tuple,
        "struct": _to_struct,
        "model": _to_model,
    },
)
FORM_CLASSIFIERS.append(classify_record)
