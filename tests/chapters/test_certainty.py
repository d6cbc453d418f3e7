"""What limits each number: words follow from numbers by the declared thresholds, and flip where they do."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.chapters.certainty import CHAPTER
from analysis.chapters.certainty.rows import CERTAINTY, FEWEST, THRESHOLDS, certainty_rows, limits_ratio
from analysis.evidence.loading import load
from analysis.results.numbers import interval_text, number
from tests.evidence.build import MINIMAL, write_evidence
from tests.report.reading import Page, csv_rows
from tests.reporting import PROJECT_DATA, page_of, results_of, with_tables

STUDIES = "study_id,label,year,cohort,in_review\n" + "".join(
    f"s{at},Study {at},2019,{'combined' if at == 1 else 'adult'},{at < 9}\n" for at in range(10))
COUNTS = "study_id,endpoint,events,n,population\n" + "".join(
    f"s{at},cr,{8 + at},20,{'evaluable' if at == 2 else 'all_treated'}\n" for at in range(6))
CURVES = ("study_id,endpoint,definition,statistic,time_months,estimate,ci_low,ci_high,n\n"
          "s0,os,OS,landmark,4,0.7,,,30\ns3,os,OS,landmark,12,0.5,,,50\ns4,os,RFS,median,,9,,,20\n")
SPREAD = ("spread", "spread_lower", "spread_upper")
ENDPOINTS = MINIMAL["endpoints.csv"] + "os,Survival,survival,benefit\n"


def results(folder, *, endpoint="cr", **estimates):
    """Results of which the headline of one endpoint has other estimates: cells by estimand."""
    evidence = load(write_evidence(folder, studies=STUDIES, endpoints=ENDPOINTS, responses=COUNTS, survival=CURVES))
    known = results_of(evidence)
    headline = known.headline(endpoint)
    rows = tuple({**row, **estimates.get(row["estimand"], {})} for row in headline.estimates)
    return replace(known, records=tuple(replace(one, estimates=rows) if one is headline else one
                                        for one in known.records))


def row_of(folder, **options):
    wanted = options.get("endpoint", "cr")
    return next(row for row in certainty_rows(results(folder, **options))[CERTAINTY.file] if row["endpoint"] == wanted)


# Odds of 1/2 and 2 are a ratio of 4, of 1/5 and 5 one of 25.
@pytest.mark.parametrize(("lower", "upper", "word"), [
    (1 / 3 + 1e-6, 2 / 3, "precise"), (1 / 3 - 1e-6, 2 / 3, "imprecise"), (1 / 6 + 1e-6, 5 / 6, "imprecise"),
    (1 / 6 - 1e-6, 5 / 6, "very imprecise"), (0.0, 0.01, "very imprecise"), (0.001, 0.003, "precise")])
def test_precision_is_a_ratio_of_odds_so_that_rare_events_are_judged_alike(tmp_path, lower, upper, word):
    row = row_of(tmp_path, mean_rate={"lower": lower, "upper": upper})
    assert row["imprecision"] == word
    if lower:
        assert limits_ratio(lower, upper) == pytest.approx(upper / (1 - upper) / (lower / (1 - lower)))
    else:
        assert row["limits_ratio"] is None


@pytest.mark.parametrize(("tau", "lower", "upper", "word"), [
    (0.49, 0.01, 0.5, "consistent"), (0.49, 0.01, 0.51, "probably consistent"),
    (0.51, 0.5, 0.9, "probably inconsistent"), (0.51, 0.501, 3.0, "inconsistent"),
    (1.01, 1.0, 3.0, "probably very inconsistent"), (1.01, 1.001, 3.0, "very inconsistent")])
def test_heterogeneity_of_survival_is_named_by_tau_and_its_interval(tmp_path, tau, lower, upper, word):
    row = row_of(tmp_path, endpoint="os", tau={"median": tau, "lower": lower, "upper": upper})
    assert (row["inconsistency"], row["spread"], row["spread_lower"], row["spread_upper"]) == (word, tau, lower, upper)


def test_heterogeneity_of_rates_is_the_standard_deviation_of_the_log_odds(tmp_path):
    """Against draws of the beta distribution: 400,000 leave 0.1 % of a standard deviation, times four."""
    words = set()
    for mean, *ends in ((0.8, 0.02, 0.001, 0.03), (0.8, 0.05, 0.02, 0.1), (0.15, 0.2, 0.05, 0.4)):
        rho_ends = dict(zip(("median", "lower", "upper"), ends, strict=True))
        row = row_of(tmp_path, mean_rate={"median": mean}, rho=rho_ends)
        for name, rho in zip(SPREAD, ends, strict=True):
            kappa = 1 / rho - 1
            drawn = stats.beta(mean * kappa, (1 - mean) * kappa).rvs(400_000, random_state=1)
            assert row[name] == pytest.approx(np.log(drawn / (1 - drawn)).std(), rel=0.005)
        words.add(row["inconsistency"])
    assert words == {"consistent", "probably inconsistent", "probably very inconsistent"}


@pytest.mark.parametrize(("reported", "missing"), [(True, "most"), (False, "most"), (True, "few")])
def test_the_brief_names_each_side_that_is_not_fine(tmp_path, reported, missing):
    known = results(tmp_path)
    shared = {"k_studies": 6, "n_patients": 120, "eligible_k": 9, "missing_k": 3, "missing": missing,
              "limits_ratio": 3.0, "indirect_n": 10, "spread": 0.3, "inconsistency": "consistent"}
    rows = [{**shared, "endpoint": "os", "imprecision": "imprecise", "indirectness": "indirect", "indirect_n": 80},
            {**shared, "endpoint": "cr", "imprecision": "precise", "indirectness": "direct", "missing": "few"}]
    published = load(PROJECT_DATA).reported[:1] if reported else ()
    known = replace(known, evidence=replace(known.evidence, reported=published))
    told = Page(CHAPTER.brief(with_tables(known, {CERTAINTY.file: rows}), None)).text
    assert "Precise, consistent: Complete remission. Imprecise, consistent, indirect: Survival (80/120)." in told
    assert ("whether or not a published number rests on them" in told) == (reported and missing == "most")
    assert told.endswith("give no number: Survival." if missing == "most" else "For 0 endpoints many or most of all "
                         "eligible studies give no number.")


def test_patients_who_answer_indirectly_are_counted_once(tmp_path):
    """Children perhaps in s1 and another base in s2; 4 months of s0 extrapolated and s4 counted from remission."""
    row = row_of(tmp_path)
    assert (row["indirect_n"], row["n_patients"], row["indirectness"]) == (40, 120, "partly indirect")
    row = row_of(tmp_path, endpoint="os")
    assert (row["indirect_n"], row["n_patients"], row["indirectness"]) == (50, 100, "partly indirect")


def test_studies_of_the_review_without_a_number_are_missing(tmp_path):
    row = row_of(tmp_path)
    assert (row["missing_k"], row["eligible_k"], row["missing"]) == (3, 9, "many")
    row = row_of(tmp_path, endpoint="os")
    assert (row["missing_k"], row["eligible_k"], row["missing"]) == (6, 9, "most")


def test_each_word_has_its_side_of_each_limit():
    for rule in THRESHOLDS.values():
        assert [rule.word(value) for value in (0.0, rule.low, rule.high, 2 * rule.high)] == [
            rule.words[0], rule.words[0], rule.words[1], rule.words[2]]


def test_with_too_few_studies_heterogeneity_is_not_known_and_nothing_is_said_of_a_failed_fit(tmp_path):
    evidence = load(write_evidence(tmp_path))
    (row,) = certainty_rows(results_of(evidence))[CERTAINTY.file]
    assert row["k_studies"] < FEWEST and (row["inconsistency"], row["spread"]) == ("not known", None)
    failed = results_of(evidence, failing=[("cr", "all")])
    assert certainty_rows(failed)[CERTAINTY.file] == [] and "GRADE" not in page_of(failed)


def test_the_page_shows_each_row_of_the_file_and_every_threshold(tmp_path):
    known = results(tmp_path / "data")
    known = with_tables(known, certainty_rows(known))
    rows = csv_rows(known.tables[CERTAINTY.file].write(tmp_path))
    page = Page(page_of(known))
    (caption,) = (name for name in page.tables if "not a GRADE rating" in name)
    head, *lines = page.tables[caption]
    assert head[0] == "Endpoint" and len(lines) == len(rows) == 2
    for line, row in zip(lines, rows, strict=True):
        assert line[1:] == [f"{row['imprecision']} ({number(float(row['limits_ratio']), '')})",
                            f"{row['inconsistency']} ({interval_text(*(float(row[name]) for name in SPREAD), '1')})",
                            f"{row['indirectness']} ({row['indirect_n']}/{row['n_patients']})",
                            f"{row['missing']} ({row['missing_k']}/{row['eligible_k']})"]
    for rule in THRESHOLDS.values():
        # Children and remission are spoken of where the evidence does.
        number_of = re.escape(f"{rule.label}, {rule.of}{rule.of_survival}").replace(
            r"\{\}", "(?: who may be children or are| or counted from remission)?")
        words = (f": {rule.words[0]} up to {rule.low:g}, {rule.words[1]} up to {rule.high:g}, else {rule.words[2]}; "
                 f"{rule.reason}.")
        assert re.search(number_of + re.escape(words), page.text)
