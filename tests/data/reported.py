"""The printed results: form of the rows, one comparison rule for each kind, totals that agree with them."""

from collections import Counter

from . import readme
from .tables import Data, Row, decimals, number, prints_as, repeated, where

UNITS = {"mean_probability": "probability", "survival_12m": "probability", "proportion": "probability",
         "median_months": "months"}
ESTIMANDS_OF = {"rate": {"mean_rate", "crude_rate"}, "survival": {"survival", "median_months"}}


def rows_use_allowed_words(data: Data) -> list[str]:
    analysed, _, printed = readme.endpoint_keys(data)
    words = {column: readme.allowed(data, "reported.csv", column)
             for column in ("subset", "statistic", "units", "primary")}
    words |= {"endpoint": {*analysed, *printed}, "source_id": set(data.sources)}
    problems = [f"{where(row)}: {column} is {row[column]!r}" for row in data["reported"]
                for column, known in words.items() if row[column] not in known or not row["locator"]]
    unused = set(printed) - {row["endpoint"] for row in data["reported"]}
    return problems + [f"no row has the endpoint {name} of README.md" for name in sorted(unused)]


def ids_count_up(data: Data) -> list[str]:
    return [f"{row['reported_id']} stands where R{place:02d} belongs"
            for place, row in enumerate(data["reported"], start=1) if row["reported_id"] != f"R{place:02d}"]


def decimals_are_those_of_the_estimate(data: Data) -> list[str]:
    return [f"{where(row)}: {row['estimate']} has not {row['decimals']} decimals" for row in data["reported"]
            if str(decimals(row["estimate"])) != row["decimals"]]


def estimates_lie_on_their_scale_and_in_their_interval(data: Data) -> list[str]:
    problems = []
    for row in data["reported"]:
        given = [number(row[column]) for column in ("ci_low", "estimate", "ci_high") if row[column]]
        top = 1 if row["units"] == "probability" else 120
        ordered = (None not in given and given == sorted(given) and len(given) in {1, 3}
                   and all(0 < limit < top for limit in given))
        if not ordered or UNITS.get(row["statistic"]) != row["units"]:
            problems.append(f"{where(row)}: {row['estimate']} ({row['ci_low']}-{row['ci_high']}) {row['units']}")
    return problems


def a_level_stands_beside_every_interval_only(data: Data) -> list[str]:
    return [f"{where(row)}: level {row['level']!r}" for row in data["reported"]
            if row["level"] != ("0.95" if row["ci_low"] else "")]


def one_printing_is_primary(data: Data) -> list[str]:
    keys = [(row["endpoint"], row["subset"], row["statistic"]) for row in data["reported"]]
    primary = Counter(key for key, row in zip(keys, data["reported"], strict=True) if row["primary"] == "true")
    return [f"{' '.join(key)} has {primary[key]} primary rows" for key in dict.fromkeys(keys) if primary[key] != 1]


def counts_give_the_proportion(data: Data) -> list[str]:
    """A crude proportion with both counts is their quotient; a model mean need not be."""
    problems = []
    for row in data["reported"]:
        events, n = number(row["events"]), number(row["n_patients"])
        studies = number(row["k_studies"])
        percent = str(number(row["estimate"]) * 100) if row["units"] == "probability" else ""
        crude = row["statistic"] == "proportion" and events and n
        if ((events and n and events > n) or (studies and not 1 <= studies <= 16)
            or (crude and not prints_as(int(events), int(n), percent))):
            problems.append(f"{where(row)}: {events} of {n} in {studies} studies")
    return problems


def adult_rows_have_the_adult_patients(data: Data) -> list[str]:
    adults = [row for row in data["studies"] if (row["in_review"], row["cohort"]) == ("true", "adult")]
    expected = (str(len(adults)), str(sum(int(row["n_treated"]) for row in adults)))
    return [f"{where(row)}: {row['k_studies']} studies, {row['n_patients']} patients, not {expected}"
            for row in data["reported"] if row["subset"] == "adult_only"
            and (row["k_studies"], row["n_patients"]) != expected]


