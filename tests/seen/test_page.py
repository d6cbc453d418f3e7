"""Every table of the page: each number equals its cell in the CSV to the digits printed, under the right head.

`TABLES` says by caption which rows of which file a table shows, and by head which columns each cell shows. A table or
a head without an entry fails, so that nothing new goes unread.
"""

import re
from collections.abc import Callable

import pytest

from analysis.cases.curves import CENSORING
from analysis.results.simulated import record
from tests.report.reading import Page, whole
from tests.seen.checking import chosen, numbers, points_say, says, scale_of, single, value
from tests.seen.facts import ENDPOINTS, REPORTED, STUDIES, SUBSET_LABELS, table
from tests.seen.test_fits import fits

Row = dict[str, str]
Check = Callable[[str, str, Row], bool]
LABELS = {name: row["label"] for name, row in ENDPOINTS.items()}
LABELS |= {row["reported_endpoint"]: row["label"] for row in table("comparisons.csv") if row["label"]}


class Tables(Page):
    """A page whose tables are kept in their order with the heading above them, since captions may repeat."""

    def __init__(self, source: str) -> None:
        self.every: list[tuple[str, str, list[list[str]]]] = []
        self._heading, self._in_heading = "", False
        super().__init__(source)

    def handle_starttag(self, tag, attrs):
        if tag in ("h2", "h3"):
            self._heading, self._in_heading = "", True
        if tag == "table":
            self._rows = []
        super().handle_starttag(tag, attrs)
        if tag == "table":
            self._rows = []

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        self._in_heading = self._in_heading and tag not in ("h2", "h3")
        if tag == "table":
            self.every.append((self._heading, self._caption, self._rows))

    def handle_data(self, data):
        super().handle_data(data)
        if self._in_heading:
            self._heading += data


@pytest.fixture(scope="module")
def page(seen):
    return Tables(whole(seen.folder))


def interval(*columns: str, unit: str | None = None) -> Check:
    """A median with its limits; the scale is the one that head or cell names, or that of the column `unit`."""

    def check(head: str, cell: str, row: Row) -> bool:
        if unit and row[unit] not in ("proportion", "probability"):
            scale = 1.0
        else:
            scale = scale_of(head if "%" in head or "per 1" in head else cell)
        return says(cell, *(value(row[column]) for column in columns), scale=scale)

    return check


def plain(*columns: str, scale: float = 1.0) -> Check:
    return lambda head, cell, row: says(cell, *(value(row[column]) for column in columns), scale=scale)


def points(*columns: str, scale: float = 100.0) -> Check:
    def check(head: str, cell: str, row: Row) -> bool:
        parts = re.findall(r"[+−]?\d+(?:\.\d+)?", cell)
        wanted = [value(row[column]) for column in columns]
        if wanted == [None]:
            return cell in ("", "–")
        return len(parts) == len(wanted) and all(points_say(part, one, scale)
                                                 for part, one in zip(parts, wanted, strict=True))

    return check


def text(column: str) -> Check:
    return lambda head, cell, row: cell == row[column].removeprefix("'")


def words(column: str) -> Check:
    """The cell with blanks for underscores or hyphens."""
    return lambda head, cell, row: cell.replace("-", " ") == row[column].replace("_", " ").replace("-", " ")


def count(*columns: str) -> Check:
    """Such as "5 / 163": studies and patients, a dash for what is not known."""

    def check(head: str, cell: str, row: Row) -> bool:
        parts = cell.partition(" (")[0].split(" / ")
        return [part.replace(",", "").replace("–", "") for part in parts] == [row[column] for column in columns]

    return check


def label(head: str, cell: str, row: Row) -> bool:
    return cell == LABELS[row["endpoint"]]


def anything(head: str, cell: str, row: Row) -> bool:
    """Words without a number of their own that are checked in another place."""
    return True


def starts(*parts: Callable[[Row], str]) -> Check:
    return lambda head, cell, row: all(part(row) in cell for part in parts)


def worded(word: str, *columns: str) -> Check:
    """A word with its number in brackets, such as "few (1/7)"."""
    return lambda head, cell, row: cell.startswith(f"{row[word]} (") and says(
        cell.partition(" (")[2].rstrip(")"), *(value(row[column]) for column in columns))


def both(*checks: Check) -> Check:
    return lambda head, cell, row: all(check(head, cell, row) for check in checks)


def named(prefix: Callable[[Row], str], rest: Check) -> Check:
    """A cell that is led by a name, such as "rho 0.06 [0.00, 0.27]"."""
    return lambda head, cell, row: (cell.startswith(prefix(row) + " ")
                                    and rest(head, cell.removeprefix(prefix(row)), row))


FACTS = {"Says": text("says"), "Number": text("statistic"), "Of": words("population"),
         "Beside the number": text("standing"), "Source": text("citation"), "Place": text("locator"),
         "Note": text("note"), "Fact": text("fact_id"),
         "Endpoint": lambda head, cell, row: cell == LABELS.get(row["endpoint"], row["endpoint"].replace("_", " "))}


def unit_of(row: Row) -> float:
    return 1.0 if row["units"] == "months" else 100.0


