"""The page that says where each number comes from, against the tables of the evidence read by hand."""

import re
from collections import Counter
from dataclasses import replace
from urllib.parse import unquote

import openpyxl
import pytest

from analysis.chapters.evidence import CHAPTER, _agreeing
from analysis.chapters.evidence.rows import ELSE, OTHERWISE, SAME, standing
from analysis.drawing.html import EVIDENCE, cited, row_anchor, study_link
from analysis.evidence.loading import load
from analysis.results.writing import Labels
from tests.evidence.build import FULL, write_evidence, write_files
from tests.report.reading import Page, csv_rows
from tests.reporting import PROJECT_DATA, page_of, project_results, results_of, with_tables

HOSTILE = "<script>alert(1)</script>\"'& </table>"


def table(name, folder=PROJECT_DATA):
    return csv_rows(folder / name)


def section_of(results):
    return str(CHAPTER.section(results, None))



@pytest.fixture(scope="module")
def results():
    return project_results()


@pytest.fixture(scope="module")
def source(results):
    return section_of(results)


@pytest.fixture(scope="module")
def texts(source):
    """What stands between an anchor and the next one, folds included, and what is open alone."""
    parts = re.split(r'<div id="(row-[^"]+)">', source)
    whole = dict(zip(parts[1::2], (part.partition("</section>")[0] for part in parts[2::2]), strict=True))
    return {anchor: (part, part.partition("<details>")[0]) for anchor, part in whole.items()}


def test_each_number_of_the_tables_stands_at_its_anchor_with_its_decision_and_facts(texts):
    facts, sources = ({row[key]: row for row in table(name)} for name, key in (
        ("extraction.csv", "fact_id"), ("sources.csv", "source_id")))
    for name in ("responses.csv", "survival.csv"):
        for line, row in enumerate(table(name), 2):
            whole, opened = texts[f"row-{row['study_id']}--{row['endpoint']}"]
            opened = " ".join(Page(f"<div>{opened}</div>").text.split())
            said = (f"{row['events']}/{row['n']}," if name == "responses.csv" else
                    f"{float(row['estimate']):g} months" if row["statistic"] == "median" else
                    f"{100 * float(row['estimate']):g} % at {float(row['time_months']):g} months")
            assert f": {said}" in opened or f": median {said}" in opened, (row, opened)
            assert " ".join(row["decision"].split()) in opened and f"tier {row['tier']}" in opened
            assert f"{name} line {line}" in opened
            for fact_id in row["fact_ids"].split():
                fact = facts[fact_id]
                place, doi = fact["locator"], sources[fact["source_id"]]["doi"]
                assert fact_id in whole and place.split("'")[0].split("&")[0] in whole, (row, fact)
                assert not doi or f"https://doi.org/{doi}" in unquote(whole).replace("&amp;", "&")


def test_every_fact_of_the_ledger_is_on_the_page_and_in_the_file(results, source):
    ids = {row["fact_id"] for row in table("extraction.csv")}
    assert ids == set(re.findall(r"F\d{4}(?=</td>|\))", source))
    assert ids == {row["fact_id"] for row in CHAPTER.finish(results)["provenance.csv"]}


def test_links_of_studies_lead_to_their_numbers(results):
    page = Page(page_of(results) + section_of(results))
    targets = [value.partition("#") for _, name, value in page.attributes if name == "href" and EVIDENCE in value]
    assert len({anchor for _, _, anchor in targets}) > 100 and {place for place, _, _ in targets} == {
        EVIDENCE, f"details/{EVIDENCE}"}
    assert {anchor for _, _, anchor in targets} - {""} <= set(page.ids)


def test_links_within_the_page_lead_somewhere_and_no_other_place_is_linked_than_doi(source):
    page = Page(source)
    links = {value for _, name, value in page.attributes if name == "href"}
    assert {value[1:] for value in links if value.startswith("#")} <= set(page.ids) and page.unbalanced == []
    assert all(value.startswith(("#", "https://doi.org/10.", "missing.html")) for value in links)
    assert len(page.ids) == len(set(page.ids))


