"""Which groups are shown when not all fit."""

from tests.console.samples import group

from kapelle.console.tree import Shown, lines_of, state_of, tree_of


def shown(groups, budget, **options):
    return [brief(line) for line in lines_of(tree_of(groups, "flows.daily", **options), budget)]


def brief(line: Shown) -> str:
    if line.node is None:
        return f"{line.rails}({len(line.folded)} folded)"
    return line.rails + line.node.name + "".join(f" !{error}" for error in line.errors)


def test_everything_in_the_order_of_the_first_call_while_it_fits():
    groups = [
        group("a", succeeded=1),
        group("b", running=1),
        group("b/c", succeeded=1),
        group("d", failed=1, errors=("x",)),
    ]
    assert shown(groups, 10) == ["├─ a", "├─ b", "│  └─ c", "└─ d !x"]


def test_groups_around_a_group_are_shown_even_if_only_the_inner_one_is_known():
    assert shown([group("outer/inner", running=1)], 10) == ["└─ outer", "   └─ inner"]


def test_the_flow_itself_is_the_root_and_no_line():
    flow_itself = group("x")
    assert shown([type(flow_itself)(("daily",), "flow", running=1), group("a", running=1)], 10) == ["└─ a"]


def test_first_the_insides_of_what_has_finished_are_left_out():
    groups = [
        group("stage", succeeded=1),
        *(group(f"stage/{n}", succeeded=1) for n in range(9)),
        group("next", running=1),
    ]
    assert shown(groups, 5) == ["├─ stage", "└─ next"]


def test_then_finished_groups_become_a_count_and_trouble_comes_first():
    groups = [
        *(group(f"old{n}", succeeded=1) for n in range(9)),
        group("work", running=1),
        group("bad", failed=1, errors=("x",)),
    ]
    assert shown(groups, 5) == ["├─ bad !x", "├─ work", "└─ (9 folded)"]


def test_at_last_only_the_most_urgent_keep_their_line():
    waiting = [group(f"later{n}", waiting=1) for n in range(50)]
    working = [group(f"work{n}", running=1) for n in range(3)]
    assert shown([*waiting, *working, group("bad", failed=1)], 6) == [
        "├─ bad", "├─ work0", "├─ work1", "├─ work2", "├─ later0", "└─ (49 folded)",
    ]  # fmt: skip


def test_a_group_deep_inside_brings_those_around_it():
    groups = [*(group(f"old{n}", succeeded=1) for n in range(30)), group("a/b/bad", failed=1)]
    assert shown(groups, 8) == ["├─ a", "│  └─ b", "│     └─ bad", "└─ (30 folded)"]


def test_a_thousand_groups_never_take_more_lines_than_there_are():
    groups = [group(f"s{n % 7}/t{n}", running=n % 2, failed=n % 3, waiting=1, errors=("x",)) for n in range(1000)]
    for budget in (1, 5, 23, 60):
        lines = lines_of(tree_of(groups, "daily"), budget)
        assert sum(1 + len(line.errors) for line in lines) <= budget


def test_when_all_has_finished_and_nothing_fits_there_is_a_count():
    assert shown([group(f"old{n}", succeeded=1) for n in range(30)], 4) == ["└─ (30 folded)"]


def test_states_of_groups():
    assert state_of(group("a", waiting=2)) == "pending"
    assert state_of(group("a", running=1, failed=3)) == "running"
    assert state_of(group("a", retrying=1)) == "retrying"
    assert state_of(group("a", expected=3, succeeded=1)) == "running"
    assert state_of(group("a", expected=0)) == "pending"
    assert state_of(group("a", succeeded=3, failed=1)) == "failed"
    assert state_of(group("a", succeeded=1, skipped=1)) == "succeeded"
    assert state_of(group("a", skipped=2)) == "skipped"
    assert state_of(group("a", succeeded=2, reused=2)) == "reused"
    assert state_of(group("a", succeeded=2, cached=2)) == "cached"
    assert state_of(group("a", cancelled=1, succeeded=2)) == "cancelled"


def test_in_a_run_that_is_over_nothing_is_at_work():
    assert state_of(group("a", running=1), over=True) == "cut off"
    assert state_of(group("a", expected=9, succeeded=1, failed=1), over=True) == "failed"
    assert state_of(group("a", expected=9, cancelled=1), over=True) == "cancelled"
