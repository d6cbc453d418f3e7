"""Data for other programs hold what the headline fits use, and come back as evidence."""

import csv
import json
import math

import pytest

from analysis import load
from analysis.__main__ import main
from analysis.cases.case import headline_case
from analysis.cases.settings import Job, Question
from tests.data.tables import FOLDER
from tests.evidence.build import write_files

_SURVIVAL = """study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n,events,person_months
a,os,median,,10,7,15,30,,
b,os,,,,,,25,9,140
c,os,landmark,12,1,,,16,,
"""


def exported(folder, data) -> dict[str, list[dict[str, str]]]:
    assert main(["export", "--output", str(folder), "--data", str(data)]) == 0
    return {path.name: list(csv.DictReader(path.open(encoding="utf-8"))) for path in folder.glob("*.csv")}


def test_counts_are_those_of_the_fits_and_come_back_as_evidence(tmp_path, capsys):
    files = exported(tmp_path / "out", FOLDER)
    evidence, back = load(FOLDER), load(tmp_path / "out" / "rbest.csv")
    for endpoint in (row.endpoint for row in evidence.endpoints if row.kind == "rate"):
        case = headline_case(evidence, Job(Question("")), endpoint)
        wanted = {(row.study_id, row.events, row.n) for row in case.selection.rows}
        for file, names in (("rbest.csv", ("r", "n")), ("metafor.csv", ("xi", "ni"))):
            assert {(row["study"], *(int(row[name]) for name in names)) for row in files[file]
                    if row["endpoint"] == endpoint} == wanted
        assert {(row.study_id, row.events, row.n) for row in back.responses if row.endpoint == endpoint} == wanted


def test_every_kind_of_survival_has_its_measure(tmp_path):
    data = write_files(tmp_path / "data", {
        "studies.csv": "study_id,label\na,A\nb,B\nc,C\n", "survival.csv": _SURVIVAL,
        "endpoints.csv": "endpoint,label,kind,direction\nos,OS,survival,benefit\n"})
    files = exported(tmp_path / "out", data)
    assert set(files) == {"metafor.csv"}
    a, b, c = files["metafor.csv"]
    assert a["measure"] == "GEN" and float(a["yi"]) == pytest.approx(math.log(math.log(2) / 10))
    # The limits are symmetric on the log scale: half their distance over 1.96.
    assert float(a["vi"]) == pytest.approx((math.log(15 / 7) / 2 / 1.959964) ** 2, rel=1e-3)
    assert (b["measure"], float(b["xi"]), float(b["ti"])) == ("IRLN", 9.0, 140.0)
    # Nobody of 16 / 1.25^2 patients.
    assert (c["measure"], float(c["xi"]), int(c["ni"])) == ("PLO", 0.0, 10)


def test_everybody_is_as_many_as_there_are(tmp_path):
    """Of 30 and 11 patients 19.2 and 7.04 count: xi and ni are the same whole number, or metafor refuses them."""
    data = tmp_path / "data.csv"
    data.write_text("study,statistic,time_months,estimate,n\nA,landmark,12,0,30\nB,landmark,6,0,11\nC,landmark,6,1,11\n")
    rows = exported(tmp_path / "out", data)["metafor.csv"]
    assert [(row["measure"], int(row["xi"]), int(row["ni"])) for row in rows] == [
        ("PLO", 19, 19), ("PLO", 7, 7), ("PLO", 0, 7)]


def test_rows_that_are_left_out_are_told(tmp_path, capsys):
    data = tmp_path / "data.csv"
    data.write_text("study,statistic,time_months,estimate,n,upper_not_reached\nA,median,24,,30,true\nB,landmark,12,0.6,40,\n")
    arguments = ["export", "--output", str(tmp_path / "out"), "--data", str(data)]
    assert main(arguments) == 0
    assert "left out: 1 row, the median was not reached" in capsys.readouterr().err
    assert main([*arguments, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["left_out"]
    assert (row["endpoint"], row["study_id"], row["row"]) == ("survival", "a", 2)


def test_json_names_the_files(tmp_path, capsys):
    assert main(["export", "--output", str(tmp_path / "out"), "--json"]) == 0
    assert [path.rpartition("/")[2] for path in json.loads(capsys.readouterr().out)["files"]] == [
        "metafor.csv", "rbest.csv"]