def test_what_contradicts_stands_open(texts):
    """Notes of the ledger call them contradictions, for a base that is the decision's or not stated."""
    shown = 0
    cells = {(row["study_id"], row["endpoint"]): row for row in table("responses.csv")}
    for fact in table("extraction.csv"):
        row = cells.get((fact["study_id"], fact["endpoint"]))
        if row and re.match(r"Conflicts|CR or CRi. Contradicts", fact["note"]) and fact["population"].partition(
                ":")[0] in ("", "not_stated", row["population"]):
            assert fact["fact_id"] in texts[row_anchor(row["study_id"], row["endpoint"])][1], fact
            shown += 1
    assert shown >= 5


def test_the_published_arithmetic_has_every_check_once(source):
    page = Page(source)
    checks = [row[-1] for caption, rows in page.tables.items() for row in rows[1:] if re.fullmatch(r"C\d\d", row[-1])]
    assert sorted(checks) == sorted(row["check_id"] for row in table("audit.csv"))
    for verdict, count in Counter(row["verdict"] for row in table("audit.csv")).items():
        assert f"<summary>{count} {verdict.replace('_', ' ')}</summary>" in source


LINE = load(PROJECT_DATA).responses[0]
COUNT = replace(LINE, events=23, n=53, population="all_treated")
FACT = next(fact for fact in load(PROJECT_DATA).facts if fact.fact_id == LINE.fact_ids[0])


@pytest.mark.parametrize(("quantity", "value", "base", "population", "found"), [
    ("events", "23", 53, "all_treated", SAME), ("events", "23", None, "", SAME),
    ("events", "24", 53, "all_treated", OTHERWISE), ("events", "23", 52, "not_stated", OTHERWISE),
    ("events", "20", 44, "responders", ELSE), ("events", "24", 53, "evaluable: all", ELSE),
    # 23/53 is 43.396 %.
    ("percent", "43", None, "not_stated", SAME), ("percent", "43.4", 53, "all_treated", SAME),
    ("percent", "44", 53, "all_treated: as printed", OTHERWISE), ("percent", "43.3", 53, "all_treated", OTHERWISE),
    ("text", "about half", None, "all_treated", ELSE), ("median_months", "23", 53, "all_treated", ELSE)])
def test_a_fact_beside_a_count(quantity, value, base, population, found):
    number = float(value) if value[0].isdigit() else None
    fact = replace(FACT, quantity=quantity, value=number, value_text=value, denominator=base, population=population)
    assert standing(COUNT, fact) == found
    assert standing(COUNT, replace(fact, endpoint="another")) == ELSE


MEDIAN = replace(next(row for row in load(PROJECT_DATA).survival if row.statistic == "median"), endpoint=LINE.endpoint,
                 estimate=12.91, ci_low=8.7, ci_high=23.4, n=53, population="all_treated")
LANDMARK = replace(MEDIAN, statistic="landmark", time_months=12.0, estimate=0.483, ci_low=None, ci_high=None)


@pytest.mark.parametrize(("line", "quantity", "value", "time", "limits", "found"), [
    (MEDIAN, "median_months", "12.9", None, (8.7, 23.4), SAME),
    (MEDIAN, "median_months", "12.9", None, (9, None), SAME),
    (MEDIAN, "median_months", "12.9", None, (8.7, 24.4), OTHERWISE),
    (MEDIAN, "median_months", "12.5", None, (), OTHERWISE), (MEDIAN, "probability_percent", "12.91", 12.0, (), ELSE),
    (LANDMARK, "probability_percent", "48", 12.0, (), SAME),
    (LANDMARK, "probability_percent", "49", 12.0, (), OTHERWISE),
    (LANDMARK, "probability_percent", "48", 24.0, (), ELSE)])