COMPARISON = {
    "Endpoint and subset": starts(
        lambda row: LABELS[row["endpoint"]],
        lambda row: SUBSET_LABELS[row["subset"]],
        lambda row: f"at {row['time_months']} months" if row["time_months"] else "",
    ),
    "Published": lambda head, cell, row: says(
        cell,
        *(value(row[f"published{end}"]) for end in ("", "_lower", "_upper") if row[f"published{end}"]),
        scale=unit_of(row),
    ),
    "Studies / patients": count("published_k", "published_n"),
    "Reanalysis": lambda head, cell, row: says(
        cell, *(value(row[name]) for name in ("median", "lower", "upper")), scale=unit_of(row)
    ),
    "Studies / patients 2": count("k_studies", "n_patients"),
    "Difference": lambda head, cell, row: points_say(cell, value(row["difference"]), unit_of(row)),
    "Width ratio": plain("width_ratio"),
    "P(in published interval)": plain("probability_of_published_interval", scale=100),
    "Id": text("reported_id"),
}
SLOPES = {
    "Endpoint": label,
    "Covariate, unit": starts(lambda row: row["label"], lambda row: row["unit"]),
    "Analysis": words("analysis"),
    "Studies (imputed)": plain("n_studies", "n_missing"),
    "Ratio": plain("ratio_median", "ratio_lower", "ratio_upper"),
    "P(ratio > 1)": plain("probability_above_one", scale=100),
    "Prior SD per unit": plain("prior_sd", "prior_sd_per_sd"),
    "SD / prior SD": plain("sd_ratio"),
    "Heterogeneity without, with": named(
        lambda row: row["heterogeneity"], plain("heterogeneity_without", "heterogeneity_with")
    ),
}
SLOPES["Analysis"] = lambda head, cell, row: (cell == {"one_at_a_time": "one at a time",
                                                       "together": "all together",
                                                       "complete_case": "complete cases"}[row["analysis"]])
