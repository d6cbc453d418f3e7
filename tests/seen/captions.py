"""The rows of each table of the page, by the caption of the table and the heading above it."""

from tests.seen import columns
from tests.seen.cells import LABELS, Check, Row
from tests.seen.checking import chosen, ends, single, value
from tests.seen.facts import ENDPOINTS
from tests.seen.fitted import fits, headline_rows
from tests.seen.headline import HEADLINE, MAIN, SPREAD


def _ends(row: Row, prefix: str = "") -> Row:
    """Median and limits of another row, under names with a prefix."""
    return {f"{prefix}{name}": row[name] for name in ends()}


def _pooled(seen, key) -> Row:
    """The main estimand, the new study and the heterogeneity of one fit as one row."""
    endpoint, model, subset, tiers, early = key
    estimates = chosen(seen.tables["estimates.csv"], endpoint=endpoint, model=model, subset=subset,
                       tiers=tiers, early_landmarks=early, study_id="")
    main, new, spread = (single(estimates, estimand=name) for name in (
        MAIN[endpoint], f"new_study_{MAIN[endpoint].removeprefix('mean_')}", SPREAD[endpoint]))
    return {**main, **_ends(new, "new_"), **_ends(spread, "spread_"), "spread": SPREAD[endpoint]}


def headline_row(seen, endpoint: str) -> Row:
    return _pooled(seen, (endpoint, HEADLINE[endpoint], "all", "AB", "true"))


def _studies(seen, endpoint: str) -> list[Row]:
    shrunken = {row["study_id"]: row for row in headline_rows(seen, endpoint)
                if row["estimand"] in ("study_rate", "study_survival")}
    return [row | _ends(shrunken[row["study_id"]]) for row in chosen(seen.tables["studies.csv"], endpoint=endpoint)]


def _checks(seen) -> list[Row]:
    """Of each endpoint the studies within their intervals, in words, and the p-value of each test statistic."""
    lines = []
    for endpoint in ENDPOINTS:
        rows = chosen(seen.tables["checks.csv"], endpoint=endpoint)
        statistics = chosen(seen.tables["check_statistics.csv"], endpoint=endpoint)
        within = {name: len(chosen(rows, **{f"{name}_within": "true"})) for name in ("prior", "posterior")}
        lines.append({"endpoint": endpoint, **{row["statistic"]: row["p_value"] for row in statistics},
                      **{name: f"{count} of {len(rows)}" for name, count in within.items()}})
    return lines


def _by_model(seen) -> list[Row]:
    """A line for each estimand of each question, with the row of each model."""
    lines: dict[tuple[str, ...], Row] = {}
    for row in seen.tables["survival_curves.csv"]:
        key = tuple(row[name] for name in ("endpoint", "subset", "estimand", "time_months"))
        lines.setdefault(key, {**row})[row["model"]] = row
    return list(lines.values())


def _readings(seen) -> list[Row]:
    """Survival where the hazard may fall, with the row of a constant one."""
    rows = seen.tables["answer.csv"]
    return [row | {"constant": single(rows, hazard="constant", estimand=row["estimand"],
                                      time_months=row["time_months"])} for row in chosen(rows, hazard="falling")]


def _with_later(seen) -> list[Row]:
    rows = seen.tables["sensitivity.csv"]
    heads = {row["endpoint"]: row for row in chosen(rows, dimension="headline")}
    return [row | _ends(heads[row["endpoint"]], "head_")
            for row in chosen(rows, dimension="study_set", study_set="all", status="computed")]


def _each_count(seen) -> list[Row]:
    """A line for each count, with its chance in each rate."""
    rows = seen.tables["expected_counts.csv"]
    return [{"events": str(events)} | {row["endpoint"]: row["two_sided"] for row in chosen(rows, events=str(events))}
            for events in range(21)]


def _moves_most(seen) -> list[Row]:
    """Of endpoints with at least three studies; below each what the ledger or its tier holds against its number."""
    rows = [row for row in seen.tables["influence.csv"] if row["status"] == "computed" and value(row["k_studies"]) >= 3]
    largest = [max(chosen(rows, endpoint=endpoint), key=lambda row: abs(value(row["shift_sd"])))
               for endpoint in dict.fromkeys(row["endpoint"] for row in rows)]
    return [row | {"doubts": "; ".join(_doubts(seen, row))} for row in largest]


