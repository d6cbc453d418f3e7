"""The page to read: the numbers of each verdict, counted again from the tables."""

import math
import re
from collections import Counter

import pytest

from tests.report.reading import Page
from tests.seen.cells import LABELS
from tests.seen.checking import chosen, limits, numbers, points_say, says, single, value
from tests.seen.facts import ENDPOINTS, STUDIES, table


@pytest.fixture(scope="module")
def told(seen):
    """Text of each section of the page to read, by the chapter that it leads to."""
    source = (seen.folder / "report.html").read_text("utf-8")
    sections = re.findall(r'<section id="([a-z_]+)">(.*?)</section>', source, re.DOTALL)
    return {name: Page(re.sub(r"<table>.*?</table>", "", words, flags=re.DOTALL)).text for name, words in sections}


def test_every_question_has_its_check(told):
    source = open(__file__, encoding="utf-8").read()
    assert told and all(f'told["{name}"]' in source for name in told), list(told)


def computed(seen, file, **cells):
    return chosen(seen.tables[file], status="computed", **cells)


def test_expected(seen, told):
    """The counts that surprise nobody, and the chance of each that is neither central nor far out."""
    row = single(seen.tables["expected.csv"], endpoint="cr", n="20")
    low, high = int(row["unsurprising_low"]), int(row["unsurprising_high"])
    assert f"{LABELS['cr']} in {low} to {high} of 20 would surprise nobody." in told["expected"]
    counts = chosen(seen.tables["expected_counts.csv"], endpoint="cr")
    listed = dict(re.findall(r"(\d+) of 20: (\S+?)[;.] ", told["expected"] + " "))
    assert set(listed) == {count["events"] for count in counts if low - 1 <= int(count["events"]) <= high + 1
                           and not int(row["likely_low"]) <= int(count["events"]) <= int(row["likely_high"])
                           and value(count["two_sided"]) >= 0.01}
    assert all(says(listed[count["events"]], value(count["two_sided"])) for count in counts
               if count["events"] in listed) and listed
    assert "predict" not in told["expected"]
    assert "recart predict cr" in (seen.folder / "details" / "expected.html").read_text("utf-8")


def test_certainty(seen, told):
    """Each endpoint on the line of its words, those about other patients with how many these are."""
    rows = seen.tables["certainty.csv"]
    for row in rows:
        words, other = [row["imprecision"].capitalize(), row["inconsistency"]], row["indirectness"] != "direct"
        words[1] = words[1].replace("not known", "agreement of studies not known")
        start = ", ".join([*words, *([row["indirectness"]] if other else [])])
        (line,) = re.findall(rf"{start}: ([^.]*)\.", told["certainty"])
        patients = f" ({row['indirect_n']}/{row['n_patients']})" if other else ""
        assert f"{LABELS[row['endpoint']]}{patients}" in line.split("; ")
    silent = [row for row in rows if row["missing"] in ("many", "most")]
    assert f"For {len(silent)} endpoint" in told["certainty"]
    last = told["certainty"].rpartition("give no number")[2]
    assert all((LABELS[row["endpoint"]] in last) == (row in silent and len(silent) < len(rows)) for row in rows)


def test_caveats(seen, told):
    """They stand whole on this page; of studies without a number, each published base that is larger."""
    for row in chosen(seen.tables["comparison.csv"], primary="true", subset=""):
        if row["model"] and value(row["published_k"] or "0") > value(row["k_studies"]):
            assert f"{LABELS[row['endpoint']]} {row['k_studies']} of {row['published_k']}" in told["caveats"]