METHODS = {
    "Method": lambda head, cell, row: (
        cell == row["label"] + (" (the paper's kind)" if row["of_the_paper"] == "true" else "")
    ),
    "Estimand": lambda head, cell, row: (
        cell == row["estimand"].replace("_", " ") + (f" at {row['time_months']} months" if row["time_months"] else "")
    ),
    "Estimate, %": lambda head, cell, row: (
        says(cell, *(value(row[name]) for name in ("estimate", "lower", "upper")), scale=100)
        or (
            not row["lower"]
            and says(cell.split(" [")[0], value(row["estimate"]), scale=100)
            and cell.endswith("[–, –]")
        )
    ),
    "Heterogeneity": lambda head, cell, row: (
        cell.startswith(row["heterogeneity_name"] + " ") and says(cell.partition(" ")[2], value(row["heterogeneity"]))
    ),
    "Note": text("note"),
}
STUDY = {
    "Study": text("label"),
    "Tier": text("tier"),
    "Base": text("population"),
    "Definition": text("population"),
    "Reported": text("statistic"),
    "n": plain("n"),
    "Raw": interval("raw", "raw_lower", "raw_upper"),
    "Shrunken": interval("median", "lower", "upper"),
}
CONVERSIONS = {
    "Study": lambda head, cell, row: cell == STUDIES[row["study_id"]]["label"],
    "Definition": text("definition"),
    "Tier": text("tier"),
    "Printed": text("statistic"),
    "Standard error from": text("rule"),
    "n": plain("patients"),
    "Effective n": plain("effective"),
    "Log hazard": lambda head, cell, row: (
        says(cell.replace("person-months", ""), value(row["events"]), value(row["person_months"]))
        if value(row["person_months"])
        else says(cell, value(row["log_hazard"]))
    ),
    "SE below": plain("se_lower"),
    "SE above": plain("se_upper"),
}
STEPS = {
    "Endpoint": starts(
        lambda row: LABELS[row["endpoint"]],
        lambda row: SUBSET_LABELS[row["subset"]],
        lambda row: row["estimand"].replace("_", " "),
    ),
    "What": text("label"),
    "Interval": text("interval"),
    "Studies / patients": count("k_studies", "n_patients"),
    "Estimate [interval]": interval("estimate", "lower", "upper", unit="unit"),
    "Change": lambda head, cell, row: points("change", scale=100 if row["unit"] == "probability" else 1)(
        head, cell, row
    ),
    "Due to": lambda head, cell, row: cell == (row["step"] if row["change"] else ""),
    "Id": text("reported_id"),
}
TOTALS = {
    "Endpoint": label,
    "Reading": lambda head, cell, row: cell == f"{row['scenario']} {row['total_events']}/{row['total_n']}",
    "Absent": text("absent"),
    "Missing events / patients": plain("missing_events", "missing_n"),
    "Expected": plain("expected_events", "events_lower", "events_upper"),
    "P(this total)": plain("probability"),
    "mid-p": plain("mid_p"),
    "Without the total, %": interval("known_median", "known_lower", "known_upper"),
    "With it, %": interval("median", "lower", "upper"),
    "Note": text("note"),
}
BOUNDS = {
    "Endpoint": label,
    "If": lambda head, cell, row: (
        row["scenario"].replace("_", " ") in cell
        and cell.startswith(
            {
                "headline": "headline",
                "published": "published",
                "extreme_low": "missing studies: no event",
                "extreme_high": "missing studies: every",
                "each_low": "each missing study at its lower",
                "each_high": "each missing study at its upper",
                "joint_low": "their sum at its lower",
                "joint_high": "their sum at its upper",
                "total_even": "the total spread evenly",
                "total_in_largest": "the total in the largest",
                "total_in_smallest": "the total in the smallest",
            }[row["bound"]]
        )
    ),
    "Studies / patients": count("known_k", "known_n"),
    "Missing studies / patients": count("missing_k", "missing_n"),
    "Missing events": text("missing_events"),
    "Mean rate, %": interval("median", "lower", "upper"),
    "Interval": lambda head, cell, row: cell == f"{round(100 * value(row['level']))} % {row['interval']}",
    "Note": text("note"),
}
LEFT_OUT = {
    "Endpoint": label,
    "Without": text("label"),
    "Patients": plain("n"),
    "Estimate, %": interval("median", "lower", "upper"),
    "Shift, points": points("shift"),
    "Shift, SD": lambda head, cell, row: points_say(cell, value(row["shift_sd"]), 1.0),
    "Heterogeneity": named(lambda row: row["heterogeneity"], plain("heterogeneity_median", "full_heterogeneity")),
    "Predictive mid-p": plain("pit"),
    "Two-sided": plain("two_sided"),
    "Surprise, bits": plain("surprise_bits"),
    "Learned, bits": plain("information_bits"),
    "Pareto k": plain("pareto_k"),
    "Note": text("reason"),
}
SUBSETS = {
    "Endpoint": label,
    "Subset": text("label"),
    "Rule": text("rule"),
    "Studies / patients in it": count("subset_k", "subset_n"),
    "In it, %": interval("subset_median", "subset_lower", "subset_upper"),
    "Studies / patients outside": count("rest_k", "rest_n"),
    "Outside, %": interval("rest_median", "rest_lower", "rest_upper"),
    "Difference, points": points("difference", "difference_lower", "difference_upper"),
    "P(difference > 0)": plain("positive"),
    "Note": text("note"),
}
SIZES = {
    "Endpoint": label,
    "Studies": plain("k_studies"),
    "Slope per 1/√n": plain("slope"),
    "SE": plain("slope_se"),
    "p, normal": plain("slope_two_sided"),
    "p, t": plain("slope_two_sided_t"),
    "Ratio, 10 against 40 patients": plain("ratio", "ratio_lower", "ratio_upper"),
    "Ratio found 4 times in 5": plain("detectable_ratio"),
    "p, Egger (not level)": plain("egger_two_sided"),
    "Note": text("reason"),
}
PREDICTED = {
    "Endpoint": label,
    "Study": text("label"),
    "Patients": plain("n"),
    "Observed, %": plain("observed", scale=100),
    "Predictive mid-p": plain("pit"),
    "z": lambda head, cell, row: points_say(cell, value(row["z"]), 1.0),
}
JUDGED = {
    "Endpoint": label,
    "Priors": text("which_priors"),
    "Model": words("model"),
    "Prior SD of rates at 80 %, points": plain("prior_spread", scale=100),
    "elpd (leave-one-out)": plain("elpd_loo", "elpd_loo_se"),
    "difference (SE)": plain("elpd_difference", "elpd_difference_se"),
    "Weight": plain("weight"),
    "p, PIT uniform": plain("pit_uniform_p"),
}
SURPRISES = {
    "Endpoint": label,
    "Study": text("label"),
    "PIT (mid-p)": plain("pit"),
    "Two-sided probability": plain("two_sided"),
    "Log predictive density": plain("elpd_loo"),
}
SENSITIVITY = {
    "Choice": anything,
    "Variant": lambda head, cell, row: cell == ("" if row["dimension"] == "headline" else row["variant"]),
    "Studies / patients": count("k_studies", "n_patients"),
    "Mean rate, %": interval("median", "lower", "upper"),
    "Survival, %": interval("median", "lower", "upper"),
    "New study, %": interval("new_median", "new_lower", "new_upper"),
    "rho": plain("heterogeneity_median"),
    "tau": plain("heterogeneity_median"),
    "Priors": text("priors"),
    "Change, points": lambda head, cell, row: (
        cell == "" if row["dimension"] == "headline" else points_say(cell, value(row["change"]), 1.0)
    ),
    "Change of median, months": lambda head, cell, row: (
        cell == "" if row["dimension"] == "headline" else points_say(cell, value(row["change_months"]), 1.0)
    ),
    "Conclusion": lambda head, cell, row: all(
        (word in cell) == (row[name] == "true")
        for name, word in (
            ("moves", "moves by over half"),
            ("far", "moves by over 5 percentage points"),
            ("far_months", "median survival moves by over 2 months"),
            ("outside", "one median leaves"),
            ("crosses", "published estimate passes"),
        )
    ),
}
POWERS = {
    "Scaled": lambda head, cell, row: row["scaled"] in cell or row["scaled"] == "prior" and "both" in cell,
    "Density": text("prior"),
    "Mean, %": plain("mean", scale=100),
    "Posterior SD, points": plain("sd", scale=100),
    "Shift of the mean, SD per doubling": lambda head, cell, row: points_say(cell, value(row["shift"]), 1.0),
    "Note": lambda head, cell, row: bool(cell) == (row["flat"] == "true"),
}
MOST = {
    "Endpoint": label,
    "Moved most by": anything,
    "Variant": text("variant"),
    "Change, points": lambda head, cell, row: points_say(cell, value(row["change"]), 1.0),
    "Conclusions that change": plain("changing", "of"),
    "Headline, %": interval("head_median", "head_lower", "head_upper"),
    "Prior scaled, SD per doubling": lambda head, cell, row: points_say(cell, value(row["shift"]), 1.0),
}
CRUDE = {
    "Quantity": label,
    "Subset": lambda head, cell, row: cell == SUBSET_LABELS[row["subset"]],
    "Published": plain("published", scale=100),
    "Studies / patients": count("published_k", "published_n"),
    "Reanalysis": plain("median", scale=100),
    "Events / patients": plain("events", "n_patients"),
    "Studies": plain("k_studies"),
    "Difference, points": points("difference"),
    "Id": text("reported_id"),
}
UNCOMPARED = {
    "Quantity": label,
    "Subset": lambda head, cell, row: cell == SUBSET_LABELS[row["subset"]],
    "Statistic": words("statistic"),
    "Published": plain("published"),
    "Why not": text("reason"),
    "Id": text("reported_id"),
}
YEARS = {"Endpoint": label, "Up to": text("year"), "New": plain("added"), "Studies / patients": count(
    "k_studies", "n_patients"), "Estimate": interval("median", "lower", "upper"), "Note": text("reason")}
