"""`kapelle run`: data on stdout, the rest on stderr, and an exit code that says how it ended."""

import json

import pytest


def test_the_result_is_the_data_and_progress_is_not(kapelle):
    answer = kapelle("run", "flows.py:doubled", "-p", "count=4", "-p", "label=sum")
    assert answer.code == 0
    assert answer.out == 'doubling 4 numbers\n{"sum":12}\n'
    assert answer.err.startswith("kapelle: running doubled (doubled-")
    assert "kapelle: double succeeded (4 calls" in answer.err


def test_quiet_is_quiet(kapelle):
    answer = kapelle("run", "flows.py:nothing", "-q")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_a_name_tags_and_parameters_from_a_file(kapelle):
    (kapelle.folder / "p.json").write_text(json.dumps({"count": 9, "label": "file"}))
    answer = kapelle(
        "run", "flows.py:doubled", "--params", "p.json", "-p", "count=2", "--name", "mine", "--tag", "a", "--tag", "b"
    )
    assert answer.out.endswith('{"file":2}\n')
    (run,) = kapelle("runs", "--json").json
    assert (run["name"], run["tags"], run["parameters"]) == ("mine", ["a", "b"], "count=2, label='file'")


def test_a_failure_says_where_and_what_next(kapelle, monkeypatch):
    monkeypatch.setenv("KAPELLE_TEST_BAD", "1")
    answer = kapelle("run", "flows.py:doubled")
    assert answer.code == 10
    assert answer.out == "doubling 3 numbers\nabout to fail\n"
    assert "WARNING double: 1 looks odd" in answer.err
    assert "failure   ValueError: cannot double 1" in answer.err
    assert "flows.py:17 in double" in answer.err
    assert "next      kapelle retry " in answer.err
    assert "Traceback" not in answer.err


def test_with_v_there_is_the_traceback_of_the_users_code(kapelle, monkeypatch):
    monkeypatch.setenv("KAPELLE_TEST_BAD", "1")
    answer = kapelle("run", "flows.py:doubled", "-v")
    assert 'raise ValueError(f"cannot double {number}")' in answer.err
    assert "kapelle/engine" not in answer.err


def test_a_timeout_has_an_exit_code_of_its_own(kapelle):
    answer = kapelle("run", "flows.py:too_slow")
    assert answer.code == 12
    assert "too_slow failed after" in answer.err
    assert "(timed out)" in answer.err


def test_events_for_programs(kapelle):
    answer = kapelle("run", "flows.py:doubled", "--json")
    assert answer.code == 0
    assert answer.err == ""
    types = [event["type"] for event in answer.events]
    assert types[0] == "run_started"
    assert types[-2:] == ["run_ended", "result"]
    assert [event["seq"] for event in answer.events] == list(range(1, len(types) + 1))
    assert answer.events[-1]["value"] == {"x": 6}
    assert {"doubling 3 numbers"} == {event["text"] for event in answer.events if event["type"] == "output"}


def test_what_a_file_prints_while_it_is_imported_is_no_event(kapelle):
    (kapelle.folder / "loud.py").write_text("print('loud')\nfrom kapelle import flow\n@flow\ndef f() -> None: ...\n")
    answer = kapelle("run", "loud.py", "--json")
    assert answer.events[0]["type"] == "run_started"
    assert answer.err == "loud\n"


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["flows.py:dubled"], 3, "did you mean doubled"),
        (["flowz.py:doubled"], 3, "there is no file flowz.py"),
        (["flows.py"], 2, "one must be named"),
        (["flows.py:doubled", "-p", "count"], 2, "-p 'count' is not NAME=VALUE"),
        (["flows.py:doubled", "-p", "count=many"], 5, "given 'many', wanted int"),
        (["flows.py:doubled", "-p", "cuont=1"], 5, "no parameter cuont"),
        (["flows.py:doubled", "--params", "gone.json"], 3, "gone.json cannot be read"),
        (["flows.py:doubled", "--params", "flows.py"], 5, "the parameters are not JSON"),
        (["flows.py:doubled", "--params", "list.json"], 5, "no JSON object"),
        (["broken.py"], 1, "broken.py:1"),
        ([], 2, "Missing argument"),
        (["flows.py:doubled", "--nmae", "x"], 2, "No such option"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_bad_input_gets_one_clear_message(kapelle, argv, code, told):
    (kapelle.folder / "broken.py").write_text("1 / 0\n")
    (kapelle.folder / "list.json").write_text("[1]")
    answer = kapelle("run", *argv)
    assert answer.code == code
    assert told in answer.err
    assert answer.err.startswith("error: ")
    assert answer.out == ""
    assert "Traceback" not in answer.err
    in_json = kapelle("run", *argv, "--json")
    assert in_json.code == code
    assert in_json.out == ""
    assert set(in_json.error) == {"code", "message", "cause", "where", "hint"}
