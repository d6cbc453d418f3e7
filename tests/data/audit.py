"""The audit of the review: verdicts, written-out arithmetic, and numbers as they follow from the tables."""

import re
from collections.abc import Iterator
from decimal import Decimal
from math import exp, log, sqrt

from . import readme
from .studies import review
from .tables import Data, Row, decimals, number, prints_as

SUM = re.compile(r"(?<![\w.,])(\d+(?:(?: [+-] |\+)\d+)+) = (\d+)(?![\w.])")
SHARE = re.compile(r"(?<![\w.])(\d+)/(\d+) = (\d+(?:\.\d+)?)")
ROOT = re.compile(r"sqrt\(([\d.]+) x ([\d.]+)\) = ([\d.]+)")


def rows_are_complete_and_numbered(data: Data) -> list[str]:
    verdicts = readme.allowed(data, "audit.csv", "verdict")
    return [f"{row['check_id']} in place {place}: verdict {row['verdict']!r}"
            for place, row in enumerate(data["audit"], start=1) if row["check_id"] != f"C{place:02d}"
            or row["verdict"] not in verdicts
            or not all(row[column] for column in ("statement", "locator", "recomputed"))]


def an_unfinished_or_failed_check_is_commented(data: Data) -> list[str]:
    return [f"{row['check_id']} is {row['verdict']} without a comment" for row in data["audit"]
            if row["verdict"] != "consistent" and not row["comment"] and "No counts" not in row["recomputed"]]


def written_sums_are_right(data: Data) -> list[str]:
    problems = []
    for row in data["audit"]:
        for terms, total in SUM.findall(row["recomputed"] + " " + row["comment"]):
            if sum(int(term) for term in re.findall(r"[+-]?\d+", terms.replace(" ", ""))) != int(total):
                problems.append(f"{row['check_id']}: {terms} is not {total}")
    return problems


def written_shares_are_right(data: Data) -> list[str]:
    return [f"{row['check_id']}: {events}/{n} is not {percent} %" for row in data["audit"]
            for events, n, percent in SHARE.findall(row["recomputed"] + " " + row["comment"])
            if not prints_as(int(events), int(n), percent)]


def written_roots_are_right(data: Data) -> list[str]:
    return [f"{row['check_id']}: the root of {a} x {b} is not {root}" for row in data["audit"]
            for a, b, root in ROOT.findall(row["recomputed"])
            if f"{sqrt(float(a) * float(b)):.{decimals(root)}f}" != root]


def _added(values: list[str]) -> str:
    return "+".join(values) + f" = {sum(map(int, values))}"


def _reported(data: Data, reported_id: str) -> Row:
    return next(row for row in data["reported"] if row["reported_id"] == reported_id)


def _column(rows: list[Row], name: str) -> list[str]:
    return [row[name] for row in rows if row[name]]


def _totals(data: Data) -> Iterator[tuple[str, str]]:
    """C01 to C04, C10, C11, C52: numbers of studies and patients, ages, counts of Table 1."""
    rows = review(data)
    groups = {name: [row for row in rows if row["cohort"] == name] for name in ("adult", "combined")}
    sizes = {name: sum(int(row["n_treated"]) for row in group) for name, group in groups.items()}
    yield "C01", _added(_column(rows, "n_treated"))
    names = [f"{row['label'].split()[0]} {row['n_treated']}" for row in groups["adult"]]
    yield "C02", f"{' + '.join(names)} = {sizes['adult']}; k = {len(names)}"
    combined = _added(_column(groups["combined"], "n_treated"))
    yield (
        "C03",
        f"{combined}; k = {len(groups['combined'])}; {sizes['combined']}+{sizes['adult']} = {sum(sizes.values())}",
    )
    ages = sorted((Decimal(row["median_age"]), row["label"].split()[0]) for row in rows)
    above = sum(age > 23 for age, _ in ages)
    yield "C04", f"from {ages[0][0]} ({ages[0][1]}) to {ages[-1][0]} ({ages[-1][1]})"
    yield "C04", f"so {above} of {len(ages)}"
    for check, column in (("C10", "prior_hct_n"), ("C11", "ph_positive_n")):
        counts = _column(rows, column)
        base = sum(int(row["n_treated"]) for row in rows if row[column])
        total = sum(map(int, counts))
        yield check, f"{_added(counts)}; {total}/{base} = {100 * total / base:.1f} %"
    other = [row for row in rows if row["antigen_target"] != "CD19"]
    patients = " - ".join(row["n_treated"] for row in other)
    left = sum(int(row["n_treated"]) for row in rows if row not in other)
    yield "C52", f"= {len(rows) - len(other)}; {sum(sizes.values())} - {patients} = {left} patients"