BEFORE = {"Endpoint": label, "Year": text("year"), "Study": text("label"), "Report": text("report"),
          "Earlier studies": plain("before"), "Observed": interval("observed"),
          "Predicted": interval("median", "lower", "upper"), "Mid-p": plain("pit"), "Two-sided": plain("two_sided"),
          "Note": text("reason")}
CERTAINTY = {"Endpoint": label, **{
    head: worded(word, *numbers) for head, word, numbers in (
        ("Imprecision", "imprecision", ("limits_ratio",)), ("Inconsistency", "inconsistency", ("spread",)),
        ("Indirectness", "indirectness", ("indirect_n", "n_patients")),
        ("Missing", "missing", ("missing_k", "eligible_k")))}}
EXCEEDED = {
    "Endpoint": label, "Benchmark": text("benchmark"), "Value": lambda head, cell, row: says(
        cell, *(value(row[name]) for name in ("low", "high") if row[name]),
        scale=1.0 if row["unit"] == "months" else 100.0),
    "Quantity": starts(lambda row: row["estimand"].removesuffix("_months"), lambda row: row["time_months"]),
    "P(pooled above)": plain("pooled"), "P(new study above)": plain("new_study"),
    "Place in the source": text("locator"), "Note": text("note"), "Reason": text("reason")}
CHECKLIST = {"Guideline": text("guideline"), "Item": text("item"), "Asks for": text("asks"), "Note": text("reason"),
             "Answered in": lambda head, cell, row: cell == (
                 f"{row['file']}: {row['part']}" if row["status"] == "done" else "")}
UNUSED = {
    "Study": lambda head, cell, row: cell == STUDIES[row["study_id"]]["label"],
    "Where": lambda head, cell, row: cell == f"{row['table']} line {row['row']}",
    "Why": text("reason"),
}
PAIRS = {
    "Endpoint": label,
    "Covariate": text("covariate"),
    "Other": text("other"),
    "Studies": plain("n_studies"),
    "Correlation": plain("correlation"),
}
CHECKED = {
    "Endpoint": label,
    "Study": text("label"),
    "Patients": plain("n"),
    "Reported, %": plain("observed", scale=100),
    "Prior, %": interval("prior_median", "prior_lower", "prior_upper"),
    "Mid-p, prior": plain("prior_pit"),
    "Posterior, %": interval("posterior_median", "posterior_lower", "posterior_upper"),
    "Mid-p, posterior": plain("posterior_pit"),
}
CHECKS = {
    "Endpoint": label,
    **{f"Within, {name}": text(name) for name in ("prior", "posterior")},
    **{f"p, {name}": plain(name) for name in ("largest", "smallest", "spread")},
}
LATER = {
    "Endpoint": label,
    "Study": text("label"),
    "Report": text("report"),
    "Model": words("model"),
    "Observed, %": plain("observed", scale=100),
    "Predicted, %": interval("median", "lower", "upper"),
    "Mid-p": plain("pit"),
    "Two-sided": plain("two_sided"),
    "By chance": plain("chance_named"),
    "Log predictive": plain("log_predictive"),
}
SCORED = {
    "Endpoint": label,
    "Model": words("model"),
    "Reports": plain("predictions"),
    "Studies": plain("k_studies"),
    "Surprising": plain("named"),
    "By chance": plain("chance_named"),
    "Log predictive, sum": plain("elpd"),
}
PREDICTION = {
    "Endpoint": label,
    "Estimand": anything,
    "Studies / patients": count("k_studies", "n_patients"),
    "Pooled, %": interval("median", "lower", "upper"),
    "New study, %": interval("new_median", "new_lower", "new_upper"),
    "Heterogeneity": named(lambda row: row["spread"], plain("spread_median", "spread_lower", "spread_upper")),
}
FITS = {
    "Subset": lambda head, cell, row: cell == SUBSET_LABELS[row["subset"]],
    "Fit": lambda head, cell, row: _variation(cell, row),
    "Studies / patients": count("k_studies", "n_patients"),
    "Mean rate, %": interval("median", "lower", "upper"),
    "Survival at 12 months, %": interval("median", "lower", "upper"),
    "New study, %": interval("new_median", "new_lower", "new_upper"),
    "rho": plain("spread_median", "spread_lower", "spread_upper"),
    "tau": plain("spread_median", "spread_lower", "spread_upper"),
}


