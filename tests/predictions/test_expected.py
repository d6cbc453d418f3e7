"""How surprising a further study's count would be: what both pages say of it, and of whom."""

from dataclasses import replace

import pytest

from analysis.chapters.expected import CHAPTER
from analysis.chapters.expected.rows import EXPECTED, EXPECTED_COUNTS, expected_rows
from tests.influence.cases import CR, evidence_of
from tests.report.reading import Page
from tests.reporting import results_of, with_tables


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(tmp_path_factory.mktemp("evidence"))


def texts(evidence):
    results = with_tables(results_of(evidence), expected_rows(evidence, CR, "cr"))
    return results, *(Page(str(words(results, None))) for words in (CHAPTER.brief, CHAPTER.section))


def test_each_count_near_the_limits_has_its_chance_and_surprise_is_the_same_everywhere(evidence):
    results, brief, section = texts(evidence)
    row = next(row for row in results.rows(EXPECTED.file) if row["n"] == 20)
    counts = results.rows(EXPECTED_COUNTS.file)
    plain = [count["events"] for count in counts if not count["named"]]
    assert plain == list(range(row["unsurprising_low"], row["unsurprising_high"] + 1))
    assert all((count["two_sided"] < 0.05) == count["named"] for count in counts) and len(counts) == 21
    assert f"Complete remission in {plain[0]} to {plain[-1]} of 20 would surprise nobody." in brief.text
    low = counts[plain[0]]
    assert f"{plain[0]} of 20: {low['two_sided']:.2g}" in brief.text and "predict" not in brief.text
    (table,) = section.tables.values()
    assert len(table) == 22 and [str(plain[0]), f"{low['two_sided']:.2g}"] == table[1 + plain[0]]
    assert "predict cr --data" in section.text


@pytest.mark.parametrize(("population", "words"), [
    ("treated", "Complete remission in"), ("", "Complete remission in"),
    ("responders", "Complete remission, of 20 responders in")])
def test_a_base_that_is_not_all_patients_is_named(evidence, population, words):
    endpoints = tuple(replace(endpoint, population=population) for endpoint in evidence.endpoints)
    _, brief, section = texts(replace(evidence, endpoints=endpoints))
    assert words in brief.text
    for page, place in ((brief, (1, 0)), (section, (0, 1))):
        (table,) = page.tables.values()
        assert table[place[0]][place[1]] == words.removesuffix(" in")


def test_the_command_for_other_counts_asks_for_what_the_run_asked(evidence):
    results, _, section = texts(replace(evidence, directory=evidence.directory / "my data"))
    base = replace(results.base, level=0.9, priors=(("rho", "Beta(1, 10)"), ("eta", "Normal(0, 1)")),
                   question=replace(results.base.question, tiers="A", without=("g",)))
    told = Page(CHAPTER.section(replace(results, base=base), None)).text
    assert f"'{evidence.directory}/my data' --tiers A --without g --level 0.9 --prior 'rho=Beta(1, 10)' --ev" in told
    assert "predict cr --data" in section.text and "eta=" not in told


def test_without_a_rate_nothing_is_expected(evidence):
    results = results_of(evidence)
    assert not CHAPTER.brief(results, None) and not CHAPTER.section(results, None)
