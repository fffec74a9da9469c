"""The checks of `kapelle doctor`: each looks at one thing, and none can stop the others."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import apsw

from kapelle.console.errors import error_parts
from kapelle.console.words import moment, size
from kapelle.model.access import Scope
from kapelle.model.version import VERSION
from kapelle.ports.storage.listings import RunFilter
from kapelle.settings import Settings
from kapelle.wiring.local import STORE_FILE, open_home

PYTHON_LEAST = (3, 11)
SQLITE_LEAST = (3, 51, 3)
DISK_LEAST = 200_000_000
DISK_LOW = 2_000_000_000
YEAR_LEAST = 2025
AHEAD_US = 60_000_000
REQUIRED = ("apsw", "click", "cloudpickle", "msgspec", "pydantic")
OPTIONAL = {"pyarrow": "frames are kept by pickle instead", "numpy": "", "pandas": ""}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `remedy` says what to do; it is "" where all is well."""

    check: str
    status: Literal["ok", "warn", "fail"]
    text: str
    remedy: str = ""


def check_all() -> list[Finding]:
    """All findings, in the order in which one depends on the other."""
    return [_guarded(name, check) for name, check in CHECKS.items()]


def check_python() -> Finding:
    """The interpreter and the platform."""
    text = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    if sys.version_info < PYTHON_LEAST:
        return Finding("python", "fail", text, "install Python 3.11 or newer")
    if os.name == "nt":
        return Finding("python", "warn", text, "runs by hand work on Windows; everything else needs Linux")
    return Finding("python", "ok", text)


def check_packages() -> Finding:
    """Kapelle and what it needs."""
    found, missing = [f"kapelle {VERSION}"], []
    for name in REQUIRED:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", "fail", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Finding("packages", "ok", ", ".join(found))


def check_home() -> Finding:
    """Whether the folder of the store can be written."""
    home = Settings.from_environ(os.environ).home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home, prefix=".doctor-") as file:
            file.write(b"writable")
    except OSError as error:
        cause = error.strerror or str(error)
        return Finding("home", "fail", f"{home} cannot be written: {cause}", "set KAPELLE_HOME to a folder of yours")
    return Finding("home", "ok", f"{home} can be written")


def check_store() -> Finding:
    """Whether the store opens, how large it is and what is in it."""
    with open_home() as home:
        file = home.settings.home / STORE_FILE
        with home.store.read() as tx:
            page = tx.listings.runs(Scope.system(), RunFilter(), limit=1)
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            schema = connection.pragma("user_version")
        finally:
            connection.close()
    newest = f"newest run {moment(page.runs[0].created_at_us)}" if page.runs else "no runs yet"
    return Finding("store", "ok", f"{file.name} opens, {size(_weight(file))}, schema {schema}, {newest}")


def check_disk() -> Finding:
    """The room that is left where the store lies."""
    place = Settings.from_environ(os.environ).home
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{size(free)} free at {place}"
    if free < DISK_LEAST:
        return Finding("disk", "fail", text, "make room: runs stop when nothing can be recorded")
    return Finding("disk", "warn", text, "make room soon") if free < DISK_LOW else Finding("disk", "ok", text)


def check_sqlite() -> Finding:
    """The SQLite that writes the store."""
    version = apsw.sqlite_lib_version()
    if tuple(int(part) for part in version.split(".")[:3]) < SQLITE_LEAST:
        least = ".".join(map(str, SQLITE_LEAST))
        text = f"SQLite {version} can lose pages under several writers"
        return Finding("sqlite", "fail", text, f"pip install -U apsw (SQLite {least} or newer)")
    return Finding("sqlite", "ok", f"SQLite {version}")


def check_clock() -> Finding:
    """Whether the time can be right: after this release was made, and after the newest recorded run."""
    now = datetime.now(UTC)
    if now.year < YEAR_LEAST:
        return Finding("clock", "fail", f"the clock says {now:%Y-%m-%d}", "set the clock")
    with open_home() as home:
        with home.store.read() as tx:
            page = tx.listings.runs(Scope.system(), RunFilter(), limit=1)
        now_us = home.clock.now_us()
    if page.runs and page.runs[0].created_at_us > now_us + AHEAD_US:
        text = f"the newest run was made in the future ({moment(page.runs[0].created_at_us)})"
        return Finding("clock", "warn", text, "the clock was set back; check it")
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def check_extras() -> Finding:
    """Optional packages. One that is missing is no fault."""
    texts = []
    for name, without in OPTIONAL.items():
        there = importlib.util.find_spec(name) is not None
        texts.append(f"{name} {'yes' if there else 'no'}{f' ({without})' if without and not there else ''}")
    return Finding("extras", "ok", ", ".join(texts))


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": check_python,
    "packages": check_packages,
    "home": check_home,
    "disk": check_disk,
    "sqlite": check_sqlite,
    "store": check_store,
    "clock": check_clock,
    "extras": check_extras,
}


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:
        told = error_parts(error)
        text = f"{told['message']}{': ' + told['cause'] if told['cause'] else ''}"
        return Finding(name, "fail", text, told["hint"])


def _weight(file: Path) -> int:
    return sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists())