BY_MODEL = {
    "Endpoint": label,
    "Subset": lambda head, cell, row: cell == SUBSET_LABELS[row["subset"]],
    "Studies": lambda head, cell, row: cell.split(" / ")[0] == row["k_studies"],
    "Estimand": lambda head, cell, row: not row["time_months"] or row["time_months"] in cell,
    **{head: lambda head, cell, row, model=model: (says(cell, *(value(row[model][name]) for name in (
        "median", "lower", "upper")), scale=100.0 if row["unit"] == "proportion" else 1.0)
        if model in row else cell in ("", "–"))
       for head, model in (("Constant hazard, medians", "log_hazard"), ("Constant hazard, points", "exponential"),
                           ("Falling hazard", "weibull"), ("Plateau", "mixture_cure"))},
}


def _variation(cell: str, row: Row) -> bool:
    parts = [f"{row['model'].replace('_', '-')} model"] if row["model"] == "logit_normal" else []
    parts += {"A": ["tier A"], "ABC": ["tiers A, B and C"]}.get(row["tiers"], [])
    parts += [] if row["early_landmarks"] == "true" else ["without early extrapolations"]
    return cell == (", ".join(parts) or "headline")


def _pooled(seen, key) -> Row:
    """The main estimand, the new study and the heterogeneity of one fit as one row."""
    endpoint, model, subset, tiers, early = key
    own = chosen(seen.tables["estimates.csv"], endpoint=endpoint, model=model, subset=subset,
                 tiers=tiers, early_landmarks=early, study_id="")
    survival = endpoint == "os"
    spread = "tau" if survival else "rho"
    found = dict(single(own, estimand="survival" if survival else "mean_rate"))
    for prefix, estimand in (("new", "new_study_survival" if survival else "new_study_rate"), ("spread", spread)):
        one = single(own, estimand=estimand)
        found |= {f"{prefix}_{name}": one[name] for name in ("median", "lower", "upper")}
    return found | {"spread": spread}


def _headline(seen, endpoint: str) -> Row:
    return _pooled(seen, (endpoint, "log_hazard" if endpoint == "os" else "beta_binomial", "all", "AB", "true"))


def _studies(seen, endpoint: str) -> list[Row]:
    shrunken = {row["study_id"]: row for row in seen.tables["estimates.csv"] if row["endpoint"] == endpoint
                and row["subset"] == "all" and row["tiers"] == "AB" and row["early_landmarks"] == "true"
                and row["model"] != "logit_normal" and row["study_id"]
                and row["estimand"] in ("study_rate", "study_survival")}
    return [{**row, **{name: shrunken[row["study_id"]][name] for name in ("median", "lower", "upper")}}
            for row in chosen(seen.tables["studies.csv"], endpoint=endpoint)]


def _checks(seen) -> list[Row]:
    """Of each endpoint the studies within their intervals, in words, and the p-value of each test statistic."""
    found = []
    for endpoint in ENDPOINTS:
        rows = chosen(seen.tables["checks.csv"], endpoint=endpoint)
        statistics = chosen(seen.tables["check_statistics.csv"], endpoint=endpoint)
        found.append({"endpoint": endpoint, **{row["statistic"]: row["p_value"] for row in statistics}, **{
            name: f"{len(chosen(rows, **{f'{name}_within': 'true'}))} of {len(rows)}"
            for name in ("prior", "posterior")}})
    return found


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


def _reading(hazard: str) -> Check:
    def check(head: str, cell: str, row: Row) -> bool:
        source = row if hazard == "falling" else row["constant"]
        return says(cell, *(value(source[name]) for name in ("median", "lower", "upper")),
                    scale=100.0 if row["estimand"] == "survival" else 1.0)

    return check


def _named_reading(head: str, cell: str, row: Row) -> bool:
    return cell == {"survival": f"at {row['time_months']} months, %", "median_months": "median, months",
                    "rmst": "mean to 24 months"}[row["estimand"]]


def _step(name: str) -> Check:
    return lambda head, cell, row: points_say(cell, value(row[name]), 100.0 if row["estimand"] == "survival" else 1.0)


READINGS = {"Survival": _named_reading, "Constant hazard": _reading("constant"), "May fall": _reading("falling"),
            "Error rule": _step("error_rule"), "Shape": _step("shape")}


WITH_LATER = {"Endpoint": label, "Without": interval("head_median", "head_lower", "head_upper"),
              "With them": interval("median", "lower", "upper"), "Studies": count("k_studies", "n_patients")}
AMONG_20 = {"Of 20 patients": label,
            "95 % of studies": lambda head, cell, row: cell == f"{row['lower']} to {row['upper']}",
            "Half of studies": lambda head, cell, row: cell == f"{row['likely_low']} to {row['likely_high']}"}
MOVES_MOST = {"Endpoint": label, "Study": text("label"), "Without it": interval("median", "lower", "upper"),
              "Shift": points("shift")}
ASSOCIATIONS = {"Covariate": starts(lambda row: row["label"], lambda row: row["unit"])} | {
    head: lambda head, cell, row: not row[head] and not cell or (
        LABELS[row[head]["endpoint"]] in cell and says(cell.partition("]")[0] + "]", *(
            value(row[head][f"ratio_{name}"]) for name in ("median", "lower", "upper"))))
    for head in ("Of harms", "Of benefits")}


