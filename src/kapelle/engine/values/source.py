"""Source code as a digest sees it: syntax without positions, comments, docstrings and annotations."""

from __future__ import annotations

import ast
import linecache
import threading
import types
from collections.abc import Callable, Iterator
from functools import lru_cache

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef

_SKIPPED_FIELDS = frozenset({"kind", "type_comment", "returns", "type_params", "type_ignores", "ctx"})


_one_at_a_time = threading.Lock()
"""CPython loses count of the depth of syntax trees that several threads build at once, and raises SystemError."""


def _tree(text: str) -> ast.Module:
    with _one_at_a_time:
        return ast.parse(text)


@lru_cache(maxsize=256)
def _parse(text: str) -> dict[str, list[tuple[int, Definition]]]:
    """The definitions of a file by qualified name, each with its first line (that of its first decorator)."""
    found: dict[str, list[tuple[int, Definition]]] = {}
    stack: list[tuple[str, ast.AST]] = [("", child) for child in ast.iter_child_nodes(_tree(text))]
    while stack:
        prefix, node = stack.pop()
        inner = prefix
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            line = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.setdefault(prefix + node.name, []).append((line, node))
            inner = f"{prefix}{node.name}." + ("" if isinstance(node, ast.ClassDef) else "<locals>.")
        elif isinstance(node, ast.Lambda):
            found.setdefault(prefix + "<lambda>", []).append((node.lineno, node))
            inner = f"{prefix}<lambda>.<locals>."
        stack.extend((inner, child) for child in ast.iter_child_nodes(node))
    return found


def source_text(filename: str) -> str:
    """The text of a file, or "" if it cannot be had."""
    linecache.checkcache(filename)
    return "".join(linecache.getlines(filename))


def definitions(filename: str, qualname: str, line: int | None) -> list[Definition]:
    """The definitions of that name (all of them, if the line does not tell which), or [] if there is no source."""
    text = source_text(filename)
    if not text:
        return []
    try:
        found = _parse(text).get(qualname, [])
    except (SyntaxError, ValueError, RecursionError):
        return []
    exact = [node for start, node in found if start == line]
    if line is not None and not exact:
        return []
    return exact or [node for _, node in sorted(found, key=lambda pair: pair[0])]


def syntax(node: ast.AST, keeps_decorator: Callable[[ast.expr], bool]) -> str:
    """A definition as text that changes exactly when its meaning may."""
    return "".join(_write(node, keeps_decorator, in_class=False))


def _write(node: ast.AST, keeps: Callable[[ast.expr], bool], in_class: bool) -> Iterator[str]:
    yield f"({type(node).__name__}"
    is_class = isinstance(node, ast.ClassDef)
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or value == [] or name in _SKIPPED_FIELDS:
            continue
        if name == "annotation" and not (in_class and isinstance(node, ast.AnnAssign)):
            continue  # in a class body an annotation may make a field
        if name == "decorator_list":
            value = [decorator for decorator in value if keeps(decorator)]
        elif name == "body" and isinstance(value, list) and _is_docstring(node, value):
            value = value[1:]
        yield f" {name}="
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, ast.AST):
                yield from _write(part, keeps, is_class)
            else:
                yield f"{type(part).__name__}:{part!r};"
    yield ")"


def _is_docstring(node: ast.AST, body: list[ast.stmt]) -> bool:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or not body:
        return False
    first = body[0]
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def bytecode(code: types.CodeType) -> str:
    """What stands for a function whose source cannot be had. It differs between versions of Python."""
    constants = [bytecode(part) if isinstance(part, types.CodeType) else _constant(part) for part in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {constants}"


def _constant(value: object) -> str:
    if isinstance(value, frozenset):
        return f"frozenset {sorted(map(_constant, value))}"
    return f"{type(value).__name__}:{value!r}"


def global_names(code: types.CodeType) -> set[str]:
    """The names that a function and the functions inside it look up outside themselves."""
    names = set(code.co_names)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            names |= global_names(part)
    return names
