"""The last year is the headline, and a prediction is the mean over every order, one by one."""

from itertools import permutations

import numpy as np
import pytest

from analysis import load
from analysis.cases.case import headline_case
from analysis.cases.settings import Job, Question
from analysis.chapters.cumulative.rows import CUMULATIVE, CUMULATIVE_STUDIES, cumulative_rows
from analysis.inference.posterior import posterior_of
from analysis.inference.prediction import CountLaw, counts_of
from tests.data.tables import FOLDER
from tests.evidence.build import write_files

BASE = Job(Question(""))


def evidence_of(folder, years):
    counts = {"a": (30, 40), "b": (28, 41), "c": (12, 33), "d": (40, 52), "e": (9, 20)}
    return load(write_files(folder, {
        "studies.csv": "study_id,label,year\n" + "".join(f"{name},{name},{year}\n" for name, year in years.items()),
        "endpoints.csv": "endpoint,label,kind,direction\ncr,CR,rate,benefit\n",
        "responses.csv": "study_id,endpoint,events,n\n" + "".join(
            f"{name},cr,{counts[name][0]},{counts[name][1]}\n" for name in years)}))


@pytest.mark.parametrize("endpoint", ["cr", "pfs"])
def test_the_last_year_is_the_headline(endpoint):
    evidence = load(FOLDER)
    *_, last = cumulative_rows(evidence, BASE, endpoint)[CUMULATIVE.file]
    case = headline_case(evidence, BASE, endpoint)
    whole = posterior_of(case).summary("mean_rate" if endpoint == "cr" else "survival")
    assert (last["k_studies"], last["n_patients"]) == (len(case.studies), case.studies.patients)
    assert (last["median"], last["lower"], last["upper"]) == pytest.approx((whole.median, whole.lower, whole.upper))


def test_a_study_is_predicted_by_the_mean_over_all_orders(tmp_path):
    """a and b come first; of the 24 orders of the other four each is as likely as another."""
    years = {"a": 2011, "b": 2011, "c": 2015, "d": 2015, "e": 2015}
    evidence = evidence_of(tmp_path, years)
    rows = {row["study_id"]: row for row in cumulative_rows(evidence, BASE, "cr")[CUMULATIVE_STUDIES.file]}
    case = headline_case(evidence, BASE, "cr")
    laws = []
    for order in permutations("cde"):
        earlier = order[:order.index("d")]
        laws.append(counts_of(posterior_of(case.take(["a", "b", *earlier])).grid, 52).probabilities)
    law = CountLaw(np.mean(laws, axis=0))
    assert rows["d"]["pit"] == pytest.approx(law.pit(40)) and rows["d"]["before"] == 2
    assert rows["d"]["log_predictive"] == pytest.approx(law.log_probability(40))
    assert [rows["d"][name] for name in ("lower", "median", "upper")] == pytest.approx(law.limits(0.95)[[0, 1, 2]] / 52)
    assert rows["a"]["status"] == rows["b"]["status"] == "not computed"


@pytest.mark.parametrize("years", [{"a": 2011, "b": 2011}, {"a": "", "b": 2012}], ids=["one year", "no year"])
def test_nothing_is_said_without_years(tmp_path, years):
    assert cumulative_rows(evidence_of(tmp_path, years), BASE, "cr") == {}


def test_strata_are_counted_and_not_predicted():
    rows = cumulative_rows(load(FOLDER), BASE, "os")[CUMULATIVE_STUDIES.file]
    (hay,) = (row for row in rows if row["study_id"] == "hay_2019")
    assert hay["status"] == "not computed" and "strata" in hay["reason"]


def test_a_study_of_millions_is_counted_and_not_predicted_patient_by_patient(tmp_path):
    years = {"a": 2011, "b": 2012, "c": 2013, "d": 2014}
    studies = "study_id,label,year\n" + "".join(f"{name},{name},{year}\n" for name, year in years.items())
    rows = "".join(f"{name},os,landmark,12,0.5{at},,,{10_000_000 if name == 'd' else 40}\n"
                   for at, name in enumerate(years))
    evidence = load(write_files(tmp_path, {
        "studies.csv": studies, "endpoints.csv": "endpoint,label,kind,direction\nos,OS,survival,benefit\n",
        "survival.csv": f"study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n{rows}"}))
    tables = cumulative_rows(evidence, BASE, "os")
    assert tables[CUMULATIVE.file][-1]["n_patients"] == 10_000_120
    last = tables[CUMULATIVE_STUDIES.file][-1]
    assert last["status"] == "not computed" and "2,000 patients" in last["reason"]