def _doubts(seen, row: Row) -> list[str]:
    tier = single(seen.tables["studies.csv"], endpoint=row["endpoint"], study_id=row["study_id"])["tier"]
    against = chosen(seen.tables["provenance.csv"], endpoint=row["endpoint"], study_id=row["study_id"],
                     standing="otherwise")
    return [*([] if tier == "A" else [f"tier {tier}"]), *(["a source says otherwise"] if against else [])]


def _clarity(row: Row) -> float:
    return abs(value(row["probability_above_one"]) - 0.5)


def _associations(seen) -> list[Row]:
    """Of each covariate the slope whose direction is least uncertain, among harms and among benefits."""
    rows, lines = chosen(seen.tables["regression.csv"], analysis="one_at_a_time", status="converged"), []
    for covariate in dict.fromkeys(row["covariate"] for row in rows):
        slopes = chosen(rows, covariate=covariate)
        lines.append(slopes[0] | {f"Of {kind}s": max(
            (row for row in slopes if ENDPOINTS[row["endpoint"]]["direction"] == kind), default=None, key=_clarity)
            for kind in ("harm", "benefit")})
    return lines


def _moved_most(seen) -> list[Row]:
    lines = []
    for endpoint in ENDPOINTS:
        head, *rest = chosen(seen.tables["sensitivity.csv"], endpoint=endpoint)
        most = max(rest, key=lambda row: abs(value(row["change"])))
        shift = single(seen.tables["power_scaling.csv"], endpoint=endpoint, scaled="prior")["shift"]
        lines.append(most | _ends(head, "head_") | {
            "changing": str(len(chosen(rest, changes="true"))), "of": str(len(rest)), "shift": shift})
    return lines


def _facts(seen, heading: str, caption: str) -> list[Row]:
    """Facts of one study, of an endpoint with a number and no contradiction, or of what has no number."""
    facts = [row for row in chosen(seen.tables["provenance.csv"], label=heading) if row["standing"] != "otherwise"]
    return [row for row in facts if (row["endpoint"] not in ENDPOINTS if caption.endswith(": other facts")
                                     else caption == f"{heading}, {LABELS.get(row['endpoint'])}: facts")]


def endpoint_of(heading: str) -> str:
    return next((name for name, row in ENDPOINTS.items() if row["label"] == heading), "")


def _published(seen) -> list[Row]:
    """Primary estimates with a counterpart, those of an endpoint and unit together."""
    rows = [row for row in chosen(seen.tables["comparison.csv"], status="compared", primary="true") if row["model"]]
    order = list(dict.fromkeys((row["endpoint"], row["units"]) for row in rows))
    return sorted(rows, key=lambda row: order.index((row["endpoint"], row["units"])))


def _of_endpoint(seen, endpoint: str) -> dict[str, tuple[dict[str, Check], list[Row]]]:
    t, name = seen.tables, LABELS[endpoint]
    return {
        "Each refit with one": (columns.SENSITIVITY, chosen(t["sensitivity.csv"], endpoint=endpoint)),
        "The posterior mean when": (columns.POWERS, chosen(t["power_scaling.csv"], endpoint=endpoint)),
        f"{name}: slopes on": (columns.SLOPES, chosen(t["regression.csv"], endpoint=endpoint)),
        f"{name}: each study": (columns.STUDY, _studies(seen, endpoint)),
        f"{name}: rows left out": (columns.UNUSED, chosen(t["left_out.csv"], endpoint=endpoint)),
        f"{name}: the headline and": (columns.FITS, [_pooled(seen, key) for key in fits(seen) if key[0] == endpoint]),
    }


