"""The page is whole, safe, the same each time, and complete whatever the evidence holds."""

import base64
import hashlib
import html
import posixpath
import re
from dataclasses import replace

import pytest

from analysis.drawing.html import MAX_ROWS, image
from tests.evidence.build import write_evidence
from tests.report.reading import Page
from tests.reporting import drawn, load, page_of, pages_of, pictures_of, project_results, results_of

HOSTILE = "<script>alert(1)</script>\"'& </table>"
SURVIVAL = {"responses": None, "endpoints": "endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n",
            "survival": "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n"
                        "alpha_2019,os,median,,12,8,20,40\nbeta_2021,os,landmark,12,0.6,0.45,0.75,30\n"}


@pytest.fixture(scope="module")
def results():
    return project_results(tiers=("AB", "A"))


@pytest.fixture(scope="module")
def pages(results):
    return pages_of(results, images_of(results))


@pytest.fixture(scope="module")
def source(pages):
    return "".join(pages.values())


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def images_of(results):
    return {picture.name: image("data:image/svg+xml;base64,", picture.alt) for picture in pictures_of(results)}


def portable(path, **tables):
    return results_of(load(write_evidence(path, **tables)))


def test_tags_are_balanced_and_ids_unique(pages):
    for name, text in pages.items():
        page = Page(text)
        assert page.unbalanced == [] and len(page.ids) == len(set(page.ids)) > 0, name


def test_links_lead_somewhere(pages):
    """From page to page and within one; files of the report are led to from the first."""
    ids = {name: set(Page(text).ids) for name, text in pages.items()}
    for name, text in pages.items():
        links = [value for _, key, value in Page(text).attributes if key == "href" and "//" not in value]
        assert links, name
        for link in links:
            file, _, anchor = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
            assert target in ids or target in ("README.md", "answer.csv", "answer.docx"), (name, link)
            assert not anchor or anchor in ids[target], (name, link)


def test_every_page_of_details_is_led_to_from_the_first(pages):
    led = {value for _, name, value in Page(pages["report.html"]).attributes if name == "href"}
    assert set(pages) - {"report.html"} == {link for link in led if link.startswith("details/")}


def test_the_first_page_is_short_and_plain(pages):
    text = Page(pages["report.html"]).text
    assert len(text.split()) < 5000
    assert not re.search(r"Pareto|\brho\b|\bbits?\b|shrunken|\btau\b|\bPIT\b|elpd", text)


def test_nothing_is_loaded_from_anywhere(page, source):
    assert not {"link", "iframe", "object", "embed", "svg"} & set(page.tags)
    loads = [value for tag, name, value in page.attributes if name in ("src", "srcset", "data", "poster")]
    # An image of nothing says where the folder of the details is not beside the page.
    assert loads.count("details/present.svg") == 1
    assert all(value.startswith("data:image/svg+xml;base64,") for value in loads if value != "details/present.svg")