def _with_later(seen) -> list[Row]:
    rows = seen.tables["sensitivity.csv"]
    heads = {row["endpoint"]: row for row in chosen(rows, dimension="headline")}
    return [{**row, **{f"head_{name}": heads[row["endpoint"]][name] for name in ("median", "lower", "upper")}}
            for row in chosen(rows, dimension="study_set", study_set="all", status="computed")]


def _moves_most(seen) -> list[Row]:
    """Of endpoints with at least three studies."""
    rows = [row for row in seen.tables["influence.csv"] if row["status"] == "computed" and value(row["k_studies"]) >= 3]
    return [max(chosen(rows, endpoint=endpoint), key=lambda row: abs(value(row["shift_sd"])))
            for endpoint in dict.fromkeys(row["endpoint"] for row in rows)]


def _associations(seen) -> list[Row]:
    """Of each covariate the slope whose direction is least uncertain, among harms and among benefits."""
    rows, found = chosen(seen.tables["regression.csv"], analysis="one_at_a_time", status="converged"), []
    for covariate in dict.fromkeys(row["covariate"] for row in rows):
        own = chosen(rows, covariate=covariate)
        sides = {head: [row for row in own if ENDPOINTS[row["endpoint"]]["direction"] == direction]
                 for head, direction in (("Of harms", "harm"), ("Of benefits", "benefit"))}
        found.append({**own[0], **{head: max(side, default=None, key=lambda row: abs(
            value(row["probability_above_one"]) - 0.5)) for head, side in sides.items()}})
    return found


def _moved_most(seen) -> list[Row]:
    found = []
    for endpoint in ENDPOINTS:
        head, *rest = chosen(seen.tables["sensitivity.csv"], endpoint=endpoint)
        most = max(rest, key=lambda row: abs(value(row["change"])))
        shift = single(seen.tables["power_scaling.csv"], endpoint=endpoint, scaled="prior")["shift"]
        found.append({**most, "changing": str(len(chosen(rest, changes="true"))), "of": str(len(rest)),
                      "shift": shift, **{f"head_{name}": head[name] for name in ("median", "lower", "upper")}})
    return found


def _facts(seen, heading: str, caption: str) -> list[Row]:
    """Facts of one study, of an endpoint with a number and no contradiction, or of what has no number."""
    own = [row for row in chosen(seen.tables["provenance.csv"], label=heading) if row["standing"] != "otherwise"]
    return [row for row in own if (row["endpoint"] not in ENDPOINTS if caption.endswith(": other facts")
                                   else caption == f"{heading}, {LABELS.get(row['endpoint'])}: facts")]


def _endpoint_of(heading: str) -> str:
    return next((name for name, row in ENDPOINTS.items() if row["label"] == heading), "")


def expected(seen, heading: str, caption: str) -> tuple[dict[str, Check], list[Row]] | None:
    """Columns and rows of the table with this caption below this heading; None for one that holds no estimate."""
    t = seen.tables
    if caption.endswith((": facts", ": other facts")):
        return FACTS, _facts(seen, heading, caption)
    endpoint = _endpoint_of(caption.partition(":")[0]) or _endpoint_of(heading)
    pooled = [row for row in t["comparison.csv"] if row["status"] == "compared" and row["model"]]
    order = list(dict.fromkeys((row["endpoint"], row["units"]) for row in pooled if row["primary"] == "true"))
    first = sorted((row for row in pooled if row["primary"] == "true"),
                   key=lambda row: order.index((row["endpoint"], row["units"])))
    ones = [row for row in t["regression.csv"] if row["analysis"] == "one_at_a_time"]
    known = {"Published estimates beside": (COMPARISON, first),
             "Steps from the published": (STEPS, t["decomposition.csv"]),
             "Further printings": (COMPARISON, chosen(pooled, primary="false")),
             "Pooled estimate, prediction":
             (PREDICTION, [_headline(seen, name) for name in ENDPOINTS]),
             "Predictive probability of each": (TOTALS, t["published_totals.csv"]),
             "The mean rate under what": (BOUNDS, t["missing_bounds.csv"]),
             "The choice that moves": (MOST, _moved_most(seen)),
             "Reports within their predictive": (CHECKS, _checks(seen)),
             "Each report within what": (CHECKED, t["checks.csv"]),
             "How the review's studies": (SCORED, t["validation_scores.csv"]),
             "Each report of a later": (LATER, t["validation.csv"]),
             "Survival by four models": (BY_MODEL, _by_model(seen)),
             "Overall survival by assumption": (READINGS, _readings(seen)),
             "Overall survival, both readings": (READINGS, _readings(seen)),
             "The same with later": (WITH_LATER, _with_later(seen)),
             "Events among 20": (AMONG_20, chosen(t["expected.csv"], n="20")),
             "The study that moves": (MOVES_MOST, _moves_most(seen)),
             "The least uncertain association": (ASSOCIATIONS, _associations(seen)),
             "Each study left out": (LEFT_OUT, t["influence.csv"]),
             "Each subset, its": (SUBSETS, t["subset_differences.csv"]),
             "The slopes whose direction":
             (SLOPES, sorted(ones, key=lambda row: -abs(value(row["probability_above_one"])
                                                        - 0.5))[:8]),
             "Pairs of covariates": (PAIRS, [row for row in t["regression_collinearity.csv"] if row["correlation"]
                                             and abs(value(row["correlation"]))
                                             >= 0.5]), "Logit mean rate or log hazard":
             (SIZES, chosen(t["small_studies.csv"], part="regression")),
             "Each study under the prediction":
             (PREDICTED, chosen(t["small_studies.csv"], part="study")),
             "Rate models: prediction": (JUDGED, [row for row in t["model_comparison.csv"]
                                                  if row["prior_spread"]]),
             "The ten smallest": (SURPRISES, sorted((row for row in t["leave_one_out.csv"]
                                                     if row["which_priors"] == "default"
                                                     and row["model"] != "logit_normal"),
                                                    key=lambda row:
                                                    value(row["two_sided"]))[:10]),
             "Each refit with one":
             (SENSITIVITY, chosen(t["sensitivity.csv"], endpoint=endpoint)),
             "The posterior mean when": (POWERS, chosen(t["power_scaling.csv"],
                                                        endpoint=endpoint)),
             "The headline from the studies up to": (YEARS, t["cumulative.csv"]),
             "Each study predicted from those before": (BEFORE, t["cumulative_studies.csv"]),
             "Benchmarks, and the probability": (EXCEEDED, t["benchmarks.csv"]),
             "Items that ask about": (CHECKLIST, t["checklist.csv"]),
             "A summary of numbers": (CERTAINTY, t["certainty.csv"]),
             "Log hazard per person-month": (CONVERSIONS, t["survival_conversions.csv"]),
             "Crude proportions": (CRUDE, [row for row in t["comparison.csv"]
                                           if row["estimand"].startswith("crude")]),
             "Published numbers that cannot": (UNCOMPARED, chosen(t["comparison.csv"], status="not compared"))}
    if endpoint:
        known |= {
            f"{LABELS[endpoint]}: slopes on": (SLOPES, chosen(t["regression.csv"], endpoint=endpoint)),
            f"{LABELS[endpoint]}: each study": (STUDY, _studies(seen, endpoint)),
            f"{LABELS[endpoint]}: rows left out": (UNUSED, chosen(t["left_out.csv"], endpoint=endpoint)),
            f"{LABELS[endpoint]}: the headline and": (
                FITS,
                [_pooled(seen, key) for key in fits(seen) if key[0] == endpoint],
            ),
        }
    return next((found for start, found in known.items() if caption.startswith(start)), None)