def every_kind_has_one_comparison_rule(data: Data) -> list[str]:
    wanted = {(row["endpoint"], row["statistic"]) for row in data["reported"]}
    rules = [(row["reported_endpoint"], row["statistic"]) for row in data["comparisons"]]
    problems = [f"{' '.join(key)} has no rule" for key in sorted(wanted - set(rules))]
    problems += [f"{' '.join(key)} is in no row of reported.csv" for key in sorted(set(rules) - wanted)]
    return problems + [f"{' '.join(key)} has two rules" for key in repeated(rules)]


def rules_name_what_exists(data: Data) -> list[str]:
    estimands = readme.allowed(data, "comparisons.csv", "estimand")
    transforms = readme.allowed(data, "comparisons.csv", "transform")
    problems = []
    for row in data["comparisons"]:
        target = {column: row[column] for column in ("endpoint", "column", "estimand", "transform")}
        if row["reason"]:
            fits = not any(target.values())
        else:
            fits = row["estimand"] in estimands and row["transform"] in transforms and _target_fits(data, row)
        problems += [f"{row['reported_endpoint']} {row['statistic']}: {target}"] * (not fits)
    return problems


def _target_fits(data: Data, row: Row) -> bool:
    """Whether the rule names an endpoint with such an estimand, or a count column of studies.csv."""
    if row["column"]:
        return row["column"] in data.header("studies.csv") and not row["endpoint"] and row["estimand"] == "crude_column"
    kind = data.endpoints.get(row["endpoint"], {}).get("kind")
    complement = row["reported_endpoint"] == "antigen_retained_at_relapse"
    return row["estimand"] in ESTIMANDS_OF.get(kind, ()) and (row["transform"] == "complement") == complement


def totals_agree_with_the_printed_rows(data: Data) -> list[str]:
    primary = {row["endpoint"]: row for row in data["reported"] if row["primary"] == "true"
               and row["subset"] == "all" and row["statistic"] in {"mean_probability", "proportion"}}
    problems = [f"{endpoint} has two totals" for endpoint in repeated(row["endpoint"] for row in data["totals"])]
    for row in data["totals"]:
        other = primary.get(row["endpoint"], {})
        here = (row["k_studies"], row["events"], row["n"], row["source_id"])
        there = tuple(other.get(column) for column in ("k_studies", "events", "n_patients", "source_id"))
        if here != there or row["endpoint"] not in data.endpoints or not row["locator"]:
            problems.append(f"totals.csv {row['endpoint']}: {here}, reported.csv: {there}")
    missing = [row for row in primary.values() if row["events"] and row["endpoint"] in data.endpoints
               and row["endpoint"] not in {total["endpoint"] for total in data["totals"]}]
    return problems + [f"{where(row)}: its {row['events']} events are in no total" for row in missing]


def the_total_of_cr_is_every_treated_patient(data: Data) -> list[str]:
    treated = sum(int(row["n_treated"]) for row in data["studies"] if row["in_review"] == "true")
    return [f"cr is printed for {row['n']}, treated are {treated}" for row in data["totals"]
            if row["endpoint"] == "cr" and row["n"] != str(treated)]


def scenarios_change_a_total_by_their_denominators(data: Data) -> list[str]:
    totals = {row["endpoint"]: row for row in data["totals"]}
    problems = []
    for row in data["scenarios"]:
        study, total = data.studies.get(row["study_id"], {}), totals.get(row["endpoint"], {})
        fewer = int(study.get("n_treated") or 0) - int(row["n"] or 0)
        # The printed base of cr holds every treated patient, that of mrd_neg is the evaluable ones as it stands.
        base = int(total.get("n") or 0) - (fewer if row["endpoint"] == "cr" else 0)
        if study.get("in_review") != "true" or fewer <= 0 or not row["note"]:
            problems.append(f"scenarios.csv {where(row)}: {row['n']} is no smaller base of a review study")
        if (row["total_events"], row["total_n"]) != (total.get("events"), str(base)):
            problems.append(f"scenarios.csv {where(row)}: the total should be {total.get('events')} of {base}")
    return problems


