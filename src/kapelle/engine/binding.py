"""Binding: arguments to the names of a signature, in a fraction of the time of `inspect.Signature.bind`.

The result is a tuple of values in the order of `Definition.parameters`, with the defaults filled in, so that `f(1)`
and `f(x=1)` are the same call. `*args` and `**kwargs` are one value each, at their parameter's place.
"""

from __future__ import annotations

from typing import Any

from kapelle.model.definitions import Definition
from kapelle.model.errors import CallError


def bind(definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The values of all parameters in order. Raises CallError as Python would raise TypeError."""
    parameters = definition.parameters
    if definition.plain:
        if not kwargs and len(args) == len(parameters):
            return args
        if len(args) <= len(parameters):
            values = list(args)
            defaults = definition.defaults
            used = 0
            for name in parameters[len(args) :]:
                if name in kwargs:
                    values.append(kwargs[name])
                    used += 1
                elif name in defaults:
                    values.append(defaults[name])
                else:
                    break
            else:
                if used == len(kwargs):
                    return tuple(values)
    return _bind_slowly(definition, args, kwargs)


def _bind_slowly(definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    try:
        bound = definition.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise CallError(
            f"{definition.name} was called with arguments that it does not take",
            cause=str(error),
            where=f"{definition.file}:{definition.line}",
            hint=f"its signature is {short_signature(definition)}",
        ) from None
    bound.apply_defaults()
    return tuple(bound.arguments[name] for name in definition.parameters)


def short_signature(definition: Definition) -> str:
    """The signature as text, without annotations that fill a page."""
    name = definition.name.rsplit(".", 1)[-1]
    text = f"{name}{definition.signature}"
    return text if len(text) <= 160 else f"{name}({', '.join(definition.parameters)})"


def unbind(definition: Definition, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and keyword arguments that call the function with `values`."""
    if definition.plain:
        return values, {}
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, value in zip(definition.parameters, values, strict=True):
        if name == definition.spread:
            args.extend(value)
        elif name == definition.keywords:
            kwargs.update(value)
        elif name in definition.keyword_only:
            kwargs[name] = value
        else:
            args.append(value)
    return tuple(args), kwargs
