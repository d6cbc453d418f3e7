"""What `check` accepts, the commands survive: medians not reached, other units, extremes, odd paths."""

import json
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.evidence.loading import load
from tests.evidence.build import write_files

COLUMNS = "study_id,endpoint,stratum,statistic,time_months,estimate,ci_low,ci_high,upper_not_reached,n,events,{}\n"
OS = {
    "studies.csv": "study_id,label,year\na,A 2001,2001\nb,B 2002,2002\n",
    "endpoints.csv": "endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n",
}


def survival(path: Path, rows: str, *, time: str = "person_months") -> Path:
    return write_files(path, OS | {"survival.csv": COLUMNS.format(time) + rows})


def fitted(path: Path, capsys) -> tuple[int, dict]:
    code = main(["fit", "os", "--engine", "exact", "--json", "--data", str(path)])
    streams = capsys.readouterr()
    assert "Traceback" not in streams.err
    return code, json.loads(streams.out)


def test_a_median_that_was_not_reached_is_left_out_with_its_reason(tmp_path, capsys):
    path = survival(tmp_path, "a,os,,median,24,,,,true,30,,\nb,os,,median,,9,6,14,false,30,,\n")
    found = select(load(path), Question("os"))
    assert [row.study_id for row in found.rows] == ["b"]
    assert [(item.study_id, item.row) for item in found.left_out] == [("a", 2)]
    assert found.left_out[0].reason.startswith("the median was not reached, which gives no log hazard")
    assert main(["check", "--data", str(path)]) == 0
    assert "survival.csv row 2 (a, os): estimate is empty since the median was not reached" in capsys.readouterr().err
    # The estimates are those of the evidence without the row.
    with_row = fitted(path, capsys)[1]["estimates"]
    assert with_row == fitted(survival(tmp_path, "b,os,,median,,9,6,14,false,30,,\n"), capsys)[1]["estimates"]


def test_an_endpoint_of_medians_that_were_not_reached_has_no_study(tmp_path, capsys):
    path = survival(tmp_path, "a,os,,median,24,,,,true,30,,\n")
    assert main(["fit", "os", "--data", str(path)]) == 2
    assert main(["list", "--data", str(path)]) == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("rows", "used"), [
    # Another row of the study, or of the same stratum, stands in its place.
    ("a,os,,median,24,,,,true,30,,\na,os,,landmark,12,0.8,,,,30,,\n", [3]),
    ("a,os,x,landmark,12,0.8,,,,20,,\na,os,y,landmark,12,0.6,,,,10,,\na,os,y,median,24,,,,true,10,,\n", [2, 3]),
    ("a,os,x,landmark,12,0.8,,,,20,,\na,os,y,landmark,12,0.6,,,,10,,\na,os,,median,24,,,,true,30,,\n", [2, 3]),
    # Nothing stands for stratum y, so that x does not stand for the study either.
    ("a,os,x,landmark,12,0.8,,,,20,,\na,os,y,median,24,,,,true,10,,\n", []),
])
def test_strata_stay_together_beside_a_median_that_was_not_reached(tmp_path, rows, used):
    assert [row.row for row in select(load(survival(tmp_path, rows)), Question("os")).rows] == used


def test_person_years_give_the_estimates_of_their_months(tmp_path, capsys):
    # shared/cases/py_column: 4 events in 240 and 6 in 400 person-years, 2,880 and 4,800 months.
    years = survival(tmp_path / "years", "a,os,,,,,,,,20,4,240\nb,os,,,,,,,,30,6,400\n", time="person_years")
    months = survival(tmp_path / "months", "a,os,,,,,,,,20,4,2880\nb,os,,,,,,,,30,6,4800\n")
    assert fitted(years, capsys)[1]["estimates"] == fitted(months, capsys)[1]["estimates"]


# Two strata with the shortest medians ended in log(0); the others are the edges of what check accepts.
EDGES = [
    "a,os,x,median,,0.016,,,,20,,\na,os,y,median,,0.016,,,,20,,\n",
    "a,os,x,median,,0.02,0.016,12000,,20,,\na,os,y,landmark,0.016,0.5,,,,20,,\n",
    "a,os,,median,,1200,0.016,12000,,20,,\nb,os,,median,,0.016,0.016,,true,20,,\n",
    "a,os,,landmark,1200,0.00000001,,,,10000000,,\nb,os,,landmark,0.016,0.99999999,,,,10000000,,\n",
    "a,os,,,,,,,,10000000,0,12000000000\nb,os,,,,,,,,1,0,0.016\n",
    "a,os,x,,,,,,,10000000,5,12000000000\na,os,y,median,,0.016,,,,10000000,,\n",
]


@pytest.mark.parametrize("rows", EDGES)
def test_the_edges_of_plausibility_are_fitted_or_stamped(tmp_path, capsys, rows):
    path = survival(tmp_path, rows)
    assert main(["check", "--data", str(path)]) == 0
    capsys.readouterr()
    code, found = fitted(path, capsys)
    assert code == 0 and found["converged"] or code == 3 and not found["estimates"]


@pytest.mark.parametrize("name", ["a\x1b[31mred\u200b", "b\nc\u202etxt"])
def test_no_path_steers_the_terminal(tmp_path, capsys, name):
    path = survival(tmp_path / name, "a,os,,median,,9,6,14,false,30,,\n")
    calls = [["check"], ["fit", "nothing"], ["compare"], ["regress", "os"], ["fit", "os", "--engine", "exact"]]
    for call in calls:
        main([*call, "--data", str(path), *(["--output", str(path / "out")] if "--engine" in call else [])])
    main(["fit", "os", "--data", str(path), "--output", str(path / "studies.csv")])
    main(["check", "--data", str(path / "nowhere")])
    main(["check", name])
    streams = capsys.readouterr()
    assert name not in streams.out + streams.err
    assert repr(name)[1:-1] in streams.out and repr(name)[1:-1] in streams.err
    assert all(line.isprintable() for line in (streams.out + streams.err).splitlines())


def test_a_printable_path_is_printed_as_it_is(tmp_path, capsys):
    assert main(["check", "--data", str(survival(tmp_path / "Übersicht 1", "a,os,,median,,9,6,14,,30,,\n"))]) == 0
    assert "Übersicht 1: no problem found" in capsys.readouterr().out