def _baseline(data: Data) -> Iterator[tuple[str, str]]:
    """C12 to C27: the percentages of each row of Table 1, in its order."""
    for place, row in enumerate(review(data), start=12):
        for words, column in (("prior HSCT", "prior_hct_n"), ("Ph", "ph_positive_n")):
            count, n = row[column], row["n_treated"]
            share = f"{count}/{n} = " if count not in {"", "0"} else ""
            yield f"C{place}", f"{words} {share or ('0 (no percentage)' if count else 'NA')}"


def _printed_results(data: Data) -> Iterator[tuple[str, str]]:
    """C33, C34, C36, C40, C42 to C45: shares that follow from printed counts."""
    cr, mrd, relapse, lost = (_reported(data, name) for name in ("R01", "R02", "R08", "R11"))
    for check, row in (("C33", cr), ("C36", mrd)):
        share = 100 * int(row["events"]) / int(row["n_patients"])
        yield check, f"{row['events']}/{row['n_patients']} = {share:.1f} % crude"
        yield check, f"mean of {Decimal(row['estimate']) * 100:.0f} %"
    ortiz = data.studies["ortiz_maldonado_2020"]["n_treated"]
    adults = data.facts["F0180"]["value"]
    base = int(cr["n_patients"]) - int(ortiz) + int(adults)
    share = 100 * int(cr["events"]) / base
    yield "C34", f"{cr['n_patients']} - {ortiz} + {adults} = {base}; {cr['events']}/{base} = {share:.1f} %"
    printed = str(Decimal(relapse["estimate"]) * 100).rstrip("0")
    bases = [n for n in range(1, int(cr["n_patients"]) + 1) if prints_as(int(relapse["events"]), n, printed)]
    yield "C40", f"only {' and '.join(map(str, bases))} gives {printed} ({relapse['events']}/{bases[0]} = "
    yield ("C42", f"{relapse['events']}/{cr['events']} = {100 * int(relapse['events']) / int(cr['events']):.1f}")
    n = int(lost["n_patients"])
    fits = [events for events in range(n + 1) if prints_as(events, n, str(Decimal(lost["estimate"]) * 100)[:4])]
    yield "C43", f"{fits[0]}/{n} = {100 * fits[0] / n:.2f}" if len(fits) == 1 else f"{fits}"
    kept = n - fits[0]
    yield "C44", f"{kept}/{n} = {100 * kept / n:.2f}, prints as {100 * kept / n:.1f}"


def _exponential(data: Data) -> Iterator[tuple[str, str]]:
    """C46 to C50: a constant hazard links survival S at 12 months to the median 12 ln2 / -ln S, and back."""

    def median(survival: float) -> str:
        return f"{12 * log(2) / -log(survival):.2f}"

    pfs, os = _reported(data, "R04"), _reported(data, "R05")
    yield "C46", f"12 ln2 / -ln {pfs['estimate']} = {median(float(pfs['estimate']))}"
    for check, row, columns in (("C47", pfs, ("ci_low", "ci_high")), ("C48", os, ("estimate",)),
                                ("C49", os, ("ci_low", "ci_high"))):
        for column in columns:
            yield check, f"{row[column]} gives {median(float(row[column]))}"
            if row is os:
                low, high = float(row[column]) - 0.005, float(row[column]) + 0.005
                yield check, f"{100 * low:.1f}-{100 * high:.1f} %"
                yield check, f"{median(low)}-{median(high)}"
    for name in ("R06", "R07"):
        row = _reported(data, name)
        centre = sqrt(float(row["ci_low"]) * float(row["ci_high"]))
        yield "C50", f"sqrt({row['ci_low']} x {row['ci_high']}) = {centre:.2f}"
    for name in ("R04", "R05", "R23", "R24", "R25", "R26"):
        yield "C50", f"{100 * _centre(_reported(data, name)):.1f}"


def _centre(row: Row) -> float:
    """The survival in the middle of its limits on the log-hazard scale, that is, of log(-log S)."""
    low, high = (log(-log(float(row[column]))) for column in ("ci_low", "ci_high"))
    return exp(-exp((low + high) / 2))


def _standard_errors(data: Data) -> Iterator[tuple[str, str]]:
    """C50: half the width of an interval on the log-hazard scale, over 1.96."""

    def of_survival(name: str) -> float:
        row = _reported(data, name)
        return log(log(float(row["ci_low"])) / log(float(row["ci_high"]))) / 2 / 1.96

    def of_median(name: str) -> float:
        row = _reported(data, name)
        return log(float(row["ci_high"]) / float(row["ci_low"])) / 2 / 1.96

    yield "C50", f"PFS {of_median('R06'):.3f}, OS {of_median('R07'):.3f}"
    yield "C50", f"adult-only {of_survival('R25'):.2f} and {of_survival('R26'):.2f}"


