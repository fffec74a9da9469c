"""Parameters of flows: validated by pydantic from the signature, with errors that a person can act on."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from kapelle.model.definitions import Definition
from kapelle.model.errors import CallError, DefinitionError, ImportFailed, ParameterError
from kapelle.model.secret import Secret


def validate_call(definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call by name, defaults filled in, converted to what the annotations say.

    Raises CallError for arguments that the signature does not take, ParameterError for values that do not fit.
    """
    try:
        bound = definition.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise CallError(
            f"the flow {definition.name} was called with arguments that it does not take",
            cause=str(error),
            where=f"{definition.file}:{definition.line}",
            hint=f"its signature is {_signature_text(definition)}",
        ) from None
    bound.apply_defaults()
    return validate(definition, dict(bound.arguments))


def parse_parameters(definition: Definition, texts: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters from texts (a command line) and values (a JSON file); a text wins over a value of its name.

    A text is taken as it is where the annotation allows that, else as JSON: `-p rates='[0.1, 0.2]'`.
    """
    known = [name for name in definition.parameters if name not in (definition.spread, definition.keywords)]
    unknown = [name for name in (*texts, *values) if name not in known and not definition.keywords]
    if unknown:
        close = get_close_matches(unknown[0], known, n=1)
        listed = f"its parameters are {', '.join(known) or 'none'}"
        raise ParameterError(
            f"{definition.name} has no parameter {unknown[0]}",
            cause=f"given: {', '.join(unknown)}",
            where=f"{definition.file}:{definition.line}",
            hint=f"did you mean {close[0]}? {listed}" if close else listed,
        )
    missing = [name for name in known if name not in texts and name not in values and name not in definition.defaults]
    if missing:
        raise ParameterError(
            f"{definition.name} needs a value for {', '.join(missing)}",
            where=f"{definition.file}:{definition.line}",
            hint=" ".join(f"-p {name}=…" for name in missing),
        )
    given: dict[str, Any] = {definition.spread: ()} if definition.spread else {}
    for name in dict.fromkeys((*known, *values, *texts)):
        if name in texts:
            given[name] = _from_text(definition, name, texts[name])
        else:
            given[name] = values[name] if name in values else definition.defaults[name]
    return validate(definition, given)


def _from_text(definition: Definition, name: str, text: str) -> Any:
    model = model_of(definition)
    field = model.model_fields.get(name)
    candidates: list[Any] = [text]
    try:
        candidates.append(json.loads(text))
    except ValueError:
        pass
    if field is None or field.annotation is Any:
        return candidates[-1]
    for candidate in candidates:
        try:
            return getattr(
                model.__pydantic_validator__.validate_assignment(model.model_construct(), name, candidate), name
            )
        except ValueError:
            continue
    return text


def validate(definition: Definition, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters converted to what the annotations say. Raises ParameterError that names each wrong one."""
    from pydantic import ValidationError

    model = model_of(definition)
    if not model.model_fields:
        return dict(given)
    defaults = definition.defaults
    chosen = {name: value for name, value in given.items() if name not in defaults or value is not defaults[name]}
    try:
        made = model.model_validate(chosen)
    except ValidationError as error:
        raise _told(definition, error) from None
    fields = model.model_fields
    return {name: getattr(made, name) if name in fields else value for name, value in given.items()}


@lru_cache(maxsize=512)
def model_of(definition: Definition) -> Any:
    """The pydantic model of a flow's parameters; also where its JSON schema comes from."""
    from pydantic import ConfigDict, Field, create_model
    from pydantic.fields import FieldInfo

    try:
        hints = get_type_hints(definition.fn, include_extras=True)
    except Exception as error:
        raise ImportFailed(
            f"the annotations of {definition.name} cannot be read",
            cause=f"{type(error).__name__}: {error}",
            where=f"{definition.file}:{definition.line}",
            hint="import every name that its signature uses",
        ) from error
    fields: dict[str, Any] = {}
    for parameter in definition.signature.parameters.values():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        if parameter.name.startswith("_"):
            continue
        annotation = hints.get(parameter.name, Any)
        if _holds_secret(annotation):
            raise DefinitionError(
                f"{definition.name}: the parameter {parameter.name} is a Secret",
                cause="the parameters of a run are stored and shown",
                where=f"{definition.file}:{definition.line}",
                hint="fetch the secret where it is needed, inside a task",
            )
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (annotation, default if isinstance(default, FieldInfo) else Field(default=default))
    config = ConfigDict(arbitrary_types_allowed=True, extra="ignore", protected_namespaces=())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a parameter may be called `copy` or `json`
        return create_model(definition.name.rsplit(".", 1)[-1], __config__=config, **fields)


def _holds_secret(annotation: Any) -> bool:
    """Whether a Secret stands anywhere in an annotation."""
    return annotation is Secret or any(_holds_secret(part) for part in get_args(annotation))


def _told(definition: Definition, error: Any) -> ParameterError:
    parts: list[str] = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(step) for step in problem["loc"]) or "parameters"
        given = problem.get("input")
        shown = repr(given)
        shown = shown if len(shown) <= 80 else shown[:79] + "…"
        wanted = _wanted(definition, str(problem["loc"][0])) if problem["loc"] else ""
        parts.append(f"{place}: given {shown}{f', wanted {wanted}' if wanted else ''} ({problem['msg']})")
    names = ", ".join(dict.fromkeys(str(problem["loc"][0]) for problem in error.errors() if problem["loc"]))
    return ParameterError(
        f"{definition.name} cannot run with this value of {names}",
        cause="; ".join(parts),
        where=f"{definition.file}:{definition.line}",
        hint=f"its signature is {_signature_text(definition)}",
    )


def _wanted(definition: Definition, name: str) -> str:
    parameter = definition.signature.parameters.get(name)
    if parameter is None or parameter.annotation is inspect.Parameter.empty:
        return ""
    annotation = parameter.annotation
    if isinstance(annotation, str):
        return annotation
    if hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _signature_text(definition: Definition) -> str:
    """The flow's signature for a hint; only the names where it would fill a page."""
    name = definition.name.rsplit(".", 1)[-1]
    text = f"{name}{definition.signature}"
    return text if len(text) <= 160 and "FieldInfo" not in text else f"{name}({', '.join(definition.parameters)})"
