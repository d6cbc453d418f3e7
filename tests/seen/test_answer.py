"""The first words of the page: its cards, its sentences on the published numbers and on the preferred hazard."""

import re

import docx

from analysis.cases.curves import CENSORING
from analysis.results.simulated import record
from tests.seen.captions import headline_row
from tests.seen.cells import LABELS
from tests.seen.checking import limits, points_say, says, single, value
from tests.seen.facts import ENDPOINTS, REPORTED, STUDIES


def test_sentences_of_the_answer(seen, page):
    rows = [row for row in seen.tables["comparison.csv"] if row["model"] and row["primary"] == "true"
            and row["published_lower"]]
    both, rows = rows, [row for row in rows if row["reported_id"] != "R05"]
    inside = sum(value(row["lower"]) <= value(row["published"]) <= value(row["upper"]) for row in rows)
    widths = [value(row["width_ratio"]) for row in rows if row["width_ratio"]]
    wider = sum(width > 1 for width in widths)
    fewer = sum(bool(row["published_k"]) and value(row["published_k"]) > value(row["k_studies"]) for row in rows)
    shown = "All" if inside == len(rows) else inside
    assert f"{shown} of the {len(rows)} published pooled estimates that answer the same question" in page.text
    assert f"wider in {wider} of {len(widths)}, and ours rests on fewer studies in {fewer}." in page.text
    for unit, scale, name in (("probability", 100, "percentage points"), ("months", 1, "months")):
        sizes = [value(row["difference"]) for row in both if row["units"] == unit]
        part = re.search(rf"differ from them by .*?([+−\d.]+)(?: to ([+−\d.]+))? {name}", page.text)
        assert points_say(part[1], min(sizes), scale) and points_say(part[2] or part[1], max(sizes), scale)
    assert len(REPORTED) == len(seen.tables["comparison.csv"])
    falling = {(row["endpoint"], row["subset"], row["estimand"], row["time_months"]): value(row["median"])
               for row in seen.tables["survival_curves.csv"] if row["model"] == "weibull"}
    for unit, scale, name in (("probability", 100, "percentage points"), ("months", 1, "months")):
        sizes = [falling[key] - value(row["published"]) for row in both if row["units"] == unit for key in [
            (row["our_endpoint"], row["subset"] or "all", row["estimand"], row["time_months"])] if key in falling]
        part = re.search(rf"the preferred reading differs by .*?([+−\d.]+)(?: to ([+−\d.]+))? {name}", page.text)
        assert points_say(part[1], min(sizes), scale) and points_say(part[2] or part[1], max(sizes), scale)


def test_the_first_words_say_how_many_of_the_studies_have_a_number(seen, page):
    headlines = [row for row in seen.tables["studies.csv"] if row["subset"] == "all" and row["tiers"] == "AB"]
    used = {row["study_id"] for row in headlines}
    asked = [row for row in STUDIES.values() if row["in_review"] == "true" and row["design"] == "prospective"]
    first = f"{len(used)} of {len(asked)}" if len(used) < len(asked) else f"{len(used)}"
    assert f"{first} studies with" in page.text


def test_a_page_of_survival_begins_with_the_preferred_reading(seen):
    words = re.sub(r"<[^>]+>", "", (seen.folder / "details" / "endpoint-os.html").read_text("utf-8"))
    preferred = single(seen.tables["answer.csv"], hazard="falling", estimand="survival", time_months="12")
    found = re.search(r"the preferred reading: (.*?) at 12 months .*? of the comparison: (.*?)\.\n", words)
    for text, row in ((found[1], preferred), (found[2], headline_row(seen, "os"))):
        assert says(text, *limits(row), scale=100)
    assert "Overall survival: what single studies, later studies" in (seen.folder / "report.html").read_text("utf-8")


def test_the_word_table_has_both_readings_of_survival(seen):
    (table,) = docx.Document(seen.folder / "answer.docx").tables
    rows = {row.cells[0].text: row.cells for row in table.rows}
    preferred = single(seen.tables["answer.csv"], hazard="falling", estimand="survival", time_months="12")
    for reading, numbers in (("hazard may fall (preferred)", preferred), ("constant hazard", headline_row(seen, "os"))):
        cells = rows[f"{LABELS['os']}, survival at 12 months, {reading}"]
        assert says(cells[2].text, *limits(numbers), scale=100)
        assert bool(cells[3].text) == (reading == "constant hazard")


def test_cards(seen, page):
    """The large numbers at the top: each endpoint with its preferred and its published number."""
    first = (seen.folder / "report.html").read_text("utf-8")
    cards = re.findall(r'<div class="card [a-z]+">(.*?)</div>', first, re.DOTALL)
    by_label = {re.search(r"<a[^>]*>(.*?)</a>", card)[1]: card for card in cards}
    assert set(by_label) == {LABELS[endpoint] for endpoint in ENDPOINTS} and len(cards) == len(ENDPOINTS)
    for endpoint in ENDPOINTS:
        card, ours = by_label[LABELS[endpoint]], headline_row(seen, endpoint)
        plain_text, survival = re.sub(r"<[^>]+>", " ", card), endpoint == "os"
        preferred = single(seen.tables["answer.csv"], hazard="falling", estimand="survival",
                           time_months="12") if survival else ours
        for name, row in (("big", preferred), ("constant", ours)):
            words_ = re.search(rf'class="{name}">(.*?)</p>', card)
            assert bool(words_) == (name == "big" or survival)
            assert not words_ or says(re.sub(r"<[^>]+>", " ", words_[1]).rpartition(": ")[2], *limits(row), scale=100)
        assert f"{ours['k_studies']} studies" in plain_text and f"{ours['n_patients']} patients" in plain_text
        identity = {"cr": "R01", "os": "R04"}.get(endpoint)
        published = re.search(r'class="published">(.*?)</p>', card)
        assert bool(published) >= bool(identity)
        if identity:
            printed = single(seen.tables["comparison.csv"], reported_id=identity)
            shown = [value(printed[name]) for name in ("published", "published_lower", "published_upper")]
            assert says(published[1].partition(";")[0], *shown, scale=100), published[1]


def test_the_preference_says_what_the_simulation_said(seen, page):
    def of(method: str, start: str = "") -> list[dict[str, str]]:
        return [row for row in record()["rows"] if row["method"] == method and row["law"].startswith(start)
                and row["quantity"] == "survival at 24 months" and row["factor"] in (None, CENSORING)]

    def biases(*arguments: str) -> list[float]:
        return [100 * float(row["bias"]) for row in of(*arguments)]

    found = re.search(
        r"\((\d+) sets in each of (\d+) worlds\) it is off by at most (\S+) points at 24 months .*? at most (\S+) "
        r"where the hazard is constant, but (\S+) to (\S+) too low where it falls, its 95 % interval holding the "
        r"truth in (\d+) to (\d+) % of sets\. Here it falls with probability ([\d.]+) \(Overall survival\)", page.text)
    assert int(found[1]) == min(row["sets"] for row in of("weibull")) and int(found[2]) == len(of("weibull"))
    low = sorted(-bias for bias in biases("log_hazard", "falling"))
    held = sorted(100 * float(row["coverage"]) for row in of("log_hazard", "falling"))
    for text, wanted in zip(found.groups()[2:8], (max(map(abs, biases("weibull"))), max(map(abs, biases(
            "log_hazard", "constant"))), low[0], low[-1], held[0], held[-1]), strict=True):
        assert says(text, wanted), (text, wanted)
    shape = single(seen.tables["survival_curves.csv"], subset="all", model="weibull", estimand="shape")
    assert says(found[9], value(shape["probability_falling"]))
