"""The documentation is run: what a page shows is what happens.

A page is played from top to bottom in a folder of its own, with a Kapelle home of its own. The words after the language
of a block say how it takes part:

    python                a whole program: it is run
    python file=flow.py   saved under this name, for the page's console blocks; run by itself if none of them names it
    python continue       goes on with the python block before it, in the same file
    python no-run         only compiled
    console               lines that begin with `$ kapelle` or `$ python` are run, what follows is what they print:
                          `...` stands for anything, alone on a line for any number of lines
    console exit=1        the last command of the block ends so
    console no-run        only shown
    toml, json            parsed
"""

import ast
import difflib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, Block, Page, split

KNOWN_WORDS = {
    "python": {"continue", "no-run", "file"},
    "console": {"no-run", "exit"},
    "toml": set[str](),
    "json": set[str](),
}
COMMAND_TIMEOUT_S = 120


@dataclass
class Program:
    """A file that python blocks of a page make up, and the line of the page where it was last added to."""

    name: str
    text: str
    line: int
    by_itself: bool = True


@dataclass
class Command:
    """A command of a console block, what it is said to print, and how it ends."""

    words: str
    line: int
    printed: list[str] = field(default_factory=list)
    exit_code: int = 0


Step = Program | Command


def pages() -> list[Page]:
    return [Page.read(path) for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if path.exists()]


def runnable(page: Page) -> list[Step]:
    """What is done for a page, in order; a program of several blocks is run once, at its last one."""
    steps: list[Step] = []
    program: Program | None = None
    for block in page.blocks:
        check_words(page, block)
        if "no-run" in block.words:
            continue
        if block.language == "python":
            program = next_program(page, block, program)
            steps.append(program)
        elif block.language == "console":
            steps += commands(page, block)
    leave_to_console(steps)
    return steps


def next_program(page: Page, block: Block, before: Program | None) -> Program:
    if "continue" not in block.words:
        name = block.option("file") or f"block_at_line_{block.line}.py"
        return Program(name, block.text, block.line)
    assert before is not None, f"{page.where}:{block.line}: there is no python block to continue"
    before.by_itself = False
    return Program(before.name, f"{before.text}\n\n{block.text}", block.line)


def leave_to_console(steps: list[Step]) -> None:
    """A file that a later command names is run by that command, unless a newer version of it comes first."""
    for at, program in enumerate(steps):
        if isinstance(program, Program):
            for later in steps[at + 1 :]:
                if isinstance(later, Program) and later.name == program.name:
                    break
                if isinstance(later, Command) and program.name in later.words:
                    program.by_itself = False


def commands(page: Page, block: Block) -> Iterator[Command]:
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        if line.startswith("$ "):
            found.append(Command(line.removeprefix("$ "), number))
        elif found and found[-1].words.endswith("\\"):
            found[-1].words = found[-1].words.removesuffix("\\") + line.removeprefix("> ").strip()
        else:
            assert found, f"{page.where}:{number}: output without a command"
            found[-1].printed.append(line)
    assert found, f"{page.where}:{block.line}: a console block has no line that begins with `$ `"
    for command in found:
        assert re.match(r"(kapelle|python)( |$)", command.words), (
            f"{page.where}:{command.line}: only kapelle and python are run; mark the block no-run, or call it `sh`"
        )
    found[-1].exit_code = int(block.option("exit") or 0)
    yield from found


def check_words(page: Page, block: Block) -> None:
    allowed = KNOWN_WORDS.get(block.language)
    strange = {word for word in block.words if allowed is not None and word.partition("=")[0] not in allowed}
    assert not strange, f"{page.where}:{block.line}: no such word for a {block.language} block: {sorted(strange)}"


