"""What is larger than a mind holds at once gets a second name and a second place."""

from tests.house.tree import SOURCE, Module, line_span, listing, source

FILE_LINES = 400
FILE_LINES_AT_MOST = 600
FUNCTION_LINES = 70
CLASS_LINES = 300

# File (below src/kapelle) → the lines it may have. This list only gets shorter: whoever opens such a file splits it.
LONGER_FILES: dict[str, int] = {}


def below_package(module: Module) -> str:
    return module.path.relative_to(SOURCE).as_posix()


def test_files_are_short() -> None:
    found = [
        f"{module.where} has {module.line_count} lines"
        for module in source()
        if module.line_count > LONGER_FILES.get(below_package(module), FILE_LINES)
    ]
    assert not found, f"a file has {FILE_LINES} lines at most; split it by noun:{listing(found)}"


def test_each_exception_for_a_long_file_is_needed() -> None:
    lines = {below_package(module): module.line_count for module in source()}
    found = [
        f"{name}: {why}"
        for name, limit in LONGER_FILES.items()
        for needless, why in (
            (name not in lines, "there is no such file"),
            (lines.get(name, limit) <= FILE_LINES, "it is short enough now, take it off the list"),
            (limit > FILE_LINES_AT_MOST, f"no file may have more than {FILE_LINES_AT_MOST} lines"),
        )
        if needless
    ]
    assert not found, f"exceptions that must go:{listing(found)}"


def test_functions_fit_a_screen() -> None:
    found = [
        f"{module.where}:{node.lineno} {node.name} has {line_span(node)} lines"
        for module in source()
        for node in module.functions()
        if line_span(node) > FUNCTION_LINES
    ]
    assert not found, f"a function has {FUNCTION_LINES} lines at most, its docstring included:{listing(found)}"


def test_classes_are_one_thing() -> None:
    found = [
        f"{module.where}:{node.lineno} {node.name} has {line_span(node)} lines"
        for module in source()
        for node in module.classes()
        if line_span(node) > CLASS_LINES
    ]
    assert not found, f"a class has {CLASS_LINES} lines at most; it does more than one thing:{listing(found)}"
