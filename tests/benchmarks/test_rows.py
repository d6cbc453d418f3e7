"""Probabilities of exceeding a benchmark against draws, and what a directory without benchmarks says."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path
from matplotlib.text import Text

from analysis import load
from analysis.cases.case import headline_case
from analysis.cases.settings import Job, Question
from analysis.chapters.benchmarks import CHAPTER
from analysis.chapters.benchmarks.figure import draw_exceedance
from analysis.chapters.benchmarks.rows import BENCHMARKS, EXCEEDANCE, benchmark_rows
from analysis.drawing import style
from analysis.inference.grid import draw
from analysis.inference.posterior import posterior_of
from analysis.results.numbers import PERCENT, Scale
from analysis.results.writing import Labels
from models import all_models
from tests.data.tables import FOLDER
from tests.evidence.build import write_files
from tests.figures.reading import shown
from tests.report.reading import Page
from tests.reporting import results_of, with_tables

BASE = Job(Question(""))
DRAWS = 40_000
_ERROR = 4 * 0.5 / np.sqrt(DRAWS)


@pytest.fixture(scope="module")
def project():
    return load(FOLDER)


def test_response_exceeds_as_often_as_in_draws(project):
    one, both = benchmark_rows(project, BASE, "cr")[BENCHMARKS.file]
    grid, rng = posterior_of(headline_case(project, BASE, "cr")).grid, np.random.default_rng(1)
    draws = draw(grid, DRAWS, rng)
    new = grid.density.model.density.new_study(draws, rng)
    for row, value in ((one, 0.3), (both, 0.8)):
        assert row["pooled"] == pytest.approx(np.mean(draws["mu"] > value), abs=_ERROR)
        assert row["new_study"] == pytest.approx(np.mean(new > value), abs=_ERROR)


def test_survival_is_that_of_a_hazard_that_may_fall(project):
    months, landmark = benchmark_rows(project, BASE, "os")[BENCHMARKS.file]
    case = headline_case(project, BASE, "os").but(model=all_models()["weibull"])
    draws = draw(posterior_of(case).grid, DRAWS, np.random.default_rng(2))
    scale = np.exp(draws["eta12"])
    assert months["model"] == landmark["model"] == "weibull" and months["new_study"] is None
    # S(t) = exp(-exp(eta12) (t / 12)^shape).
    at_median = np.exp(-scale * (7.7 / 12) ** draws["shape"])
    assert months["pooled"] == pytest.approx(np.mean(at_median > 0.5), abs=_ERROR)
    assert landmark["pooled"] == pytest.approx(np.mean(np.exp(-scale) > 0.35), abs=_ERROR)


def test_curves_fall_and_pass_through_the_benchmarks(project):
    files = benchmark_rows(project, BASE, "cr")
    pooled = [row["pooled"] for row in files[EXCEEDANCE.file]]
    assert pooled == sorted(pooled, reverse=True) and pooled[0] == pytest.approx(1.0) and pooled[-1] == 0.0
    at = next(row for row in files[EXCEEDANCE.file] if row["value"] == pytest.approx(0.3))
    assert at["pooled"] == files[BENCHMARKS.file][0]["pooled"]


@pytest.mark.parametrize("layout", [nullcontext, style.narrow])
def test_names_of_benchmarks_hide_no_curve(project, layout):
    rows = [benchmark_rows(project, BASE, endpoint) for endpoint in ("cr", "os")]
    frames = [one.table(row for files in rows for row in files[one.file]).frame for one in (EXCEEDANCE, BENCHMARKS)]
    with layout():
        figure = draw_exceedance(frames[0], benchmarks=frames[1], labels=Labels({"cr": "Response", "os": "Survival"}))
    FigureCanvasAgg(figure).draw()
    names = 0
    for axes in figure.axes:
        curves = [line for line in axes.lines if line.get_color() in (style.SHRUNKEN, style.PREDICTION)]
        for text in filter(Text.get_text, axes.texts):
            box, names = text.get_window_extent(), names + 1
            for line in curves:
                corners = axes.transData.transform(np.column_stack(line.get_data()))
                assert not Path(corners).intersects_bbox(box, filled=False), text.get_text()
    assert names == len(frames[1])


def test_quantities_beyond_a_page_are_named():
    rows = [{"endpoint": f"e{at}", "model": "beta_binomial", "estimand": "rate", "value": value, "pooled": 1 - value,
             "new_study": 1 - value} for at in range(18) for value in (0.0, 0.5, 1.0)]
    labels = Labels({f"e{at}": f"Number {at}" for at in range(18)})
    figure = draw_exceedance(EXCEEDANCE.table(rows).frame, benchmarks=BENCHMARKS.table(()).frame, labels=labels)
    assert len(figure.axes) == 16 and "Not drawn: Number 16, Number 17." in " ".join(shown(figure).split())


def test_without_benchmarks_nothing_is_said(project):
    assert benchmark_rows(replace(project, benchmarks=()), BASE, "cr") == {}
    assert benchmark_rows(project, BASE, "crs_any") == {}


def test_without_studies_there_is_no_probability(project):
    """The prior alone would say 0.70 of more than 30 %."""
    for row in benchmark_rows(project, Job(Question("", without=tuple(
            study.study_id for study in project.studies))), "cr")[BENCHMARKS.file]:
        assert (row["status"], row["reason"]) == ("not computed", "no study of the evidence reports it")
        assert "pooled" not in row


@pytest.mark.parametrize(("cells", "reason"), [
    ({"estimand": "median_months", "low": 7.7}, "median months is no quantity of a rate endpoint"),
    ({"estimand": "survival", "time_months": 12.0}, "survival is no quantity of a rate endpoint")])
def test_a_benchmark_that_cannot_be_exceeded_says_why_and_is_not_drawn(project, cells, reason):
    given = (project.benchmarks[0], replace(project.benchmarks[0], **cells))
    files = benchmark_rows(replace(project, benchmarks=given), BASE, "cr")
    right, wrong = files[BENCHMARKS.file]
    assert (right["status"], wrong["status"], wrong["reason"]) == ("computed", "not computed", reason)
    tables = [layout.table(files[layout.file]).frame for layout in (EXCEEDANCE, BENCHMARKS)]
    (axes,) = draw_exceedance(tables[0], benchmarks=tables[1], labels=Labels({"cr": "Response"})).axes
    assert len(axes.lines) == 3 and not axes.patches


def test_events_over_person_time_are_compared_under_their_constant_rate(tmp_path):
    """Read with a hazard that may fall, 3 months of follow-up leave 0.72 of more than 60 % after 12 months."""
    evidence = load(write_files(tmp_path, {
        "studies.csv": "study_id,label\n" + "".join(f"s{at},S {at}\n" for at in range(4)),
        "endpoints.csv": "endpoint,label,kind,direction\ninfection,Infection,survival,harm\n",
        "survival.csv": "study_id,endpoint,statistic,n,events,person_months\n" + "".join(
            f"s{at},infection,,100,{5 + at},{300 + 20 * at}\n" for at in range(4)),
        "benchmarks.csv": "endpoint,label,estimand,time_months,low,high\ninfection,Before,survival,12,0.6,\n"
                          "infection,Of the horizon,survival,,0.6,\n"}))
    for row in benchmark_rows(evidence, BASE, "infection")[BENCHMARKS.file]:
        assert (row["model"], row["time_months"]) == ("log_hazard", 12.0)
        draws = draw(posterior_of(headline_case(evidence, BASE, "infection")).grid, DRAWS, np.random.default_rng(3))
        assert row["pooled"] == pytest.approx(np.mean(np.exp(-12 * np.exp(draws["eta"])) > 0.6), abs=_ERROR)


RANGE = {"endpoint": "os", "model": "weibull", "benchmark": "Others", "estimand": "survival", "time_months": 12.0,
         "low": 0.4, "high": 0.6, "unit": "proportion", "pooled": 0.3, "new_study": 0.4, "status": "computed"}


@pytest.mark.parametrize(("months", "cells", "told"), [
    (None, {}, "Overall survival at 12 months, above 60 %, the upper end of 40 % to 60 % (Others): 0.30; 0.40."),
    (None, {"high": None}, "Overall survival at 12 months, above 40 % (Others): 0.30; 0.40."),
    (None, {"estimand": "median_months", "time_months": None, "low": 7.7, "high": None, "unit": "months",
            "new_study": None}, "Overall survival, median, above 7.7 months (Others): 0.30; of a new study no median"),
    # Survival of 60 % in 12 months is read as 51 events per 100 person-years, and more of it is fewer events.
    (12.0, {}, ", below 51 per 100 person-years, the lower end of 92 per 100 person-years to 51 per 100 person-years")])
def test_the_brief_says_which_end_of_a_range_a_probability_is_of(project, months, cells, told):
    results = with_tables(results_of(project), {BENCHMARKS.file: [RANGE | cells]})
    scales = {**results.labels.scales, "os": Scale(100.0, "per 100 person-years", months) if months else PERCENT}
    results.__dict__["labels"] = replace(results.labels, scales=scales)
    assert told in Page(CHAPTER.brief(results, None)).text
