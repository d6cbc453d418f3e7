"""Other people's evidence: the page, files and terminal speak of nothing that the evidence does not hold."""

import re
import shlex

import openpyxl
import pytest
from scipy import stats

from analysis.__main__ import main
from tests.evidence.build import write_evidence
from tests.exactly import quadrature
from tests.report.reading import Page, whole

# Eight placebo arms of Weber et al. (RBesT's AS) as a spreadsheet: a rate, and nothing else, not even years.
ARMS = ((23, 107), (12, 44), (19, 51), (9, 39), (39, 139), (6, 20), (9, 78), (10, 35))
RATE = [["study", "endpoint", "events", "n"], *([f"Arm {at}", "ASAS20", y, n] for at, (y, n) in enumerate(ARMS))]
SURVIVAL = {"studies": "study_id,label,year,device\n" + "".join(f"s{at},Clinic {at},{2000 + at},{at % 2}\n"
                                                                for at in range(6)),
            "endpoints": "endpoint,label,kind,direction\nfree,Free of relapse,survival,benefit\n", "responses": None,
            "survival": "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n" + "".join(
                f"s{at},free,landmark,12,{0.5 + 0.03 * at:.2f},{0.35 + 0.03 * at:.2f},{0.65 + 0.03 * at:.2f},40\n"
                for at in range(6)),
            "covariates": "covariate,label,column,unit,unit_size\ndevice,New device,device,,1\n"}
ALIEN = ("tier", "set review", "as published", "published estimate", "Published", "the paper", "share patients", "CAR",
         "blast", "transplant", "product", "trials", "per ,", " per |", "1 slope were", "0 further", "of the 1 ", " .",
         "review", "leukaemia",
         "children", "remission ", "as published", "paper", "extension", "later studies")
# Nine cohorts of a stroke register, drawn once: about 2 strokes per 1,000 and 20 bleedings per 100,000 person-years.
COHORTS = ((473, 46, 267020), (241, 27, 113469), (117, 13, 61113), (557, 42, 282149), (348, 40, 165947),
           (150, 18, 69180), (220, 36, 160954), (374, 15, 119605), (244, 10, 77131))
EVENTS = [["study", "endpoint", "events", "person_years", "n"], *(
    row for at, (strokes, bleedings, years) in enumerate(COHORTS) for row in (
        [f"Cohort {at}", "Stroke", strokes, years, years // 4],
        [f"Cohort {at}", "Bleeding", bleedings, years, years // 4]))]


@pytest.fixture(scope="module", params=["rate", "survival", "events"])
def other(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    data = folder / ("evidence" if request.param == "survival" else "evidence.xlsx")
    if request.param != "survival":
        book = openpyxl.Workbook()
        for row in RATE if request.param == "rate" else EVENTS:
            book.active.append(row)
        book.save(data)
    else:
        write_evidence(data, **SURVIVAL)
    with quadrature():
        assert main(["report", "--quick", "--data", str(data), "--output", str(folder / "out")]) == 0
    for path in (folder / "out").rglob("*.html"):
        page = Page(path.read_text("utf-8"))
        assert page.unbalanced == [] and len(page.ids) == len(set(page.ids)), path.name
    return request.param, data, Page(whole(folder / "out"))


def test_nothing_is_said_of_what_is_not_there(other):
    kind, data, page = other
    text = page.text.replace(str(data.parent), "").replace("The endpoints share patients", "")
    text = text.replace("survival_conversions.csv", "")  # the name of a file
    assert [word for word in ALIEN if word in text] == []
    gone = {"rate": ("hazard", "urvival", "tau: "), "survival": ("mean rate", "rho", "logit", "beta-binomial"),
            "events": ("urvival", "median months", "months", "mean rate", "beta-binomial", " 0.000", "e+0")}[kind]
    assert [word for word in gone if word in text] == []


def test_no_column_is_empty(other):
    for caption, rows in other[2].tables.items():
        for at in range(1, len(rows[0])):
            assert any(row[at] for row in rows[1:] if at < len(row)), (caption, rows[0][at])


def test_titles_come_from_the_evidence(other):
    kind, _, page = other
    assert ("Do results vary with New device?" in page.text) == (kind == "survival")
    if kind == "survival":
        assert "1 slope was estimated one at a time." in page.text and "of it; about" not in page.text


def test_no_table_is_a_header_only(other):
    kind, data, _ = other
    written = sorted((data.parent / "out").glob("*.csv"))
    assert len(written) > 8 and all(len(path.read_text("utf-8").splitlines()) > 1 for path in written)
    if kind == "events":  # which say nothing of a curve
        return
    absent = {"comparison.csv", "published_totals.csv", "missing_bounds.csv", "decomposition.csv", "left_out.csv",
              "interval_shapes.csv", *({"regression.csv", "survival_conversions.csv"} if kind == "rate" else set())}
    assert not absent & {path.name for path in written}


def test_the_command_names_the_directory_as_it_was_given(other):
    kind, data, page = other
    (command,) = [row[1] for row in page.tables["What this page was computed from"] if row[0] == "Command"]
    words = shlex.split(command)
    assert words[words.index("--data") + 1] == str(data)


def test_the_terminal_names_tiers_and_set_only_where_there_are_any(other, capsys):
    kind, data, _ = other
    endpoint = {"rate": "asas20", "survival": "free", "events": "stroke"}[kind]
    for arguments in (["list"], ["fit", endpoint, "--engine", "exact"]):
        assert main([*arguments, "--data", str(data)]) == 0
        assert not re.search("tiers|set review", capsys.readouterr().out)
    assert main(["list"]) == 0
    assert "set review; tiers AB" in capsys.readouterr().out


def test_events_over_person_time_are_rates(other, capsys):
    """Each study's rate is its events over its person-years; limits are the exact ones of a Poisson count (Garwood)."""
    kind, data, page = other
    if kind != "events":
        return
    for at, label, each in ((0, "Stroke", 1e3), (1, "Bleeding", 1e5)):
        rows = page.tables[f"{label}: each study per {each:,.0f} person-years"][1:]
        raw = [row[3] for row in rows]
        for cell, cohort in zip(raw, COHORTS, strict=True):
            limits = stats.chi2.ppf([0.025, 0.975], [2 * cohort[at], 2 * cohort[at] + 2]) / 2.0
            wanted = [each * count / cohort[2] for count in (cohort[at], *limits)]
            decimals = len(cell.split(" [")[0].partition(".")[2])
            assert cell == "{:.{d}f} [{:.{d}f}, {:.{d}f}]".format(*wanted, d=decimals)
    assert "2.1 per 1,000 person-years [1.7, 2.7]" in page.text
    assert "Stroke: about 2.1 of 1,000 person-years" in page.text
    assert "19 per 100,000 person-years [16, 23]" in page.text and "377,6" not in page.text
    assert main(["fit", "stroke", "--engine", "exact", "--data", str(data)]) == 0
    printed = capsys.readouterr().out
    assert "median_months" not in printed
    assert re.search(r"^hazard +0\.2\d+ .*events per 100 person-years", printed, re.MULTILINE)