def test_a_fact_beside_a_statistic_of_survival(line, quantity, value, time, limits, found):
    low, high = limits or (None, None)
    assert standing(line, replace(FACT, quantity=quantity, value=float(value), value_text=value, time_months=time,
                                  denominator=53, ci_low=low, ci_high=high, population="all_treated")) == found


def test_a_contradiction_added_to_the_ledger_stands_open_at_its_row_only(tmp_path):
    added = "F0900,park_2018,cr,events,40,53,,,,all_treated,grover_2022,Table 9,false,high,\n"
    before, after = (section_of(results_of(load(write_files(tmp_path / name, FULL | {
        "extraction.csv": FULL["extraction.csv"] + more})))) for name, more in (("one", ""), ("two", added)))
    assert "Says otherwise" not in before and after.count("Says otherwise") == 1 and "40 of 53" in after
    start = after.index('id="row-park_2018--cr"')
    assert start < after.index("40 of 53") < after.index("<details>", start)


def test_only_studies_with_a_number_are_counted_as_its_source(tmp_path):
    """The brief of three studies of which all have a number, and of four of which one has none."""
    more = FULL | {"studies.csv": FULL["studies.csv"] + "new_2021,New 2021,2021,9,adult,CD19,true,prospective,50,\n"}
    whole, told = (Page(CHAPTER.brief(with_tables(results, CHAPTER.finish(results)), None)).text for results in (
        results_of(load(write_files(tmp_path / name, files))) for name, files in (("all", FULL), ("more", more))))
    assert "9 numbers of 3 studies, each with" in whole and "no number" not in whole
    assert "9 numbers of 3 studies, each with" in told and "1 further study has no number." in told


def test_numbers_without_a_fact_are_not_said_to_have_a_source():
    results = project_results()
    few = tuple(fact for fact in results.evidence.facts if fact.study_id == "park_2018")
    results = replace(results, evidence=replace(results.evidence, facts=few))
    told = Page(CHAPTER.brief(with_tables(results, CHAPTER.finish(results)), None)).text
    lines = [row for name in ("responses.csv", "survival.csv") for row in table(name)]
    stated = {row["endpoint"] for row in table("extraction.csv") if row["study_id"] == "park_2018"}
    cited = {fact.fact_id for fact in few}
    sourced = sum(row["study_id"] == "park_2018" and row["endpoint"] in stated or not cited.isdisjoint(
        re.split(r"[ ;]+", row["fact_ids"])) for row in lines)
    assert 0 < sourced < len(lines) and f", {sourced} of them with source and place: " in told


@pytest.mark.parametrize(("facts", "same", "words"), [
    (1, 1, "1 fact, which agrees"), (1, 0, "1 fact, of something else"), (2, 2, "2 facts, all of which agree"),
    (3, 2, "3 facts, 2 of which agree"), (3, 1, "3 facts, 1 of which agrees"), (3, 0, "3 facts, none of which agrees")])
def test_facts_that_agree_are_counted_in_words(facts, same, words):
    assert _agreeing(facts, same) == words


def test_no_key_is_left_where_a_label_stands_for_it(source):
    """Of sources, studies and endpoints; ids of facts and names of files are no such keys."""
    text = Page(source).text
    keys = {row[0] for name in ("sources.csv", "studies.csv") for row in map(list, map(dict.values, table(name)))}
    assert [key for key in keys if re.search(rf"(?<![\w/.-]){re.escape(key)}(?![\w/-])", text)] == []
    assert not re.search(r"(?<![\w./:-])[a-z0-9]+(?:_[a-z0-9]+)+(?![\w/:-])", text)
    assert "of 53 (MRD-negative remission)" in text


