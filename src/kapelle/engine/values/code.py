"""The code digest: what does a function compute?

It covers the function and everything of the same project that it reaches by name: helpers, classes, attributes of
project modules, plain constants, and the values that it closes over. Formatting, comments, docstrings, annotations,
the options of `@task` and `@flow`, and everything that it does not reach play no part. Installed packages are the
business of the environment, not of the code.

Where no source is to be had (`exec`, an interactive session), bytecode stands for it; such a digest holds for one
version of Python only.
"""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

from kapelle.engine.values.project import is_project_file
from kapelle.engine.values.reach import IsProject, Search, definition_behind

_known: WeakKeyDictionary[Any, dict[IsProject, str]] = WeakKeyDictionary()
_busy = threading.local()
_UNDER_WAY = "0" * 32


def code_digest(function: Any, is_project: IsProject = is_project_file) -> str:
    """32 hexadecimal characters for what a function (or a class, or a task around a function) computes."""
    target = definition_behind(function)
    try:
        known = _known.get(target)
    except TypeError:  # cannot be referred to weakly
        known = None
    if known is not None and is_project in known:
        return known[is_project]
    active: set[int] = _busy.__dict__.setdefault("active", set())
    if id(target) in active:
        return _UNDER_WAY
    active.add(id(target))
    try:
        digest = Search(is_project).digest_of(target)
    finally:
        active.discard(id(target))
    if not active:  # inside another search the answer may hang on where that one began
        try:
            _known.setdefault(target, {})[is_project] = digest
        except TypeError:
            pass
    return digest