def _of_all(seen) -> dict[str, tuple[dict[str, Check], list[Row]]]:
    t = seen.tables
    slopes = chosen(t["regression.csv"], analysis="one_at_a_time")
    defaults = [row for row in chosen(t["leave_one_out.csv"], which_priors="default") if row["model"] != "logit_normal"]
    return {
        "Published estimates beside": (columns.COMPARISON, _published(seen)),
        "Steps from the published": (columns.STEPS, t["decomposition.csv"]),
        "Further printings": (columns.COMPARISON, [
            row for row in chosen(t["comparison.csv"], status="compared", primary="false") if row["model"]]),
        "Pooled estimate, prediction": (columns.PREDICTION, [headline_row(seen, name) for name in ENDPOINTS]),
        "Predictive probability of each": (columns.TOTALS, t["published_totals.csv"]),
        "The mean rate under what": (columns.BOUNDS, t["missing_bounds.csv"]),
        "The choice that moves": (columns.MOST, _moved_most(seen)),
        "Reports within their predictive": (columns.CHECKS, _checks(seen)),
        "Each report within what": (columns.CHECKED, t["checks.csv"]),
        "How the review's studies": (columns.SCORED, t["validation_scores.csv"]),
        "Each report of a later": (columns.LATER, t["validation.csv"]),
        "Survival by four models": (columns.BY_MODEL, _by_model(seen)),
        "Overall survival by assumption": (columns.READINGS, _readings(seen)),
        "Overall survival, both readings": (columns.READINGS, _readings(seen)),
        "The same with later": (columns.WITH_LATER, _with_later(seen)),
        "Events among 20": (columns.AMONG_20, chosen(t["expected.csv"], n="20")),
        "Chance of a count": (columns.EACH_COUNT, _each_count(seen)),
        "The study that moves": (columns.MOVES_MOST, _moves_most(seen)),
        "The least uncertain association": (columns.ASSOCIATIONS, _associations(seen)),
        "Each study left out": (columns.LEFT_OUT, t["influence.csv"]),
        "Each subset, its": (columns.SUBSETS, t["subset_differences.csv"]),
        "The slopes whose direction": (columns.SLOPES, sorted(slopes, key=_clarity, reverse=True)[:8]),
        "Pairs of covariates": (columns.PAIRS, [row for row in t["regression_collinearity.csv"]
                                                if abs(value(row["correlation"]) or 0.0) >= 0.5]),
        "Logit mean rate or log hazard": (columns.SIZES, chosen(t["small_studies.csv"], part="regression")),
        "Each study under the prediction": (columns.PREDICTED, chosen(t["small_studies.csv"], part="study")),
        "Rate models: prediction": (columns.JUDGED, [row for row in t["model_comparison.csv"] if row["prior_spread"]]),
        "The ten smallest": (columns.SURPRISES, sorted(defaults, key=lambda row: value(row["two_sided"]))[:10]),
        "The headline from the studies up to": (columns.YEARS, t["cumulative.csv"]),
        "Each study predicted from those before": (columns.BEFORE, t["cumulative_studies.csv"]),
        "Benchmarks, and the probability": (columns.EXCEEDED, t["benchmarks.csv"]),
        "Items that ask about": (columns.CHECKLIST, t["checklist.csv"]),
        "A summary of numbers": (columns.CERTAINTY, t["certainty.csv"]),
        "Log hazard per person-month": (columns.CONVERSIONS, t["survival_conversions.csv"]),
        "Crude proportions": (columns.CRUDE, [row for row in t["comparison.csv"]
                                              if row["estimand"].startswith("crude")]),
        "Published numbers that cannot": (columns.UNCOMPARED, chosen(t["comparison.csv"], status="not compared")),
    }


def expected(seen, heading: str, caption: str) -> tuple[dict[str, Check], list[Row]] | None:
    """Columns and rows of the table with this caption below this heading; None for one that holds no estimate."""
    if caption.endswith((": facts", ": other facts")):
        return columns.FACTS, _facts(seen, heading, caption)
    endpoint = endpoint_of(caption.partition(":")[0]) or endpoint_of(heading)
    tables = _of_all(seen) | (_of_endpoint(seen, endpoint) if endpoint else {})
    return next((table for start, table in tables.items() if caption.startswith(start)), None)