def test_anchors_of_ids_with_hyphens_are_apart():
    assert row_anchor("a-b", "c") != row_anchor("a", "b-c")
    labels = Labels(studies={"a": "A"}, known={("a", "cr")})
    assert study_link("A", labels, {"study_id": "a", "endpoint": "cr"}) == '<a href="evidence.html#row-a--cr">A</a>'
    assert study_link("<A>", labels, {"study_id": "a", "endpoint": "os"}, "details/") \
        == '<a href="details/evidence.html#study-a">&lt;A&gt;</a>'
    assert study_link("A", labels, {"study_id": "b", "endpoint": "cr"}) == "A" == study_link("A", labels, {})


@pytest.mark.parametrize(("doi", "link"), [
    ("10.1/a(b)<c>", "https://doi.org/10.1/a%28b%29%3Cc%3E"), ("https://doi.org/10.1/x", "https://doi.org/10.1/x"),
    ("doi: 10.1/x", "https://doi.org/10.1/x"), ('javascript:10."><script>', "https://doi.org/10.%22%3E%3Cscript%3E")])
def test_links_go_to_doi_alone(doi, link):
    assert f'href="{link}"' in cited("A citation", doi)


def test_no_text_of_the_evidence_is_markup(tmp_path):
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    files = FULL | {
        "studies.csv": FULL["studies.csv"].replace("Park 2018", quoted).replace('"two strata, printed apart"', quoted),
        "responses.csv": FULL["responses.csv"].replace("Stated in the abstract.", quoted),
        "sources.csv": f'source_id,citation,doi,pmid,url,kind\ngrover_2022,{quoted},,,javascript:alert(1),press\n',
        "extraction.csv": FULL["extraction.csv"].replace("Table 1,false,high,", f"{quoted},false,high,{quoted}"),
        "audit.csv": f"check_id,statement,locator,recomputed,verdict,comment\n{quoted},{quoted},a,b,{quoted},c\n",
        "gaps.csv": f"study_id,endpoint,known,look_up\nhay_2019,cr,{quoted},\nhay_2019,,{quoted},\n"}
    page = Page(section_of(results_of(load(write_files(tmp_path, files)))))
    assert page.unbalanced == [] and "script" not in page.tags and page.text.count("alert(1)") > 8
    links = [value for _, name, value in page.attributes if name == "href"]
    assert links and all(value.startswith(("#", EVIDENCE)) for value in links)
    assert {value[1:] for value in links} <= set(page.ids)


def test_evidence_without_a_ledger_says_what_there_is_and_no_more(tmp_path):
    text = Page(section_of(results_of(load(write_evidence(tmp_path))))).text
    assert "Complete remission: 8/10. Alpha 2019, responses.csv line 2" in text
    assert not [word for word in ("tier", "Tier", "why", "otherwise", "fact", "ource", "arithmetic", "review")
                if word in text]


def test_a_spreadsheet_is_named_with_its_line(tmp_path):
    book, path = openpyxl.Workbook(), tmp_path / "mine.xlsx"
    for row in (["study", "endpoint", "events", "n"], ["One", "CR", 3, 9], ["Two", "CR", 4, 8]):
        book.active.append(row)
    book.save(path)
    text = Page(section_of(results_of(load(path)))).text
    assert "CR: 4/8. Two, mine.xlsx line 3" in text and "responses.csv" not in text


def test_a_median_that_was_not_reached_and_patients_one_by_one_are_told(tmp_path):
    data = write_evidence(tmp_path, endpoints="endpoint,label,kind,direction\nos,Survival,survival,benefit\n",
                          responses=None, survival="study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,"
                          "upper_not_reached,n\nalpha_2019,os,median,20,,,,true,30\n",
                          patients="study_id,endpoint,months,status\nbeta_2021,os,3,event\nbeta_2021,os,9,censored\n")
    text = Page(section_of(results_of(load(data)))).text
    assert "Survival: median not reached in 20 months, n = 30, not in the headline fit" in text
    assert "Survival: 1 events in 12 person-months, patient by patient, n = 2. Beta 2021, patients.csv line 2" in text