def test_differences(seen, told):
    """Each step of an estimate in per cents that has the first three: the largest is counted, and where it reaches."""
    causes = {"data": "the evidence", "method": "the method", "prior": "the prior",
              "error rule": "how printed survival is read", "shape": "a hazard that may fall"}
    by_id = {}
    for row in seen.tables["decomposition.csv"]:
        if row["unit"] in ("proportion", "probability") and row["step"] in causes:
            by_id.setdefault(row["reported_id"], {})[row["step"]] = value(row["change"])
    every = [steps for steps in by_id.values() if {"data", "method", "prior"} <= set(steps)]
    largest = Counter(causes[max(steps, key=lambda step: abs(steps[step]))] for steps in every)
    words, _, sizes = told["differences"].partition("The largest step is ")[2].partition(". In points ")
    assert {name: int(count) for name, count in re.findall(r"([a-z ]+) in (\d+)", words.replace(", ", ","))
            } == largest
    assert f" of {len(every)} published estimate" in words
    for step, name in causes.items():
        found = re.search(rf"{name}(?: \([^)]*\))?(?: moves them)? by (\S+?)(?: to (\S+?))?[,.]", sizes)
        changes = [steps[step] for steps in every if step in steps]
        assert bool(found) == bool(changes), name
        assert not changes or (points_say(found[1], min(changes)) and points_say(found[2] or found[1], max(changes)))


def test_influence(seen, told):
    rows = computed(seen, "influence.csv")
    named = chosen(rows, named="true")
    assert ("No study is surprising" in told["influence"]) == (not named)
    assert all(f"{row['label']} ({LABELS[row['endpoint']]})" in told["influence"] for row in named)
    found = re.search(r"Of (\d+) predictions about (\S+) would be by chance", told["influence"])
    assert int(found[1]) == len(rows) and says(found[2], sum(value(row["chance_named"]) for row in rows))


def test_benchmarks(seen, told):
    """The numbers of each line, in the order of the table: P(pooled above) and P(new study above)."""
    assert "Nothing here is randomised" in told["benchmarks"]
    source = (seen.folder / "report.html").read_text("utf-8").partition('<section id="benchmarks">')[2]
    lines = re.findall(r"<li>(.*?)\.</li>", source.partition("</section>")[0])
    for line, row in zip(lines, computed(seen, "benchmarks.csv"), strict=True):
        assert line.startswith(LABELS[row["endpoint"]]) and f"({row['benchmark']}): " in line
        above, when = line.partition("above ")[2].partition(" (")[0], f" at {row['time_months']} months, above"
        scale = 1 if row["unit"] == "months" else 100
        assert says(above.partition(",")[0], value(row["high"] or row["low"]), scale=scale)
        assert ("the upper end of" in above) == bool(row["high"]) and (not row["time_months"] or when in line)
        shown = line.rpartition("): ")[2].split("; ")
        wanted = [value(row[name]) for name in ("pooled", "new_study") if row[name]]
        assert len(shown) == 2 and ("no median is worked out" in shown[1]) == (row["unit"] == "months")
        for part, number in zip(shown, wanted, strict=False):
            assert says(part, number) or {">0.999": number > 0.999, "&gt;0.999": number > 0.999,
                                          "&lt;0.001": number < 0.001}[part], (line, row)


def test_missing(seen, told):
    """The rate with each published total, in place of what extremes of the missing studies would make of it."""
    rows, totals = chosen(seen.tables["missing_bounds.csv"], endpoint="cr"), seen.tables["published_totals.csv"]
    head = single(rows, bound="headline")
    assert told["missing"].startswith(f"{head['missing_k']} stud") and LABELS["cr"] in told["missing"]
    parts = told["missing"].partition("change it? ")[2].split("; ")
    for part, row in zip(parts, (head, *totals), strict=True):
        assert says(part.partition("]")[0] + "]", *limits(row), scale=100)
    assert all(f"{row['total_events']}/{row['total_n']}" in part for row, part in zip(totals, parts[1:], strict=True))
    assert "had the event" not in told["missing"]


def test_sensitivity(seen, told):
    rows = [row for row in computed(seen, "sensitivity.csv") if row["dimension"] != "headline"]
    changing = {row["endpoint"] for row in chosen(rows, changes="true")}
    assert f"{len(rows)} refits with one choice changed, or two" in told["sensitivity"]
    assert (f"For {len(changing)} of {len(ENDPOINTS)} endpoints" in told["sensitivity"]) == bool(changing)
    assert all(LABELS[endpoint] in told["sensitivity"] for endpoint in changing)


