"""What a definition reaches inside its project: the walk behind the code digest."""

from __future__ import annotations

import ast
import functools
import sys
import types
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

from kapelle.engine.values.canonical import REFUSALS, Walk, put
from kapelle.engine.values.naming import name_of
from kapelle.engine.values.source import Definition, bytecode, definitions, global_names, syntax

IsProject = Callable[[str], bool]

_CONSTANTS = (type(None), bool, int, float, str, bytes)


def definition_behind(thing: Any) -> Any:
    """The function or class behind tasks, methods, partials and wrappers."""
    for _ in range(32):
        if isinstance(thing, (types.FunctionType, type)):
            inner = thing.__dict__.get("__wrapped__") if isinstance(thing, types.FunctionType) else None
        elif isinstance(thing, (types.MethodType, staticmethod, classmethod)):
            inner = thing.__func__
        elif isinstance(thing, property):
            inner = thing.fget
        elif isinstance(thing, functools.partial):
            inner = thing.func
        else:
            inner = _attribute(thing, "__wrapped__") or _attribute(thing, "fn")
        if inner is None:
            return thing
        thing = inner
    return thing


def _attribute(thing: Any, name: str) -> Any:
    try:
        found = getattr(thing, name, None)
    except Exception:  # an object of the user's that computes its attributes
        return None
    return found if callable(found) else None


class Search:
    """One walk over what a definition reaches."""

    def __init__(self, is_project: IsProject) -> None:
        self.is_project = is_project
        self.seen: set[int] = set()
        self.waiting: list[Any] = []
        self.parts: set[bytes] = set()

    def digest_of(self, target: Any) -> str:
        state = blake2b(digest_size=16)
        state.update(self.part_of(target))
        while self.waiting:
            self.parts.add(self.part_of(self.waiting.pop()))
        for part in sorted(self.parts):
            state.update(part)
        return state.hexdigest()

    def part_of(self, target: Any) -> bytes:
        """The digest of one definition by itself, having queued what it reaches."""
        self.seen.add(id(target))
        if isinstance(target, type):
            text = self.class_text(target)
        elif isinstance(target, types.FunctionType):
            text = self.function_text(target)
        else:
            text = f"{type(target).__module__}.{type(target).__qualname__}"
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def function_text(self, function: types.FunctionType) -> str:
        code = function.__code__
        found = definitions(code.co_filename, code.co_qualname, code.co_firstlineno)
        scope = function.__globals__
        names = global_names(code)
        if not found:
            reached = "".join(self.reach(name, scope[name]) for name in sorted(names) if name in scope)
            return f"{name_of(function)} {bytecode(code)} {self.closure(function)} {reached}"
        texts = [syntax(node, lambda decorator: not _is_ours(decorator, scope)) for node in found]
        for node in found:
            outer = [*getattr(node, "decorator_list", ()), *node.args.defaults, *node.args.kw_defaults]  # type: ignore[union-attr]
            names |= {name.id for part in outer if part for name in ast.walk(part) if isinstance(name, ast.Name)}
        reached = "".join(text for node in found for text in self.uses(node, names, scope))
        return f"{name_of(function)} {texts} {self.closure(function)} {reached}"

    def class_text(self, kind: type) -> str:
        module = sys.modules.get(kind.__module__)
        filename = getattr(module, "__file__", None) or ""
        found = definitions(filename, kind.__qualname__, None) if filename else []
        scope = vars(module) if module is not None else {}
        texts = [syntax(node, lambda decorator: not _is_ours(decorator, scope)) for node in found]
        reached = "".join(text for node in found for text in self.uses(node, None, scope))
        if not found:  # a class made at run time: its methods one by one
            members = [vars(kind)[name] for name in sorted(vars(kind))]
            reached = "".join(self.reach("", definition_behind(member)) for member in members)
        return f"{name_of(kind)} {texts} {reached}"

    def uses(self, node: Definition, names: set[str] | None, scope: dict[str, Any]) -> Iterator[str]:
        """Queue what a definition names; give the constants among it."""
        mentioned: set[str] = set()
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and (names is None or part.id in names):
                mentioned.add(part.id)
            elif isinstance(part, ast.Attribute):
                mentioned.update(_dotted(part))
            elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
                module = sys.modules.get(part.module)
                for alias in part.names:
                    yield self.reach(alias.name, getattr(module, alias.name, None))
        for dotted in sorted(mentioned):
            first, *rest = dotted.split(".")
            if first not in scope or (names is not None and first not in names):
                continue
            found = scope[first]
            for name in rest:
                if not isinstance(found, types.ModuleType):
                    break
                found = vars(found).get(name)
            yield self.reach(dotted, found)

    def reach(self, name: str, found: Any) -> str:
        if isinstance(found, (types.ModuleType, types.BuiltinFunctionType)):
            return ""
        if isinstance(found, (*_CONSTANTS, tuple, frozenset)):
            return f"{name}={_constant(found)};"
        target = definition_behind(found)
        if isinstance(target, (types.FunctionType, type)) and id(target) not in self.seen and self.belongs(target):
            self.seen.add(id(target))
            self.waiting.append(target)
        return ""

    def belongs(self, target: Any) -> bool:
        if isinstance(target, types.FunctionType):
            return self.is_project(target.__code__.co_filename)
        filename = getattr(sys.modules.get(target.__module__), "__file__", None)
        return filename is not None and self.is_project(filename)

    def closure(self, function: types.FunctionType) -> str:
        texts = []
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # not yet filled
                continue
            target = definition_behind(content)
            if isinstance(target, (types.FunctionType, type)):
                self.reach(name, target)
            else:
                texts.append(f"{name}={_encoded(content)};")
        return "".join(texts)


def _encoded(value: Any) -> str:
    out = bytearray()
    try:
        put(value, out, Walk())
    except REFUSALS:
        return type(value).__qualname__
    return blake2b(out, digest_size=16).hexdigest()


def _constant(value: Any) -> str:
    return _encoded(value) if _is_simple(value) else ""


def _is_simple(value: Any) -> bool:
    if type(value) in (tuple, frozenset):
        return all(map(_is_simple, value))
    return type(value) in _CONSTANTS


def _dotted(node: ast.Attribute) -> list[str]:
    """ "a.b.c" of an attribute of attributes of a name, or nothing."""
    parts = [node.attr]
    inner: ast.expr = node.value
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return [".".join([inner.id, *reversed(parts)])] if isinstance(inner, ast.Name) else []


def _is_ours(decorator: ast.expr, scope: dict[str, Any]) -> bool:
    """True for `@task`, `@kapelle.flow(…)`: what they say is policy, not computation."""
    inner = decorator.func if isinstance(decorator, ast.Call) else decorator
    path: list[str] = []
    while isinstance(inner, ast.Attribute):
        path.append(inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name):
        return False
    found = scope.get(inner.id)
    for name in reversed(path):
        found = getattr(found, name, None)
    module = getattr(found, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == "kapelle"
