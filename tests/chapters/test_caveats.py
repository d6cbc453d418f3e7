"""What limits the answer: said of those numbers of which it is so."""

from dataclasses import replace

import pytest

from analysis.chapters.caveats import CHAPTER
from tests.report.reading import Page
from tests.reporting import project_results

FEW = "With at most two studies, heterogeneity and prediction are dominated by the prior:"


@pytest.fixture(scope="module")
def results():
    return project_results()


def brief(results, studies):
    """The brief where the headline of each endpoint rests on so many studies."""
    records = tuple(replace(record, k_studies=studies.get(record.job.question.endpoint, 3))
                    for record in results.records)
    return Page(CHAPTER.brief(replace(results, records=records), None)).text


def test_nothing_is_called_prior_dominated_where_three_studies_report(results):
    assert FEW not in brief(results, {})


@pytest.mark.parametrize("few", [1, 2])
def test_endpoints_of_one_or_two_studies_are_named_and_no_others(results, few):
    cr, os = (results.labels.endpoints[endpoint] for endpoint in ("cr", "os"))
    assert f"{FEW} {os}." in brief(results, {"os": few})
    assert f"{FEW} {cr}; {os}." in brief(results, {"os": few, "cr": 1})