def _spec(spec: dict[str, Check], heads: list[str]) -> list[tuple[str, Check]]:
    """The check of each column: the longest entry with which its head begins; a second one has its own."""
    found, used = [], {}
    for head in heads:
        used[head] = used.get(head, 0) + 1
        names = ([f"{head} {used[head]}"] if used[head] > 1
                 else sorted((name for name in spec if head.startswith(name)), key=len, reverse=True))
        assert names and names[0] in spec, f"no check for the column {head!r}"
        found.append((head, spec[names[0]]))
    return found


SEEN_ELSEWHERE = ("Models and priors", "Worst value over", "What this page was computed from")


def test_every_number_is_its_cell(seen, page):
    looked_at = 0
    for heading, caption, (heads, *rows) in page.every:
        found = expected(seen, heading, caption) or _by_methods(seen, caption)
        if found is None:
            assert caption.startswith(SEEN_ELSEWHERE) or "posterior medians [intervals] by subset" in caption, caption
            continue
        spec, wanted = found
        assert len(rows) == len(wanted), (caption, len(rows), len(wanted))
        columns = _spec(spec, heads)
        for cells, row in zip(rows, wanted, strict=True):
            for (head, check), cell in zip(columns, cells, strict=True):
                assert check(head, cell, row), f"{caption}: {head}: {cell!r} beside {row}"
        looked_at += 1
    # Nothing of it has gone: by endpoint 6 tables, 4 of methods more, and those for all endpoints together.
    assert looked_at >= 36, looked_at


def _by_methods(seen, caption: str):
    """One table of frequentist methods for each endpoint and subset, on the scale of a probability."""
    for endpoint, one in LABELS.items():
        for subset, words_ in SUBSET_LABELS.items():
            if caption.startswith(f"{one}, {words_}: "):
                rows = chosen(seen.tables["frequentist.csv"], endpoint=endpoint, subset=subset, scale="probability")
                assert numbers(caption.rpartition(": ")[2]) == [value(rows[0]["k_studies"])]
                return METHODS, rows
    return None


def test_estimands_by_subset(seen, page):
    """Columns are subsets: each cell is that of its own subset, estimand and time."""
    from analysis.inference.estimands import LABELS as ESTIMANDS

    by_label = {label_: name for name, label_ in ESTIMANDS.items()}
    tables = [one for one in page.every if "posterior medians [intervals] by subset" in one[1]]
    assert len(tables) == len(ENDPOINTS)
    for heading, caption, (heads, *rows) in tables:
        endpoint = _endpoint_of(heading)
        assert caption.startswith(heading)
        for cells in rows:
            name, _, time = cells[0].rpartition(", ") if re.search(r", \d+ months$", cells[0]) else (cells[0], "", "")
            for at, subset in enumerate(SUBSET_LABELS, 3):
                row = single([one for one in seen.tables["estimates.csv"] if one["model"] != "logit_normal"],
                             endpoint=endpoint, subset=subset, tiers="AB", early_landmarks="true", study_id="",
                             estimand=by_label[name], time_months=time.removesuffix(" months"))
                scale = scale_of(cells[2], 1.0)
                assert says(cells[at], *(value(row[end]) for end in ("median", "lower", "upper")),
                            scale=scale), (cells, row)
                assert (heads[at].startswith(SUBSET_LABELS[subset])
                        and f"{row['k_studies']} / {row['n_patients']}" in heads[at])
                assert cells[1] == f"95 % {row['interval']}"


