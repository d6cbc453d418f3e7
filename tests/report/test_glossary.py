"""Each technical word is explained once, where the results have it, and leads there from its first use."""

import re

import pytest

from analysis.chapters import glossary
from analysis.chapters.glossary import linked, terms
from tests.report.reading import Page, csv_rows
from tests.reporting import pages_of, project_results


@pytest.fixture(scope="module")
def results():
    return project_results()


@pytest.fixture(scope="module")
def pages(results):
    return pages_of(results)


def test_each_word_of_the_results_is_explained_once(results, pages):
    page = Page("".join(pages.values()))
    anchors = [f"term-{row['anchor']}" for row in terms(results)]
    assert len(anchors) > 15 and all(page.ids.count(anchor) == 1 for anchor in anchors)


def test_words_follow_kinds_and_tables(results):
    """Without a table of influence nothing is said of bits, and every row is of a known kind."""
    shown = {row["anchor"] for row in terms(results)}
    assert {"rho", "tau", "hazard", "clopper-pearson"} <= shown and not {"bits", "tau-events", "pit"} & shown
    rows = csv_rows(glossary._FILE)
    assert {row["kind"] for row in rows} == {"", "rate", "survival", "events"}
    assert len({row["anchor"] for row in rows}) == len(rows)


def test_a_word_leads_to_its_meaning_where_it_is_first_used_and_nowhere_else(results):
    page = linked('<h2>Shrunken</h2><p title="shrunken">An <a href="#x">R-hat</a>, <b>shrunken</b>, R-hat &lt; 1.01, '
                  "Shrunken; rhododendron-rho rho</p>", results, "details/glossary.html")
    links = re.findall(r'href="details/glossary.html#(\S+)">([^<]*)<', page)
    assert links == [("term-shrunken", "shrunken"), ("term-sampling", "R-hat"), ("term-rho", "rho")]
    assert re.sub(r'<a class="term"[^>]*>|(?<=[a-z])</a>(?=[,; <]|$)', "", page).count("Shrunken") == 2
    assert page.endswith("</p>") and "rhododendron-rho " in page


def test_words_of_the_evidence_are_not_technical_ones(results, pages):
    """Prior transplant is a covariate, and a published quantity has a label of its own."""
    page = linked("<p>Prior transplant, prior stem-cell transplant and CD28</p><td>Prior stem-cell transplant</td>"
                  "<td>Prior SD</td>", results, "glossary.html")
    assert re.findall(r"<a [^>]*>([^<]*)</a>(.{3})", page) == [("Prior", " SD")]
    assert "#term-" not in pages["details/evidence.html"]


def test_each_page_explains_a_word_where_it_is_first_used(pages):
    """Once on each page of details; the page to read uses none of these words."""
    pages = {name: Page(text) for name, text in pages.items()}
    places = set(pages["details/glossary.html"].ids)
    led = {name: [value for tag, key, value in page.attributes if tag == "a" and key == "href" and "#term-" in value]
           for name, page in pages.items()}
    assert all(page.unbalanced == [] for page in pages.values()) and led["report.html"] == []
    assert sum(map(len, led.values())) > 20
    for targets in led.values():
        assert len(targets) == len(set(targets))
        assert {target.removeprefix("glossary.html#") for target in targets} <= places