def test_the_one_script_is_the_one_that_the_page_allows(pages):
    for text in pages.values():
        (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in html.unescape(text)
        assert not re.search("fetch|XMLHttp|eval|innerHTML|import", script)


def test_styles_load_nothing(page, source):
    style = source[source.index("<style>"):source.index("</style>")]
    assert "url(" not in style and "@import" not in style
    outside = {value for tag, name, value in page.attributes if "//" in value and not value.startswith("data:")}
    assert all(value.startswith("https://doi.org/") for value in outside)


def test_readers_are_told_the_language_and_what_pictures_show(page):
    assert ("html", "lang", "en") in page.attributes
    assert any(name == "content" and "width=device-width" in value for _, name, value in page.attributes)
    alts = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert len(alts) == page.tags.count("img") == 14
    assert all(len(alt) > 40 for alt in alts)
    assert page.tags.count("table") == page.tags.count("caption")
    assert page.tags.count("h1") == page.tags.count("main")


def test_every_published_number_is_accounted_for_once(results, page):
    cells = [found[1] for caption, rows in page.tables.items() for row in rows[1:]
             if (found := re.fullmatch(r"(R\d+)", row[-1]) or re.search(r", (R\d+)$", row[0]))]
    assert sorted(cells) == sorted(row["reported_id"] for row in results.rows("comparison.csv"))
    assert len(cells) == 33


def test_every_reason_is_given(results, page):
    reasons = {row["reason"] for row in results.rows("comparison.csv") if row["status"] == "not compared"}
    assert reasons and all(reason in page.text for reason in reasons)


def test_every_row_left_out_is_listed(results, page):
    left_out = sum(len(results.headline(endpoint.endpoint).left_out) for endpoint in results.evidence.endpoints)
    assert left_out == sum(len(rows) - 1 for caption, rows in page.tables.items() if "left out" in caption) > 0


def test_the_same_results_give_the_same_page(results, source):
    assert page_of(results, images_of(results)) == source


def test_no_path_of_this_machine_is_printed(results, source):
    assert str(results.evidence.directory) not in source and "/home/" not in source and "/tmp/" not in source


def test_evidence_text_is_never_markup(tmp_path):
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    results = portable(
        tmp_path, studies=f"study_id,label,year\nalpha_2019,{quoted},2019\nbeta_2021,Beta,2021\n",
        endpoints=f"endpoint,label,kind,direction\ncr,{quoted},rate,benefit\n",
        subsets=f"subset,label,column,value\nall,{quoted},,\n")
    pages = pages_of(results, drawn(results, tmp_path / "figures")[0])
    page = Page("".join(pages.values()))
    assert page.unbalanced == [] and page.tags.count("script") == len(pages)
    assert HOSTILE.split("<")[1].split(">")[0] in page.text and "alert(1)" in page.text


def test_without_published_numbers_there_is_no_comparison(tmp_path):
    page = Page(page_of(portable(tmp_path / "evidence")))
    assert "ublished" not in page.text.replace(str(tmp_path), "")
    assert "of the mean rate" in page.text and "95 % prediction" in page.text
    assert page.tags.count("img") == 1 and page.unbalanced == []


def test_survival_alone_is_reported_with_its_conversions(tmp_path):
    page = Page(page_of(portable(tmp_path, **SURVIVAL)))
    assert "Log hazard per person-month of each study, with its standard error" in page.tables
    assert "survival at 12 months" in page.text and "rho" not in " ".join(
        cell for row in page.tables["Overall survival: the headline and the fits beside it"] for cell in row)


def test_the_head_of_raw_estimates_names_every_kind_of_their_intervals(tmp_path):
    """A landmark of 100 % is a count of patients, one of 60 % a log hazard with an error."""
    survival = SURVIVAL["survival"].splitlines()[0] + "\nalpha_2019,os,landmark,12,1,,,40\n" \
        "beta_2021,os,landmark,12,0.6,,,30\n"
    page = Page(page_of(portable(tmp_path, **{**SURVIVAL, "survival": survival})))
    assert "Raw [95 % exact binomial confidence or confidence, from the converted log hazard]" in \
        page.tables["Overall survival: each study, %"][0]


def test_thousands_of_counted_patients_are_written_out(tmp_path):
    """Survival of 100 % of 5,000 and of 50 patients: counts of 3,200 and 32 without the event."""
    survival = SURVIVAL["survival"].splitlines()[0] + "\n" + "".join(
        f"{name},os,landmark,12,1,,,{n}\n" for name, n in (("alpha_2019", 5000), ("beta_2021", 50)))
    page = page_of(portable(tmp_path, **{**SURVIVAL, "survival": survival}))
    assert "0 events / 3,200 patients by 12 months" in page and "0 events / 32 patients by 12 months" in page


def test_a_failed_headline_has_a_banner_and_no_posterior_number(tmp_path):
    good = results_of(load(write_evidence(tmp_path)))
    bad = results_of(load(write_evidence(tmp_path)), failing=[("cr", "all")])
    number = f"{100 * good.headline('cr').estimates[0]['median']:.0f} ["
    assert number in Page(page_of(good)).text.replace(" %", "")
    page, raw = Page(page_of(bad)), page_of(bad)
    assert 'class="banner"' in raw and "NOT CONVERGED: " in page.text
    studies = page.tables["Complete remission: each study, %"]
    assert [row[-1] for row in studies[1:]] == ["NOT CONVERGED"] * 2
    assert number not in page.text.replace(" %", "")


def test_a_failure_beside_the_headline_is_named_mildly():
    page_source = page_of(project_results(failing=[("pfs", "adult_only")]))
    assert 'class="banner mild"' not in page_source and 'class="banner"' in page_source
    results = project_results(tiers=("AB", "A"))
    records = tuple(replace(found, status="NOT CONVERGED", estimates=()) if found.job.question.tiers == "A"
                    and found.job.question.endpoint == "cr" else found for found in results.records)
    assert 'class="banner mild"' in page_of(replace(results, records=records))


def test_failures_come_first_among_the_diagnostics():
    page = Page(page_of(project_results(failing=[("os", "all")])))
    rows = page.tables["Worst value over all reported quantities of each fit"]
    assert rows[1][1].startswith("NOT CONVERGED: divergences 3") and rows[1][0].startswith("Overall survival")
    assert rows[2][1] == "converged"


def test_a_quick_run_says_so_first(tmp_path):
    page = Page(page_of(results_of(load(write_evidence(tmp_path)), stamp="QUICK")))
    assert page.text.index("QUICK") < page.text.index("mean rate")
    assert "--quick" in page.text


def test_an_endpoint_whose_sampler_failed_is_still_named(tmp_path):
    results = results_of(load(write_evidence(tmp_path)))
    headline = results.headline("cr")
    broken = replace(headline, status="NOT CONVERGED", k_studies=0, n_patients=0, estimates=(), studies=(),
                     priors={}, diagnostics={"status": "NOT CONVERGED", "failures": "no finite starting point"})
    page = Page(page_of(replace(results, records=(broken, *results.records[1:]))))
    assert "endpoint-cr" in page.ids and "NOT CONVERGED: no finite starting point" in page.text
    assert page.unbalanced == []


def test_fits_with_other_priors_or_sets_are_told_apart():
    results = project_results()
    found = results.headline("cr")
    other = replace(found, priors={**found.priors, "rho": "Beta(1, 10)"})
    wider = replace(found, job=replace(found.job, question=replace(found.job.question, study_set="all")))
    page = Page(page_of(replace(results, records=(*results.records, other, wider))))
    fits = [row[1] for row in page.tables["Complete remission (CR or CRi): the headline and the fits beside it"]]
    assert "rho ~ Beta(1, 10)" in fits and "set all" in fits


def test_a_long_table_says_how_much_is_not_shown(tmp_path):
    many = MAX_ROWS + 25
    results = portable(
        tmp_path, studies="study_id,label,year\n" + "".join(f"s_{at},Study {at},2020\n" for at in range(many)),
        responses="study_id,endpoint,events,n\n" + "".join(f"s_{at},cr,3,9\n" for at in range(many)))
    page = Page(page_of(results))
    rows = page.tables["Complete remission: each study, %"]
    assert len(rows) == 1 + MAX_ROWS + 1 and rows[-1][0].startswith("25 more rows")


def test_the_handling_of_survival_and_the_risk_of_bias_are_shown_where_they_are_known(tmp_path):
    conversions, studies = "Log hazard per person-month of each study, with its standard error", "{}: each study, %"
    plain = Page(page_of(portable(tmp_path / "plain", **SURVIVAL)))
    columns = {"Censored at transplant", "Non-responders", "Risk of bias"}
    assert not columns & {*plain.tables[conversions][0], *plain.tables[studies.format("Overall survival")][0]}
    assert "censored at a transplant" not in plain.text
    header, first, second = SURVIVAL["survival"].splitlines()
    survival = f"{header},censored_at_hct,non_responders\n{first},FALSE,\n{second},,event at 0\n"
    biased = "study_id,label,year,risk_of_bias\nalpha_2019,Alpha 2019,2019,Serious\nbeta_2021,Beta 2021,2021,\n"
    known = portable(tmp_path / "known", **{**SURVIVAL, "survival": survival, "studies": biased})
    page = Page(page_of(known))
    head, *rows = page.tables[conversions]
    assert [[row[head.index(name)] for name in sorted(columns)[:2]] for row in rows] == [
        ["false", ""], ["", "event at 0"]]
    head, *rows = page.tables[studies.format("Overall survival")]
    assert [row[head.index("Risk of bias")] for row in rows] == ["serious", ""]
    assert "censored at a transplant is known for 1/2 studies. What non-responders counted as is" in page.text
    (record,) = (record for record in known.records if record.job.question.subset == "all")
    assert [(row["censored_at_hct"], row["non_responders"]) for row in record.conversions] == [
        ("false", ""), ("", "event at 0")]
