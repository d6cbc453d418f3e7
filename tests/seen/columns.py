"""The columns of each table of the page: by head what its cells show of the row."""

from tests.seen.cells import (
    LABELS,
    Check,
    Row,
    anything,
    count,
    interval,
    label,
    named,
    plain,
    points,
    starts,
    text,
    worded,
    words,
)
from tests.seen.checking import points_say, says, value
from tests.seen.facts import STUDIES, SUBSET_LABELS

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
