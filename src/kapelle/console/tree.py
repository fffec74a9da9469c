"""The tree of a run's groups, and which of them are shown when not all fit.

Groups are shown in the order of their first call while they fit. When they do not, what is wrong or at work has the
first claim: the insides of finished groups go first, then finished groups become a count, and at last groups that
merely wait do. Nothing is ever refused for being too large; it is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kapelle.ports.progress import GroupProgress, Progress

ERRORS_SHOWN = 2
FAILED, WORKING, STALLED, AHEAD, FINISHED = range(5)
"""How urgently a group wants to be seen, most urgent first."""

_URGENCY = {
    "failed": FAILED,
    "running": WORKING,
    "retrying": STALLED,
    "waiting": STALLED,
    "cut off": STALLED,
    "pending": AHEAD,
}


@dataclass(slots=True)
class Node:
    """A group with the groups inside it. `group` is None where only inner groups are known."""

    name: str
    group: GroupProgress | None = None
    state: str = "pending"
    inside: dict[str, Node] = field(default_factory=dict)
    urgency: int = FINISHED

    def walk(self) -> Iterator[Node]:
        """The groups inside, each before its own."""
        for node in self.inside.values():
            yield node
            yield from node.walk()


@dataclass(slots=True)
class Shown:
    """A line of the tree: a node, or (`node` None) the count of those `folded` at this place."""

    rails: str
    node: Node | None
    folded: tuple[Node, ...] = ()
    errors: tuple[str, ...] = ()
    error_rails: str = ""


def state_of(group: GroupProgress, *, over: bool = False) -> str:
    """The state of a group as one word. `over`: the run has ended, so what has no end never will."""
    open_calls = group.running or group.retrying or group.waiting
    missing = group.expected is not None and group.ended < group.expected
    if (open_calls or missing) and over:
        return "failed" if group.failed else "cancelled" if group.cancelled else "cut off"
    if group.running:
        return "running"
    if group.retrying:
        return "retrying"
    if open_calls or missing:
        return "running" if missing and group.ended else "pending"
    if group.failed:
        return "failed"
    if group.cancelled:
        return "cancelled"
    if not group.ended:
        return "pending"
    if group.skipped == group.ended:
        return "skipped"
    if group.reused == group.ended:
        return "reused"
    return "cached" if group.cached == group.ended else "succeeded"


def tree_of(groups: Iterable[GroupProgress], flow: str, *, over: bool = False) -> Node:
    """The tree under the flow itself; its root stands for the flow's own code."""
    root = Node(flow.rsplit(".", 1)[-1])
    for group in groups:
        path = group.path[1:] if group.path[:1] == (root.name,) else group.path
        node = root
        for name in path:
            node = node.inside.setdefault(name, Node(name))
        if node is not root:
            node.group = group
            node.state = state_of(group, over=over)
    _rate(root)
    return root


def calls_in(progress: Progress) -> list[GroupProgress]:
    """The groups of a run without the one of the flow itself."""
    own = (progress.flow.rsplit(".", 1)[-1],)
    return [group for group in progress.groups if group.path and group.path != own]


def lines_of(root: Node, budget: int) -> list[Shown]:
    """The lines of the tree, at most `budget` of them."""
    everything = list(root.walk())
    if len(everything) <= budget:
        for errors in (ERRORS_SHOWN, 1, 0):
            lines = list(_lines(root, {id(node) for node in everything}, "", errors))
            if _height(lines) <= budget:
                return lines
    outer = {id(node) for node in everything} - _insides_of_finished(root)
    urgent = [node for node in everything if node.urgency < FINISHED]
    for chosen in (outer, {id(node) for node in urgent}):
        if len(chosen) <= budget:
            lines = list(_lines(root, chosen, "", 1))
            if _height(lines) <= budget:
                return lines
    return list(_lines(root, _claimed(root, budget), "", 1))


def _rate(node: Node) -> None:
    for inner in node.inside.values():
        _rate(inner)
    urgencies = [inner.urgency for inner in node.inside.values()]
    if node.group is None:
        node.state = _of_insides([inner.state for inner in node.inside.values()])
        own = FINISHED
    else:
        own = FAILED if node.group.failed else _URGENCY.get(node.state, FINISHED)
    node.urgency = min((own, *urgencies))


def _of_insides(states: list[str]) -> str:
    for state in ("running", "retrying", "pending", "cut off", "failed", "cancelled"):
        if state in states:
            return state
    return states[0] if len(set(states)) == 1 else "succeeded" if states else "pending"


def _insides_of_finished(node: Node) -> set[int]:
    hidden: set[int] = set()
    for inner in node.inside.values():
        if inner.urgency == FINISHED:
            hidden.update(id(deep) for deep in inner.walk())
        else:
            hidden |= _insides_of_finished(inner)
    return hidden


def _claimed(root: Node, budget: int) -> set[int]:
    """The most urgent nodes, with all around them, that `budget` lines can hold beside the counts of the rest."""
    outer: dict[int, Node] = {id(inner): node for node in (root, *root.walk()) for inner in node.inside.values()}
    ranked = sorted((node for node in root.walk() if node.urgency < FINISHED), key=lambda node: node.urgency)
    chosen: set[int] = set()
    used = 1
    for node in ranked:
        if id(node) in chosen:
            continue
        path = [node]
        while (around := outer[id(path[-1])]) is not root and id(around) not in chosen:
            path.append(around)
        cost = sum(1 + bool(_errors(part, 1)) + bool(part.inside) for part in path)
        if used + cost > budget:
            continue
        used += cost
        chosen.update(id(part) for part in path)
    return chosen


def _lines(node: Node, chosen: set[int], rails: str, errors: int) -> Iterator[Shown]:
    shown = [inner for inner in node.inside.values() if id(inner) in chosen]
    hidden = tuple(inner for inner in node.inside.values() if id(inner) not in chosen)
    if hidden:
        shown.sort(key=lambda inner: min(inner.urgency, AHEAD))
    whole = rails != "" and not shown and node.urgency == FINISHED  # a finished group's line speaks for its insides
    for place, inner in enumerate(shown):
        last = place == len(shown) - 1 and not hidden
        below = rails + ("   " if last else "│  ")
        inside = below + ("│  " if inner.inside else "   ")
        yield Shown(rails + ("└─ " if last else "├─ "), inner, (), _errors(inner, errors), inside)
        yield from _lines(inner, chosen, below, errors)
    if hidden and not whole:
        yield Shown(rails + "└─ ", None, hidden)


def _errors(node: Node, most: int) -> tuple[str, ...]:
    return node.group.errors[-most:] if most and node.group else ()


def _height(lines: list[Shown]) -> int:
    return sum(1 + len(line.errors) for line in lines)
