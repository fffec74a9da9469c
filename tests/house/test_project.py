"""The repository as a whole: its entrances, its pinned packages, its prose."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata

from packaging.requirements import Requirement
from tests.docs.pages import Page, markdown_pages
from tests.house.tree import ROOT, files, listing

TARGETS = ("demo", "test", "check", "bench")
SET_UP = {"make demo", "make test"}
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*==[^ ;]+(?: ; .+)? \\$")


def read(name: str) -> str:
    path = ROOT / name
    assert path.is_file(), f"{name} is missing"
    return path.read_text(encoding="utf-8")


# -- entrances --


def test_the_makefile_has_its_targets() -> None:
    text = read("Makefile")
    gone = [target for target in TARGETS if not re.search(rf"^{target}:.* ## ", text, re.MULTILINE)]
    assert not gone, f"the Makefile has no such target, or does not say what it is for: {gone}"


def test_make_alone_says_what_can_be_made() -> None:
    make = shutil.which("make")
    assert make, "there is no make"
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    told = subprocess.run([make], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    gone = [target for target in TARGETS if f"make {target} " not in told]
    assert not gone, f"`make` does not name {gone}:\n{told}"


def test_ci_does_what_people_do() -> None:
    assert re.search(r"^(exec )?make test$", read(".ci/run"), re.MULTILINE), ".ci/run does not call `make test`"
    assert "set -euo pipefail" in read(".ci/run"), ".ci/run goes on after a failure"
    assert os.access(ROOT / ".ci/run", os.X_OK), ".ci/run is not executable"


def test_the_readme_sets_up_with_two_commands() -> None:
    readme = Page.read(ROOT / "README.md")
    told = {line.removeprefix("$ ").strip() for block in readme.blocks for line in block.text.splitlines()}
    named = {line.split("#")[0].strip() for line in told if line.startswith("make ")}
    assert named == SET_UP, f"README's code blocks name {sorted(named)}; the way in is {sorted(SET_UP)}"


# -- pinned packages --


def test_requirements_are_pinned_and_hashed() -> None:
    found = []
    for name in ("base", "dev", "lock"):
        logical = read(f"requirements/{name}.txt").replace("\\\n    --hash", "\\ --hash").splitlines()
        for line in logical:
            if line.startswith((" ", "#")) or not line.strip():
                continue
            head, _, hashes = line.partition("\\ --hash")
            if not PINNED.match(head + "\\") or "=sha256:" not in hashes:
                found.append(f"requirements/{name}.txt: {line[:80]}")
    assert not found, f"neither pinned nor hashed, or an option; `make lock` writes these files:{listing(found)}"


def test_requirements_follow_pyproject() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    names = {Requirement(line).name.lower() for line in project["dependencies"]}
    gone = {
        f"requirements/{file}.txt lacks {name}"
        for file in ("base", "dev")
        for name in names
        if not re.search(rf"^{re.escape(name)}==", read(f"requirements/{file}.txt"), re.MULTILINE)
    }
    assert not gone, f"run `make lock`:{listing(sorted(gone))}"


def test_tools_stay_out_of_the_package() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    required = [Requirement(line) for line in metadata.requires("kapelle") or []]
    always = sorted(each.name for each in required if each.marker is None)
    assert always == sorted(Requirement(line).name for line in project["dependencies"])
    tools = {"pytest", "hypothesis", "ruff", "mypy", "import-linter", "hatchling"}
    assert not tools & {each.name for each in required}, "a tool of ours is a dependency of the package"


def test_one_kind_of_lock_file() -> None:
    found = [path.relative_to(ROOT).as_posix() for path in files() if path.name == "uv.lock"]
    assert not found, f"packages are pinned in requirements/; remove{listing(found)}"


# -- prose --


def test_links_between_pages_lead_somewhere() -> None:
    found = [
        f"{page.where} → {target}"
        for page in markdown_pages()
        for target in local_targets(page)
        if not (page.path.parent / target).exists()
    ]
    assert not found, f"links to files that are not there:{listing(found)}"


def local_targets(page: Page) -> list[str]:
    targets = [inline or reference for inline, reference in LINK.findall(page.prose)]
    paths = [target.partition("#")[0] for target in targets if not re.match(r"[a-z][a-z0-9+.-]*:", target)]
    return [path for path in paths if path]