def _shapes(data: Data) -> Iterator[tuple[str, str]]:
    """C55, C57, C58: distances of the limits from the estimate, in points and on the logit scale."""

    def logit(p: float) -> float:
        return log(p / (1 - p))

    for check, name in (("C55", "R15"), ("C57", "R18"), ("C58", "R19")):
        low, p, high = (number(_reported(data, name)[column]) for column in ("ci_low", "estimate", "ci_high"))
        yield check, f"Distances {100 * (p - low):.0f} below, {100 * (high - p):.0f} above"
    below, above = logit(float(p)) - logit(float(low)), logit(float(high)) - logit(float(p))
    yield "C58", f"on the logit scale {below:.2f} below, {above:.2f} above"
    yield "C58", f"lower limit of 10 it would be {logit(float(p)) - logit(0.10):.2f} and {above:.2f}"


def _other_sources(data: Data) -> Iterator[tuple[str, str]]:
    """C35, C61, C64: what the decision rows and the printed counts add up to."""
    sizes = {row["study_id"]: int(row["n_treated"]) for row in review(data)}
    rows = [row for row in data["responses"] if row["study_id"] in sizes]
    known = [row for row in rows if row["endpoint"] == "cr" and row["tier"] in "AB"]
    events, n = (sum(int(row[column]) for row in known) for column in ("events", "n"))
    yield "C35", f"Known: {_added(_column(known, 'events'))} of {n}"
    left, base = int(_reported(data, "R01")["events"]) - events, sum(sizes.values()) - n
    fewer = base - sizes["ortiz_maldonado_2020"] + int(data.facts["F0180"]["value"])
    yield "C35", f"left: {left} CR among"
    yield "C35", f"({base} or {fewer}): {100 * left / base:.1f} % or {100 * left / fewer:.1f} %"
    hct = [row for row in rows if row["endpoint"] == "hct_after"]
    total, base = (sum(int(row[column]) for row in hct) for column in ("events", "n"))
    yield "C61", f" = {total} of {base} in {len(hct)} studies ({100 * total / base:.1f} %"
    cns = _reported(data, "R33")
    events, printed = int(cns["events"]), str(number(cns["estimate"]) * 100)[:3]
    bases = [n for n in range(events, sum(sizes.values())) if prints_as(events, n, printed)]
    yield "C64", ", ".join(f"{events}/{n} = {100 * events / n:.2f}" for n in bases)


# README.md names this slip of a last digit: 48.5 % gives 11.495, which prints as 11.49.
RECOMPUTATIONS = (_totals, _baseline, _printed_results, _exponential, _standard_errors, _shapes, _other_sources)


def arithmetic_follows_from_the_tables(data: Data) -> list[str]:
    texts = {row["check_id"]: row["recomputed"] + " " + row["comment"] for row in data["audit"]}
    return [f"{check}: the tables give {expected!r}, which is not in {texts[check]!r}"
            for recompute in RECOMPUTATIONS for check, expected in recompute(data) if expected not in texts[check]]


AUDIT, STUDIES, REPORTED = "audit.csv", "studies.csv", "reported.csv"
PLANTED = {
    rows_are_complete_and_numbered: [
        (AUDIT, "C60,", "C59,"),
        (AUDIT, "2574 - 8 = 2566,consistent", "2574 - 8 = 2566,fine"),
    ],
    an_unfinished_or_failed_check_is_commented: [(AUDIT, ",inconsistent,Wording only.", ",inconsistent,")],
    written_sums_are_right: [(AUDIT, "2574 - 8 = 2566", "2574 - 8 = 2567")],
    written_shares_are_right: [
        (AUDIT, "11/53 = 20.75", "11/53 = 20.74"),
        (AUDIT, "7/9 = 77.78", "7/9 = 77.77"),
    ],
    written_roots_are_right: [(AUDIT, "11.3) = 8.37", "11.3) = 8.38")],
    arithmetic_follows_from_the_tables: [
        (STUDIES, "Ma 2020,2020,9", "Ma 2020,2020,8"),
        (STUDIES, "7,12.07", "8,12.07"),
        (REPORTED, "0.57,0.49,0.65", "0.58,0.49,0.65"),
        (REPORTED, "8.4,6.2,11.3", "8.4,6.3,11.3"),
        (REPORTED, "0.39,0.18,0.60", "0.39,0.17,0.60"),
        (REPORTED, "0.34,0.24,0.47", "0.34,0.25,0.47"),
        (REPORTED, ",,183,0.403", ",,182,0.403"),
        ("responses.csv", "frey_2020,hct_after,9", "frey_2020,hct_after,8"),
        ("responses.csv", "jiang_2019,cr,51,58", "jiang_2019,cr,52,58"),
    ],
}
