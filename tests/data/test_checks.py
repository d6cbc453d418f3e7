"""Every check holds for the shipped tables and finds the faults that are planted for it; so do counts and limits."""

from fractions import Fraction
from itertools import combinations
from math import comb
from pathlib import Path

import pytest

from analysis.cases.selection import membership
from analysis.evidence.loading import load

from . import audit, form, studies
from .checks import PLANTED, listed
from .tables import Data, counts_printing_as, decimals, prints_as

FAULTS = [(check, *fault) for check, faults in PLANTED.items() for fault in faults]


@pytest.mark.parametrize("check", PLANTED, ids=lambda check: check.__name__)
def test_a_check_holds_and_has_a_fault_that_proves_it_can_fail(data: Data, check) -> None:
    problems = check(data)
    assert not problems, listed(problems)
    assert PLANTED[check]


@pytest.mark.parametrize(("check", "file", "old", "new"), FAULTS,
                         ids=[f"{check.__name__}-{new[:30] or 'deleted'}" for check, _, _, new in FAULTS])
def test_a_planted_fault_is_found(data: Data, check, file: str, old: str, new: str) -> None:
    assert check(data.replaced(file, old, new))


def test_bytes_that_are_not_utf8_are_found(data: Data) -> None:
    assert form.bytes_are_plain_text(Data({**data.files, "totals.csv": data.files["totals.csv"] + b"\xe9\n"}))


def test_most_checks_with_numbers_are_recomputed(data: Data) -> None:
    recomputed = {check for recompute in audit.RECOMPUTATIONS for check, _ in recompute(data)}
    assert len(recomputed) >= 35
    assert recomputed <= {row["check_id"] for row in data["audit"]}


def test_the_combinations_that_leave_the_relapse_base_are_as_many_as_readme_says(data: Data) -> None:
    sizes = {row["study_id"]: int(row["n_treated"]) for row in studies.review(data)}
    adults = {**sizes, "ortiz_maldonado_2020": int(data.facts["F0180"]["value"])}
    found = [sum(sum(values.values()) - sum(left) == 454 for k in range(1, 5)
                 for left in combinations(values.values(), k)) for values in (sizes, adults)]
    words = {3: "three", 7: "seven"}
    text = f"there are {words.get(found[0])} from {sum(sizes.values())} and {words.get(found[1])} from"
    assert text in data.text("README.md"), found


def test_the_analysis_picks_the_same_subsets(data_folder: Path) -> None:
    evidence = load(data_folder)
    found = {name: sum(study.in_review and bool(membership(evidence, study, name)) for study in evidence.studies)
             for name in studies.PRINTED_SUBSETS}
    assert found == studies.PRINTED_SUBSETS


# 1/8 = 12.5 %: half up prints 13, half to even prints 12; 3/8 = 37.5 % prints 38 both ways.
@pytest.mark.parametrize(("events", "n", "printed", "fits"), [
    (45, 53, "85", True), (45, 53, "84.9", True), (45, 53, "84", False), (0, 6, "0", True), (6, 6, "100", True),
    (1, 8, "13", True), (1, 8, "12", True), (3, 8, "38", True), (3, 8, "37", False)])
def test_both_ways_of_rounding_count_as_a_print(events: int, n: int, printed: str, fits: bool) -> None:
    assert prints_as(events, n, printed) is fits


# The percentages without a decision row, of which README.md says that several counts fit, or none.
@pytest.mark.parametrize(("study", "endpoint", "bases", "fits"), [
    ("roddie_2024", "crs_any", [127], [87, 88]), ("roloff_2024", "crs_grade3plus", [189], [20, 21]),
    ("park_2018", "mrd_neg", [53, 44], [])])
def test_a_percentage_without_a_unique_count_has_no_decision(data: Data, study: str, endpoint: str,
                                                             bases: list[int], fits: list[int]) -> None:
    facts = [row for row in data["extraction"] if (row["study_id"], row["endpoint"]) == (study, endpoint)]
    printed = next(row["value"] for row in facts if row["quantity"] == "percent")
    assert [events for n in bases for events in counts_printing_as(printed, n)] == fits
    assert not any((row["study_id"], row["endpoint"]) == (study, endpoint) for row in data["responses"])


def test_thirteen_is_the_only_base_that_prints_the_non_relapse_mortality_of_hu_2017(data: Data) -> None:
    printed = data.facts["F0163"]["value"]
    assert [n for n in range(1, 16) if counts_printing_as(printed, n)] == [13]


def _exact_limits(events: int, n: int, digits: int) -> tuple[str, str]:
    """The Clopper-Pearson limits in percent as they print, by bisection of the binomial tails."""

    def tail(p: Fraction, ks: range) -> float:
        return float(sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in ks))

    def root(ks: range, rising: bool) -> float:
        low, high = Fraction(0), Fraction(1)
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if (tail(middle, ks) < 0.025) == rising else (low, middle)
        return 100 * float(low)

    return f"{root(range(events, n + 1), True):.{digits}f}", f"{root(range(events + 1), False):.{digits}f}"


def test_only_48_of_50_prints_the_mrd_interval_of_wang_n(data: Data) -> None:
    fact = data.facts["F0386"]
    base = range(1, int(data.facts["F0381"]["denominator"]) + 1)
    fractions = [(events, n) for n in base for events in counts_printing_as(fact["value"], n) if events < n]
    limits = (fact["ci_low"], fact["ci_high"])
    found = [pair for pair in fractions if _exact_limits(*pair, decimals(fact["ci_low"])) == limits]
    assert found == [(48, 50)]


def test_only_one_base_up_to_the_treated_prints_the_crs_of_wang_n(data: Data) -> None:
    base = range(1, int(data.studies["wang_n_2020"]["n_treated"]) + 1)
    assert [(events, n) for n in base for events in counts_printing_as(data.facts["F0389"]["value"], n)] == [(11, 49)]
