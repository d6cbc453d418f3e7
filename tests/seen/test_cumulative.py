"""Estimates year by year and predictions from earlier studies, by sums over the plane for each set of studies."""

import numpy as np
import pytest
from scipy import stats

from analysis.drawing import style
from tests.reporting import pictures_of
from tests.seen.checking import Table, value
from tests.seen.facts import ENDPOINTS, LEVEL, STUDIES, Counts, size, studies_of, study_of
from tests.seen.headline import HEADLINE, headline, law, main_limits, question
from tests.seen.test_predictions import counted, mid_p

LANDMARKS = {"ash_2015": (12.0, 0.58), "birch_2016": (11.4, 0.5), "cedar_2017": (4.0, 0.81), "fir_2019": (14.2, 0.5)}
"""Months and survival of each report; the others are strata, or events over person-time."""


def year(study) -> int:
    return int(STUDIES[study.study_id]["year"])


def earlier(endpoint: str, own) -> list[list]:
    """The studies that may come before one, once for each order of its own year."""
    before = [study for study in studies_of(endpoint) if year(study) < year(own)]
    same = [study for study in studies_of(endpoint) if year(study) == year(own) and study.study_id != own.study_id]
    return [before, [*before, *same]] if same else [before]


def survivors(plane, own) -> tuple[np.ndarray, float]:
    """Law of those without the event among n / 1.25^2 patients, and how many the study reports."""
    at, survival = LANDMARKS[own.study_id]
    patients = round(own.n / 1.25**2)
    edges = np.linspace(0.0, 1.0, 401)[1:-1]
    mass = np.diff([plane.new_below(edge, at) for edge in edges], prepend=0.0, append=1.0)
    middle = (np.arange(400) + 0.5) / 400
    return stats.binom.pmf(np.arange(patients + 1)[:, None], patients, middle) @ mass, survival * patients


def test_cumulative(seen):
    rows = Table(seen, "cumulative.csv")
    assert [(row["endpoint"], int(row["year"])) for row in rows.rows] == [
        (endpoint, at) for endpoint in ENDPOINTS for at in sorted({year(study) for study in studies_of(endpoint)})]
    for row in rows.rows:
        endpoint, at = row["endpoint"], int(row["year"])
        studies = [study for study in studies_of(endpoint) if year(study) <= at]
        rows.limits(row, main_limits(headline(endpoint, studies), endpoint), within=1e-3)
        rows.check(row, **question(endpoint), **size(studies), year=at,
                   added=sum(year(study) == at for study in studies))
    rows.complete(level=LEVEL, interval="credible", status="computed", reason=None, stamp=None)


def test_cumulative_studies(seen):
    rows = Table(seen, "cumulative_studies.csv")
    assert sorted((row["endpoint"], row["study_id"]) for row in rows.rows) == sorted(
        (endpoint, study.study_id) for endpoint in ENDPOINTS for study in studies_of(endpoint))
    looked_at = 0
    for row in rows.rows:
        endpoint = row["endpoint"]
        own = study_of(row, studies_of(endpoint))
        orders = [studies for studies in earlier(endpoint, own) if len(studies) >= 2]
        read = isinstance(own, Counts) or own.study_id in LANDMARKS
        before = sum(year(study) < year(own) for study in studies_of(endpoint))
        rows.check(row, endpoint=endpoint, model=HEADLINE[endpoint], year=year(own), study_id=own.study_id,
                   label=STUDIES[own.study_id]["label"], before=before)
        if not orders or not read:
            empty = dict.fromkeys(("median", "lower", "upper", "pit", "two_sided", "named", "chance_named",
                                   "log_predictive", "level", "interval"))
            rows.check(row, status="not computed", reason=bool, n=lambda n: n is not None, **empty)
            rows.check(row, report=lambda text, read=read: bool(text) == read,
                       observed=lambda number, read=read: (number is None) != read)
            continue
        each = [(law(plane, own.n), own.events) if isinstance(own, Counts) else survivors(plane, own)
                for plane in (headline(endpoint, studies) for studies in orders)]
        probability, count = np.mean([one for one, _ in each], axis=0), each[0][1]
        mids = np.cumsum(probability) - probability / 2
        pit = float(np.interp(count, np.arange(len(mids)), mids))
        if isinstance(own, Counts):
            assert pit == pytest.approx(mid_p(probability, own.events))
        total = len(probability) - 1
        rows.check(row, within=3e-3, pit=pit, two_sided=2 * min(pit, 1 - pit),
                   chance_named=probability[2 * np.minimum(mids, 1 - mids) < 0.05].sum())
        rows.check(row, within=1e-2, log_predictive=float(np.interp(count, np.arange(total + 1), np.log(probability))))
        rows.check(row, **counted(probability), observed=count / total, n=own.n, status="computed", reason=None,
                   level=LEVEL, interval="prediction", named=2 * min(pit, 1 - pit) < 0.05,
                   report=(lambda text, own=own: text.lstrip("'") == f"{own.events}/{own.n}")
                   if isinstance(own, Counts) else own.printed)
        looked_at += 1
    assert looked_at >= 8
    rows.complete(stamp=None)


def test_every_year_is_drawn(seen):
    (picture,) = (one for one in pictures_of(seen.results) if one.kind == "cumulative")
    figure = picture.draw(**picture.content)
    found = sorted(float(line.get_xdata()[1]) for axes in figure.axes for line in axes.lines
                   if line.get_color() == style.SHRUNKEN and len(line.get_xdata()) == 3)
    wanted = sorted(value(row["median"]) for row in seen.tables["cumulative.csv"])
    assert found == pytest.approx(wanted, abs=1e-5)
    shown = [text.get_text() for axes in figure.axes for text in axes.texts]
    for row in seen.tables["cumulative.csv"]:
        studies = "1 study" if row["k_studies"] == "1" else f"{row['k_studies']} studies"
        assert f"{row['year']}: {studies}" in shown
