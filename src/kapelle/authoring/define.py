"""From a decorated function and its options to a `Definition`; the register of names.

Everything that can be known to be wrong is refused here, where the author can see it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from kapelle.authoring.naming import full_name
from kapelle.model.definitions import Definition, Hook, Hooks, Kind
from kapelle.model.errors import DefinitionError, DuplicateName
from kapelle.model.policies import WHEN_RULES, Cache, Duration, Limit, Retry, retry_of, seconds

_registered: dict[str, Definition] = {}

_WORDS: dict[str, tuple[str | None, ...]] = {
    "isolation": ("thread", "process"),
    "effects": ("none", "external"),
    "results": (None, "keep", "recompute"),
    "when": tuple(sorted(WHEN_RULES)),
}


def define(
    kind: Kind,
    fn: Callable[..., Any],
    *,
    name: str | None = None,
    aliases: Iterable[str] = (),
    retries: int | Retry = 0,
    retry_delay: Duration | Iterable[Duration] | None = None,
    retry_on: Any = None,
    retry_if: Callable[[BaseException, int], bool | float] | None = None,
    timeout: Duration | None = None,
    grace: Duration = 5.0,
    isolation: str = "thread",
    cache: Cache | bool | None = None,
    ignore: Iterable[str] = (),
    mutates: Iterable[str] = (),
    effects: str = "none",
    limit: int | Limit | None = None,
    when: Any = "all_success",
    allow_failure: bool = False,
    on_start: Hook | Iterable[Hook] = (),
    on_success: Hook | Iterable[Hook] = (),
    on_failure: Hook | Iterable[Hook] = (),
    on_cancel: Hook | Iterable[Hook] = (),
    tags: Iterable[str] = (),
    run_name: str = "",
    interruptions: int = 3,
    results: str | None = None,
    index: bool = False,
    register: bool = True,
) -> Definition:
    """The definition of `fn`. Raises DefinitionError for what cannot work, DuplicateName for a name that is taken."""
    where = _checked(kind, fn, name)
    shape = _shape(fn, where)
    given = {"ignore": frozenset(_texts(ignore)), "mutates": _texts(mutates)}
    for option, chosen in given.items():
        _known_parameters(option, chosen, shape["parameters"], fn, where)
    for option, word in {"isolation": isolation, "effects": effects, "results": results, "when": when}.items():
        _choose(option, word, where)
    definition = Definition(
        kind=kind,
        name=name or full_name(fn.__module__ or "", fn.__qualname__, shape["file"]),
        fn=fn,
        **shape,
        aliases=_texts(aliases),
        retry=retry_of(retries, retry_delay, retry_on, retry_if),  # type: ignore[arg-type]
        timeout_s=None if timeout is None else seconds(timeout, "timeout"),
        grace_s=seconds(grace, "grace"),
        isolation=isolation,  # type: ignore[arg-type]
        cache=_cache(cache, given["mutates"], where),
        **given,  # type: ignore[arg-type]
        external=effects == "external",
        limit=_limit(limit, where),
        when=when,
        allow_failure=allow_failure,
        hooks=Hooks(_hooks(on_start), _hooks(on_success), _hooks(on_failure), _hooks(on_cancel)),
        tags=_texts(tags),
        run_name=run_name,
        interruptions=interruptions,
        results=results,  # type: ignore[arg-type]
        index=index,
    )
    if register:
        _register(definition)
    return definition


def _checked(kind: Kind, fn: Any, name: str | None) -> str:
    """Where the function stands, after looking that it can be a task at all."""
    if not callable(fn) or (isinstance(fn, type) and kind != "step"):
        raise DefinitionError(
            f"@{kind} was given {fn!r}", cause="it decorates functions", hint=f"write @{kind} above a def"
        )
    if not hasattr(fn, "__qualname__"):
        raise DefinitionError(
            f"@{kind} was given {fn!r}", cause="it has no name to record under", hint="wrap it in a function of its own"
        )
    code = getattr(inspect.unwrap(fn), "__code__", None)
    where = f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ":0"
    _refuse_generators(kind, fn, where)
    if name is None and "<lambda>" in fn.__qualname__:
        raise DefinitionError(
            "a lambda has no name of its own", where=where, hint='give one: step(lambda: …, name="…")'
        )
    return where


def _shape(fn: Callable[..., Any], where: str) -> dict[str, Any]:
    """What a `Definition` says of the function itself: its place, its colour, its parameters."""
    try:
        signature = inspect.signature(fn)
    except ValueError:  # a builtin that has none to show
        signature = inspect.signature(_widest)
    kinds = {parameter.name: parameter.kind for parameter in signature.parameters.values()}

    def of_kind(kind: Any) -> tuple[str, ...]:
        return tuple(name for name, how in kinds.items() if how is kind)

    spread = "".join(of_kind(inspect.Parameter.VAR_POSITIONAL))
    keywords = "".join(of_kind(inspect.Parameter.VAR_KEYWORD))
    keyword_only = frozenset(of_kind(inspect.Parameter.KEYWORD_ONLY))
    positional_only = len(of_kind(inspect.Parameter.POSITIONAL_ONLY))
    file, _, line = where.rpartition(":")
    return {
        "file": file,
        "line": int(line or 0),
        "is_async": inspect.iscoroutinefunction(fn),
        "doc": inspect.getdoc(fn) or "",
        "parameters": tuple(kinds),
        "defaults": {
            one.name: one.default for one in signature.parameters.values() if one.default is not inspect.Parameter.empty
        },
        "spread": spread,
        "keywords": keywords,
        "positional_only": positional_only,
        "keyword_only": keyword_only,
        "plain": not (spread or keywords or keyword_only or positional_only),
    }


def _widest(*args: Any, **kwargs: Any) -> None:
    """Its signature takes everything."""


def _known_parameters(
    option: str, chosen: Iterable[str], names: tuple[str, ...], fn: Callable[..., Any], where: str
) -> None:
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        raise DefinitionError(
            f"{option}= names {', '.join(unknown)}",
            cause=f"{fn.__qualname__} has no such parameter",
            where=where,
            hint=f"its parameters are {', '.join(names) or 'none'}",
        )


def registered() -> tuple[Definition, ...]:
    """The tasks and flows that have been defined in this process."""
    return tuple(_registered.values())


def _refuse_generators(kind: str, fn: Callable[..., Any], where: str) -> None:
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise DefinitionError(
            f"{fn.__qualname__} is a generator function",
            cause=f"a {kind} returns one value, which is recorded",
            where=where,
            hint="return a list, or map a task over the items",
        )


def _cache(cache: Cache | bool | None, mutates: Iterable[str], where: str) -> Cache | None:
    if cache and mutates:
        raise DefinitionError(
            "cache= and mutates= do not go together",
            cause="a result that is taken from the cache does not change the arguments of the call",
            where=where,
            hint="work on a copy and return it",
        )
    if cache is not None and not isinstance(cache, (bool, Cache)):
        raise DefinitionError(f"cache={cache!r} is not known", where=where, hint='True, or Cache(ttl="1d")')
    return Cache() if cache is True else cache or None


def _choose(option: str, given: Any, where: str) -> None:
    if given not in _WORDS[option] and not (option == "when" and callable(given)):
        known = ", ".join(repr(word) for word in _WORDS[option] if word is not None)
        raise DefinitionError(f"{option}={given!r} is not known", where=where, hint=f"one of: {known}")


def _texts(given: str | Iterable[str]) -> tuple[str, ...]:
    """One text or several; a single one is not taken for its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