def test_diagnostics_and_models(seen, page):
    diagnostics = {caption: rows for _, caption, rows in page.every}
    heads, *rows = diagnostics["Worst value over all reported quantities of each fit"]
    assert len(rows) == len(seen.tables["diagnostics.csv"])
    columns = {"R-hat": "max_rhat", "Bulk ESS": "min_ess_bulk", "Tail ESS": "min_ess_tail",
               "Divergences": "divergences", "E-BFMI": "min_bfmi", "MCSE mean / SD": "max_mcse_mean",
               "MCSE limit / SD": "max_mcse_limit", "same, heterogeneity": "max_mcse_limit_heterogeneity",
               "Seed": "seed"}
    for cells, row in zip(rows, seen.tables["diagnostics.csv"], strict=True):
        own = dict(zip(heads, cells, strict=True))
        assert LABELS[row["endpoint"]] in cells[0] and SUBSET_LABELS[row["subset"]] in cells[0]
        assert own["Status"] == row["status"] and own["Chains x draws"] == f"{row['chains']} x {row['draws']}"
        assert all(says(own[head], value(row[column])) or own[head] == "nan" for head, column in columns.items()), row
    heads, *rows = diagnostics["Models and priors"]
    used = [(one["model"], "; ".join(f"{name} ~ {prior}" for name, prior in one["priors"].items()))
            for one in seen.run["fits"]]
    assert {(row[0].replace("-", "_"), row[3]): int(row[4]) for row in rows} == {
        one: used.count(one) for one in set(used)
    }


def test_marked_rows_are_those_outside(seen):
    source = whole(seen.folder)
    outside = [row["reported_id"] for row in seen.tables["comparison.csv"] if row["model"]
               and not value(row["lower"]) <= value(row["published"]) <= value(row["upper"])]
    marked = [re.findall(r"<td[^>]*>(R\d+)</td></tr>", row)
              for row in re.findall(r'<tr class="outside">.*?</tr>', source)]
    assert sorted(one for row in marked for one in row) == sorted(outside)


def test_sentences_of_the_answer(seen, page):
    rows = [row for row in seen.tables["comparison.csv"] if row["model"] and row["primary"] == "true"
            and row["published_lower"]]
    both, rows = rows, [row for row in rows if row["reported_id"] != "R05"]
    inside = sum(value(row["lower"]) <= value(row["published"]) <= value(row["upper"]) for row in rows)
    wider = sum(bool(row["width_ratio"]) and value(row["width_ratio"]) > 1 for row in rows)
    fewer = sum(bool(row["published_k"]) and value(row["published_k"]) > value(row["k_studies"]) for row in rows)
    shown = "All" if inside == len(rows) else inside
    assert f"{shown} of the {len(rows)} published pooled estimates that answer the same question" in page.text
    assert f"wider in {wider} of {len(rows)}, and ours rests on fewer studies in {fewer}." in page.text
    for unit, scale, name in (("probability", 100, "percentage points"), ("months", 1, "months")):
        sizes = [value(row["difference"]) for row in both if row["units"] == unit]
        part = re.search(rf"differ from them by .*?([+−\d.]+)(?: to ([+−\d.]+))? {name}", page.text)
        assert points_say(part[1], min(sizes), scale) and points_say(part[2] or part[1], max(sizes), scale)
    assert len(REPORTED) == len(seen.tables["comparison.csv"])


def test_cards(seen, page):
    """The large numbers at the top: each endpoint with its preferred and its published number."""
    first = (seen.folder / "report.html").read_text("utf-8")
    cards = re.findall(r'<div class="card [a-z]+">(.*?)</div>', first, re.DOTALL)
    by_label = {re.search(r"<a[^>]*>(.*?)</a>", card)[1]: card for card in cards}
    assert set(by_label) == {LABELS[endpoint] for endpoint in ENDPOINTS} and len(cards) == len(ENDPOINTS)
    for endpoint in ENDPOINTS:
        card, ours = by_label[LABELS[endpoint]], _headline(seen, endpoint)
        plain_text, survival = re.sub(r"<[^>]+>", " ", card), endpoint == "os"
        preferred = single(seen.tables["answer.csv"], hazard="falling", estimand="survival",
                           time_months="12") if survival else ours
        for name, row in (("big", preferred), ("constant", ours)):
            words_ = re.search(rf'class="{name}">(.*?)</p>', card)
            assert bool(words_) == (name == "big" or survival)
            assert not words_ or says(re.sub(r"<[^>]+>", " ", words_[1]).rpartition(": ")[2], *(
                value(row[limit]) for limit in ("median", "lower", "upper")), scale=100)
        assert f"{ours['k_studies']} studies" in plain_text and f"{ours['n_patients']} patients" in plain_text
        identity = {"cr": "R01", "os": "R04"}.get(endpoint)
        published = re.search(r'class="published">(.*?)</p>', card)
        assert bool(published) >= bool(identity)
        if identity:
            printed = single(seen.tables["comparison.csv"], reported_id=identity)
            assert says(published[1].partition(";")[0], *(
                value(printed[f"published{end}"]) for end in ("", "_lower", "_upper")), scale=100), published[1]


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