class Reader:
    """Someone who follows a page step by step, in an empty folder."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder / "page"
        self.folder.mkdir()
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(folder),
            "KAPELLE_HOME": str(folder / "kapelle-home"),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }

    def follow(self, step: Step) -> None:
        match step:
            case Program():
                path = self.folder / step.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.text, encoding="utf-8")
                if step.by_itself:
                    self.execute(Command(f"python {step.name}", step.line))
            case Command():
                self.execute(step)

    def execute(self, command: Command) -> None:
        where = f"{self.page.where}:{command.line}: $ {command.words}"
        try:
            done = subprocess.run(
                command.words,
                shell=True,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            pytest.fail(f"{where}\nhas not ended after {COMMAND_TIMEOUT_S} s; it printed\n{late.output!r}")
        if done.returncode != command.exit_code:
            pytest.fail(f"{where}\nended with {done.returncode}, not {command.exit_code}:\n{done.stdout}")
        if any(line.strip() for line in command.printed) and not agrees(command.printed, done.stdout.splitlines()):
            difference = "\n".join(difflib.ndiff(essence(command.printed), essence(done.stdout.splitlines())))
            pytest.fail(f"{where}\nprinted (+) something else than the page says (-):\n{difference}")


def agrees(told: list[str], printed: list[str]) -> bool:
    """Whether the lines agree, when empty lines and the width of gaps are not looked at and `...` is anything."""
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), r"[^\n]*") + r"\n"
        for line in essence(told)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in essence(printed))) is not None


def essence(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines if line.strip()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.where)
def test_a_page_does_what_it_says(page: Page, tmp_path: Path) -> None:
    reader = Reader(page, tmp_path)
    for step in runnable(page):
        reader.follow(step)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.where)
def test_every_block_of_a_page_can_be_read(page: Page) -> None:
    for block in page.blocks:
        check_words(page, block)
        try:
            match block.language:
                case "python":
                    compile(block.text, f"{page.where}:{block.line}", "exec", ast.PyCF_ONLY_AST)
                case "toml":
                    tomllib.loads(block.text)
                case "json":
                    json.loads(block.text)
        except (SyntaxError, ValueError) as wrong:
            pytest.fail(f"{page.where}:{block.line}: this is no {block.language}: {wrong}")


def test_the_readme_shows_programs_that_run() -> None:
    steps = runnable(Page.read(ROOT / "README.md"))
    assert any(isinstance(step, Program) for step in steps), "README.md has no python block that is run"


# -- the reader of pages itself --


def page_of(text: str) -> Page:
    prose, blocks = split(text, "a page")
    return Page(ROOT / "docs" / "page.md", prose, blocks)


def test_blocks_of_one_program_are_run_once_as_one_file(tmp_path: Path) -> None:
    page = page_of("```python\nx = 1\n```\ntext\n```python continue\nopen('out', 'a').write(str(x))\n```\n")
    reader = Reader(page, tmp_path)
    for step in runnable(page):
        reader.follow(step)
    assert (tmp_path / "page" / "out").read_text() == "1"


def test_a_named_file_is_run_by_the_command_that_names_it(tmp_path: Path) -> None:
    text = "```python file=flow.py\nprint('a  7 b')\nopen('out', 'a').write('x')\n```\n"
    page = page_of(text + "```console\n$ python flow.py\na ... b\n```\n")
    reader = Reader(page, tmp_path)
    for step in runnable(page):
        reader.follow(step)
    assert (tmp_path / "page" / "out").read_text() == "x"


def test_other_output_than_the_page_says_is_noticed(tmp_path: Path) -> None:
    page = page_of('```console\n$ python -c "print(1); print(2)"\n1\n```\n')
    reader = Reader(page, tmp_path)
    with pytest.raises(pytest.fail.Exception, match="something else than the page says"):
        reader.follow(runnable(page)[0])


def test_three_dots_stand_for_anything() -> None:
    assert agrees(["run ...", "...", "done"], ["run 12", "a", "", "b", "done  "])
    assert agrees(["...", "done"], ["done"])
    assert not agrees(["run ...", "done"], ["run 12", "a", "done"])


def test_a_command_that_fails_unannounced_is_noticed(tmp_path: Path) -> None:
    page = page_of('```console\n$ python -c "raise SystemExit(3)"\n```\n')
    with pytest.raises(pytest.fail.Exception, match="ended with 3, not 0"):
        Reader(page, tmp_path).follow(runnable(page)[0])
    announced = page_of('```console exit=3\n$ python -c "raise SystemExit(3)"\n```\n')
    Reader(announced, tmp_path / "page").follow(runnable(announced)[0])


def test_a_page_with_two_kinds_of_fences_is_split_at_the_right_ones() -> None:
    prose, blocks = split("a `b`\n````markdown\n```python\nx\n```\n````\n- item\n  ~~~toml\n  y = 1\n  ~~~\n", "a page")
    assert [(block.language, block.text, block.line) for block in blocks] == [
        ("markdown", "```python\nx\n```\n", 3),
        ("toml", "y = 1\n", 9),
    ]
    assert prose == "a \n- item"