def _limit(given: int | Limit | None, where: str) -> Limit | None:
    if given is not None and not isinstance(given, (int, Limit)):
        raise DefinitionError(f"limit={given!r} is not known", where=where, hint="a number of calls, or a Limit")
    return Limit(given) if isinstance(given, int) else given


def check_options(kind: str, options: Mapping[str, Any]) -> None:
    """Refuse an option that there is not, naming the one that comes close. Raises DefinitionError."""
    known = [name for name in inspect.signature(define).parameters if name not in ("kind", "fn", "register")]
    for option in options:
        if option not in known:
            close = get_close_matches(option, known, n=1)
            hint = f"did you mean {close[0]}=?" if close else f"it has: {', '.join(known)}"
            raise DefinitionError(f"@{kind} has no option {option}", hint=hint)


def _hooks(given: Hook | Iterable[Hook]) -> tuple[Hook, ...]:
    return (given,) if callable(given) else tuple(given)


def _register(definition: Definition) -> None:
    """Keep the name, unless another function of the same module, executed in the same go, has it.

    The same file executed again (as a script and by name, or reloaded) has other globals or defines the same lines
    again; functions inside functions, and those of a notebook, are judged when a run uses them.
    """
    other = _registered.get(definition.name)
    if other is not None and _clash(other, definition):
        raise DuplicateName(
            f"two {definition.kind}s carry the name {definition.name}",
            cause="the records of their calls could not be told apart",
            where=f"{other.file}:{other.line} and {definition.file}:{definition.line}",
            hint=f'rename one, or give it a name: @{definition.kind}(name="…")',
        )
    _registered[definition.name] = definition


def _clash(one: Definition, other: Definition) -> bool:
    if "<locals>" in other.fn.__qualname__ or other.file.startswith("<") or "ipykernel" in other.file:
        return False
    if one.file != other.file:
        return True
    return one.line != other.line and _globals(one) is _globals(other) and not _reloading(other)


def _globals(definition: Definition) -> object:
    return getattr(definition.fn, "__globals__", None)


def _reloading(definition: Definition) -> bool:
    """Whether the function's module is executed once more, by `importlib.reload`."""
    return definition.fn.__module__ in getattr(importlib, "_RELOADING", {})