def endpoints_are_the_analysed_keys(data: Data) -> list[str]:
    analysed, _, _ = readme.endpoint_keys(data)
    problems = [f"{name} is not both in endpoints.csv and README.md" for name in set(analysed) ^ set(data.endpoints)]
    problems += [f"endpoint {name} twice" for name in repeated(row["endpoint"] for row in data["endpoints"])]
    words = {column: readme.allowed(data, "endpoints.csv", column) for column in ("kind", "direction", "population")}
    for row in data["endpoints"]:
        problems += [f"{where(row)}: {column} is {row[column]!r}" for column, known in words.items()
                     if row[column] not in known]
        parent = row["parent"] and data.endpoints.get(row["parent"], {}).get("kind") != row["kind"]
        horizon = (row["horizon_months"] == "12") != (row["kind"] == "survival")
        problems += [f"{where(row)}: parent {row['parent']!r}, horizon {row['horizon_months']!r}"] * bool(
            parent or horizon
        )
    return problems


REPORTED, RULES = "reported.csv", "comparisons.csv"
PLANTED = {
    rows_use_allowed_words: [
        (REPORTED, "R21,cr,cd19_only", "R21,cr,cd19"),
        (REPORTED, "R33,cns_disease", "R33,cns"),
    ],
    ids_count_up: [(REPORTED, "R21,", "R20,")],
    decimals_are_those_of_the_estimate: [(REPORTED, "0.403,,,,probability,3", "0.403,,,,probability,2")],
    estimates_lie_on_their_scale_and_in_their_interval: [
        (REPORTED, "0.57,0.49,0.65", "0.57,0.59,0.65"),
        (REPORTED, "0.57,0.49,0.65", "57,49,65"),
        (REPORTED, "11.3,0.95,months", "11.3,0.95,probability"),
    ],
    a_level_stands_beside_every_interval_only: [(REPORTED, "0.49,0.65,0.95", "0.49,0.65,")],
    one_printing_is_primary: [(REPORTED, "0.70,0.88,0.95,probability,2,false", "0.70,0.88,0.95,probability,2,true")],
    counts_give_the_proportion: [
        (REPORTED, "16,489,400", "16,489,490"),
        (REPORTED, "R11,antigen_loss_at_relapse,all,proportion,11,131,,",
         "R11,antigen_loss_at_relapse,all,proportion,11,131,36,"),
    ],
    adult_rows_have_the_adult_patients: [
        (REPORTED, "R25,pfs,adult_only,survival_12m,5,206", "R25,pfs,adult_only,survival_12m,5,205"),
    ],
    every_kind_has_one_comparison_rule: [
        (RULES, "os,survival_12m,os", "os,survival_6m,os"),
        (RULES, "os,survival_12m,os", "pfs,survival_12m,os"),
    ],
    rules_name_what_exists: [
        (RULES, "os,survival_12m,os,,survival", "os,survival_12m,os,,mean_rate"),
        (RULES, "prior_hct_n,crude_column", "prior_hct,crude_column"),
        (RULES, "crude_rate,complement", "crude_rate,identity"),
        (RULES, "relapse,proportion,,", "relapse,proportion,relapse,"),
    ],
    totals_agree_with_the_printed_rows: [
        ("totals.csv", "15,341,428", "15,341,427"),
        ("totals.csv", "relapse,,183", "relapse,,184"),
        ("totals.csv", "mrd_neg,15,341,428", "crs_any,15,341,428"),
    ],
    the_total_of_cr_is_every_treated_patient: [("totals.csv", "16,400,489", "16,400,478")],
    scenarios_change_a_total_by_their_denominators: [
        ("scenarios.csv", "cr,400,478", "cr,400,489"),
        ("scenarios.csv", "mrd_neg,341,428", "mrd_neg,341,417"),
        ("scenarios.csv", "400,478,ortiz_maldonado_2020,27", "400,478,ortiz_maldonado_2020,38"),
    ],
    endpoints_are_the_analysed_keys: [
        ("endpoints.csv", "rate,benefit,cr,treated,", "rate,good,cr,treated,"),
        ("endpoints.csv", "rate,benefit,cr,treated,", "rate,benefit,os,treated,"),
        ("endpoints.csv", "survival,benefit,pfs,treated,12", "survival,benefit,pfs,treated,24"),
        ("endpoints.csv", 'nt_any,"Neuro', 'nt_all,"Neuro'),
    ],
}
