"""Canonical encodings of functions, classes, modules, exceptions and patterns: by name, and by what they compute."""

from __future__ import annotations

import functools
import re
import types
from typing import Any

from kapelle.engine.values.canonical import Encoder, Unprintable, Walk, put, register, special
from kapelle.engine.values.code import code_digest
from kapelle.engine.values.naming import module_name, name_of
from kapelle.engine.values.project import defined_in_project


def _function(value: types.FunctionType, out: bytearray, walk: Walk) -> None:
    out += special("function", name_of(value), code_digest(value))


def _builtin_function(value: Any, out: bytearray, walk: Walk) -> None:
    owner = getattr(value, "__self__", None)
    out += special("builtin", value.__module__ or "", value.__qualname__)
    put(None if isinstance(owner, types.ModuleType) else owner, out, walk)


def _method(value: types.MethodType, out: bytearray, walk: Walk) -> None:
    out += special("method")
    put(value.__func__, out, walk)
    put(value.__self__, out, walk)


def _partial(value: functools.partial[Any], out: bytearray, walk: Walk) -> None:
    out += special("partial")
    put((value.func, value.args, tuple(sorted(value.keywords.items()))), out, walk)


def _module(value: types.ModuleType, out: bytearray, walk: Walk) -> None:
    out += special("module", module_name(value.__name__))


def _class(value: type, out: bytearray, walk: Walk) -> None:
    out += special("class", name_of(value), code_digest(value) if defined_in_project(value) else "")


def _exception(value: BaseException, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    out += special("exception", name_of(type(value)))
    folded = walk.enter(value)
    if folded is not None:
        raise Unprintable("contains itself")
    put(value.args, out, walk)
    walk.leave(value, out, len(out))


def _pattern(value: re.Pattern[Any], out: bytearray, walk: Walk) -> None:
    out += special("pattern", value.pattern, value.flags)


def _generic_alias(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("alias")
    put((value.__origin__, value.__args__), out, walk)


_ENCODERS: dict[type, Encoder] = {
    types.FunctionType: _function,
    types.BuiltinFunctionType: _builtin_function,
    types.MethodDescriptorType: _builtin_function,
    types.WrapperDescriptorType: _builtin_function,
    types.MethodType: _method,
    types.ModuleType: _module,
    types.GenericAlias: _generic_alias,
    functools.partial: _partial,
    re.Pattern: _pattern,
    type: _class,
}
register(_ENCODERS)


def classify_definition(value: Any) -> Encoder | None:
    """Classes of other metaclasses, exceptions, functions behind wrappers."""
    if isinstance(value, type):
        return _class
    if isinstance(value, BaseException):
        return _exception
    if isinstance(value, types.ModuleType):
        return _module
    if isinstance(value, functools.partial):
        return _partial
    if callable(value) and isinstance(getattr(value, "__wrapped__", None), types.FunctionType):
        return _wrapper
    return None


def _wrapper(value: Any, out: bytearray, walk: Walk) -> None:
    out += special("wrapper", type(value).__module__, type(value).__qualname__)
    put(value.__wrapped__, out, walk)
