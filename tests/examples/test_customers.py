"""The customers example, the main job: real models on real data, reports that can be opened, killed and resumed."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.examples.programs import EXAMPLES, Bench

from customers import CUSTOMERS, DIGITS, TUMOURS, chosen
from enrichments import check_bias, score, train_anomaly
from kapelle import PermanentError
from kapelle.engine.values.fingerprint import fingerprint_value
from models import GRID, Candidate, best_of, complaints_about, load, measure, split, train, validate

SCRIPT = EXAMPLES / "customers" / "pipeline.py"
ONE = ("-p", "out=reports", "-p", 'customers=["aurora-clinic"]')
"""The customer who has chosen everything."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("customers"))


@pytest.fixture(scope="module")
def printed(bench: Bench) -> str:
    """What the script printed; its files are in `demo-output`."""
    return bench.python(SCRIPT).stdout


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What a run for one customer measured, and the folder of its files."""
    bench = Bench(tmp_path_factory.mktemp("undisturbed"))
    (measured,) = json.loads(bench.kapelle("run", f"{SCRIPT}:enrich", *ONE))
    return measured, bench.folder / "reports" / "aurora-clinic"


def table(printed: str) -> dict[str, dict[str, str]]:
    """The printed table, by customer and column."""
    head, *lines = [re.split(r"\s{2,}", line.strip()) for line in printed.strip().split("\n\n")[0].splitlines()]
    return {line[0]: dict(zip(head, line, strict=True)) for line in lines}


@pytest.mark.slow
def test_the_script_says_what_it_measured_and_where_the_files_are(bench: Bench, printed: str) -> None:
    measured = table(printed)
    assert list(measured) == [customer.name for customer in CUSTOMERS]
    for customer in CUSTOMERS:
        line = measured[customer.name]
        assert float(line["accuracy"]) > 0.9
        assert float(line["F1"]) > 0.9
        assert float(line["AUC"]) > 0.95
        assert (line["anomalies"] == "-") == ("anomaly" not in customer.enrichments)
        assert (line["bias gap"] == "-") == ("bias" not in customer.enrichments)
        assert f"{bench.folder}/demo-output/{customer.name}/report.html" in printed


@pytest.mark.slow
@pytest.mark.usefixtures("printed")
def test_each_report_is_one_file_with_a_picture_for_each_thing_chosen(bench: Bench) -> None:
    for customer in CUSTOMERS:
        page = (bench.folder / "demo-output" / customer.name / "report.html").read_text()
        assert page.count('src="data:image/png;base64,iVBOR') == 2 + len(customer.enrichments)
        assert not re.findall(r'(?:src|href)="(?!data:)|@import|https?://', page)
        assert "prefers-color-scheme: dark" in page


@pytest.mark.slow
@pytest.mark.usefixtures("printed")
def test_each_enrichment_adds_a_column_and_the_saved_model_gives_the_predictions(bench: Bench) -> None:
    columns = {"explanations": "main_reason", "anomaly": "anomaly_score", "bias": "bias_group"}
    for customer in CUSTOMERS:
        folder = bench.folder / "demo-output" / customer.name
        scored = pd.read_csv(folder / "scores.csv", index_col="row", dtype={"truth": str, "prediction": str})
        wanted = ["truth", "prediction", "certainty", *(columns[each] for each in customer.enrichments)]
        assert list(scored.columns) == wanted
        model = pickle.loads((folder / "model.pickle").read_bytes())
        held_out = split(load(customer), customer.seed).held_out
        labels = pd.Series(customer.data.labels)
        assert list(labels[model.predict(held_out.drop(columns="target"))]) == list(scored["prediction"])


@pytest.mark.slow
def test_a_second_run_takes_the_training_from_the_cache_and_comes_to_the_same(bench: Bench, printed: str) -> None:
    reports = sorted((bench.folder / "demo-output").rglob("report.html"))
    before = [path.read_bytes() for path in reports]
    again = bench.python(SCRIPT).stdout
    groups = {group["path"][-1]: group for group in bench.last_run()["groups"]}
    assert groups["train"]["cached"] == len(CUSTOMERS) * len(GRID)
    assert groups["train_explanations"]["cached"] == 2
    assert groups["measure"]["succeeded"] == len(CUSTOMERS)
    assert [path.read_bytes() for path in reports] == before
    without_time = [{**line, "seconds": ""} for line in table(again).values()]
    assert without_time == [{**line, "seconds": ""} for line in table(printed).values()]


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["enrich_customer running", "train running", "train_explanations running"])
def test_killed_and_resumed_it_comes_to_the_same(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], Path], sign: str
) -> None:
    bench = Bench(tmp_path)
    bench.kill_when(sign, ["-m", "kapelle", "run", f"{SCRIPT}:enrich", *ONE])
    (resumed,) = json.loads(bench.kapelle("resume", "@last"))
    measured, folder = undisturbed
    same = ("customer", "model", "rows", "accuracy", "f1", "auc", "anomalies", "bias_gap")
    assert [resumed[name] for name in same] == [measured[name] for name in same]
    here = tmp_path / "reports" / "aurora-clinic"
    for name in ("report.html", "scores.csv"):
        assert (here / name).read_bytes() == (folder / name).read_bytes()
    models = [pickle.loads((each / "model.pickle").read_bytes()) for each in (here, folder)]
    assert fingerprint_value(models[0]) == fingerprint_value(models[1])


def test_a_customer_whom_nobody_knows_is_named_with_those_there_are() -> None:
    assert chosen([]) == list(CUSTOMERS)
    with pytest.raises(ValueError, match="no customer is called ada; there are aurora-clinic"):
        chosen(["ada"])


def test_rows_that_are_not_as_promised_are_refused_with_everything_that_is_wrong() -> None:
    rows = load(replace(CUSTOMERS[2], share=0.5))
    assert validate(rows, DIGITS) == len(rows)
    spoiled = rows.query("target != 4").drop(columns="pixel_7_7").reset_index(drop=True)
    spoiled.loc[3, "pixel_0_1"] = None
    spoiled.loc[[4, 5], "pixel_0_2"] = 17.0
    with pytest.raises(PermanentError) as raised:
        validate(spoiled, DIGITS)
    count = len(spoiled)
    assert str(raised.value) == (
        "Optical recognition of handwritten digits: 63 features instead of 64; "
        f"pixel_0_1 is missing in 1 of {count} rows; pixel_0_2 leaves 0 to 16 in 2 of {count} rows; "
        "class 4 has 0 rows, at least 10 are needed"
    )
    assert complaints_about(rows.drop(columns="target"), DIGITS) == ["there is no column 'target'"]
    assert complaints_about(rows.assign(pixel_0_0="x"), DIGITS) == ["not numbers: pixel_0_0"]
    assert "only 20 rows, at least 100 are needed" in complaints_about(rows.head(20), DIGITS)


def test_outside_a_run_the_tasks_are_plain_functions() -> None:
    customer = replace(CUSTOMERS[0], share=0.6)
    parts = split(load(customer), customer.seed)
    candidates = (Candidate("logistic", (("C", 1.0),)), Candidate("neighbours", (("n_neighbors", 100),)))
    best = best_of([train(candidate, parts.train, customer.seed) for candidate in candidates])
    assert best.candidate.kind == "logistic"
    assert measure(best.model, parts.held_out).accuracy > 0.9
    anomaly = train_anomaly(parts.train, customer.seed)
    bias = check_bias(best.model, parts.train, parts.held_out, TUMOURS)
    assert sum(bias.sizes) == len(parts.held_out)
    assert 0 <= bias.gap < 0.2
    scored = score(best.model, parts.held_out, TUMOURS, None, anomaly, bias)
    assert set(scored["bias_group"]) == {"low", "middle", "high"}
    assert 0 < (scored["anomaly_score"] > anomaly.threshold).sum() < len(scored) / 5
