"""A set of 210 studies, more than are left out one by one: its first page claims nothing that was not computed."""

import re
from collections.abc import Iterator

import numpy as np
import pytest

from analysis.evidence.loading import load
from analysis.inference.posterior import MOST_STUDIES
from analysis.results.table import COMPUTED
from tests.exactly import exact_results
from tests.report.reading import Page
from tests.reporting import pages_of
from tests.seen.checking import says

STUDIES = 210
COUNTED = r"\d+(?:,\d{3})*(?:\.\d+)?"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Without other methods, whose simulations nothing here reads, and with one refit beside the headline."""
    folder, rng = tmp_path_factory.mktemp("many"), np.random.default_rng(STUDIES)
    sizes = rng.integers(12, 90, STUDIES)
    rows = enumerate(zip(rng.binomial(sizes, rng.beta(7, 3, STUDIES)), sizes, strict=True))
    tables = {"studies": ["study_id,label", *(f"s{at},Study {at}" for at in range(STUDIES))],
              "endpoints": ["endpoint,label,kind,direction", "cr,Complete remission,rate,benefit"],
              "responses": ["study_id,endpoint,events,n", *(f"s{at},cr,{events},{n}" for at, (events, n) in rows)]}
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return exact_results(load(folder), without=("methods",), variants=2)


@pytest.fixture(scope="module")
def pages(results):
    return pages_of(results)


@pytest.fixture(scope="module")
def first(pages) -> str:
    """Text of the page to read, without its example of a command and with a blank between cells."""
    source = pages["report.html"].replace("</td>", " </td>")
    return Page(re.sub(r"<code>.*?</code>", "", source, flags=re.DOTALL)).text


def test_the_first_page_does_not_call_them_few(results, first):
    assert not results.failures and f"{STUDIES} studies" in first
    assert not re.search(r"\b(so|too|very) few\b|\bfew studies\b", first, re.IGNORECASE)


def test_nothing_is_said_of_studies_left_out(results, pages, first):
    rows = results.rows("influence.csv")
    assert STUDIES > MOST_STUDIES and len(rows) == STUDIES
    assert {row["reason"] for row in rows} == {f"more than {MOST_STUDIES} studies"}
    assert not results.rows("leave_one_out.csv") and not results.rows("model_comparison.csv")
    assert not re.search(r"surprising to the others?|left out|leave-one-out|without it", first, re.IGNORECASE)
    assert '<section id="influence">' not in pages["report.html"]
    assert f"more than {MOST_STUDIES} studies" in pages["details/influence.html"]


def _known(results) -> Iterator[float]:
    """Numbers of the files that the first page may show, as they stand there and in per cents, and counts of rows."""
    for file in ("answer.csv", "certainty.csv", "expected.csv", "expected_counts.csv"):
        for row in results.rows(file):
            numbers = [cell for cell in row.values() if isinstance(cell, int | float)]
            yield from (scale * number for number in numbers for scale in (1, 100))
    refits = [row for row in results.computed("sensitivity.csv") if row["dimension"] != "headline"]
    yield from (len(refits), len(results.rows("studies.csv")), len(results.rows("answer.csv")))


def test_every_number_of_the_first_page_is_in_a_file(results, first):
    known = set(_known(results))
    shown = re.findall(COUNTED, first.replace(" of 100 (", " ("))
    assert len(shown) > 20
    assert [number for number in shown if not any(says(number, other) for other in known)] == []
    (answer,), (row,) = results.rows("answer.csv"), results.rows("small_studies.csv")
    assert answer["k_studies"] == row["k_studies"] == STUDIES and row["status"] == COMPUTED