def test_checks(seen, told):
    rows = computed(seen, "checks.csv")
    assert f"{len(chosen(rows, posterior_within='true'))} of {len(rows)} reports" in told["checks"]
    wide = sum(value(row["posterior_upper"]) - value(row["posterior_lower"]) > 0.5 for row in rows)
    assert f"and {wide} of these ranges" in told["checks"] and "constant hazard" in told["checks"]


def test_validation(seen, told):
    rows = chosen(computed(seen, "validation.csv"), counted="true")
    expected = len(rows) - len(chosen(rows, named="true"))
    assert f"{expected} of {len(rows)} report" in told["validation"]
    assert f"from {len({row['study_id'] for row in rows})} later stud" in told["validation"]


def test_subsets(seen, told):
    rows = computed(seen, "subset_differences.csv")
    apart = [row for row in rows if value(row["difference_lower"]) * value(row["difference_upper"]) > 0]
    assert (f"No clear difference in {len(rows)} comparison" in told["subsets"]) == (not apart)
    clearest = max(apart or rows, key=lambda row: abs(value(row["positive"]) - 0.5))
    assert LABELS[clearest["endpoint"]] in told["subsets"]


def test_regression(seen, told):
    """Of columns that are the same over the studies of an endpoint the first one counts."""
    same = {(pair["endpoint"], pair["other"]) for pair in seen.tables["regression_collinearity.csv"]
            if abs(value(pair["correlation"]) or 0.0) > 1.0 - 1e-9}
    rows = [row for row in chosen(seen.tables["regression.csv"], analysis="one_at_a_time", status="converged")
            if (row["endpoint"], row["covariate"]) not in same]
    held = chosen(rows, prior_conflict="true")
    assert ("our assumption of moderate differences decides" in told["regression"]) == bool(held)
    for row in held:
        crude = [math.exp(value(row["crude_beta"]) + z * value(row["crude_se"])) for z in (0.0, -1.959964, 1.959964)]
        found = re.search(rf"{LABELS[row['endpoint']]} with {row['label']}.*?"
                          r"ratio (\S+ \[.+?\]) by the studies alone, (\S+ \[.+?\]) with the", told["regression"])
        assert says(found[1], *crude) and says(found[2], *limits(row, "ratio_"))
    clear = [row for row in rows if value(row["ratio_lower"]) > 1 or value(row["ratio_upper"]) < 1]
    assert f"of {len(rows)} association" in told["regression"]
    assert ("Too few studies to say" in told["regression"]) == (not clear)
    assert all(f"{row['label']} with {LABELS[row['endpoint']]}" in told["regression"] for row in clear)
    assert "between studies, not between patients" in told["regression"]


def test_evidence(seen, told):
    facts = seen.tables["provenance.csv"]
    against = {row["fact_id"] for row in facts if row["standing"] == "otherwise"}
    assert f"{len({row['fact_id'] for row in facts})} facts, {len(against)} of which say otherwise" in told["evidence"]
    responses, survival = (table(name) for name in ("responses.csv", "survival.csv"))
    with_number = {row["study_id"] for row in (*responses, *survival)}
    assert f"{len(responses) + len(survival)} numbers of {len(with_number)} studies" in told["evidence"]
    assert ("no number" in told["evidence"]) == (len(with_number) < len(STUDIES))
    tiers = [int(count) for count in re.findall(r"Tier [ABC] \((\d+)\)", told["evidence"])]
    assert sum(tiers) == int(re.search(r"(\d+) numbers? of", told["evidence"])[1])


def test_small_studies(seen, told):
    rows = computed(seen, "small_studies.csv", part="regression")
    steep = [row for row in rows if value(row["slope_two_sided"]) < 0.05]
    counts = numbers(told["small_studies"].partition(" endpoint")[0])
    assert counts == ([len(steep), len(rows)] if steep else [len(rows)])
    large = min(value(row["detectable_ratio"]) for row in rows) > 2
    assert ("so few studies would show only large differences" in told["small_studies"]) == large
