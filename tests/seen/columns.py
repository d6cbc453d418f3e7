"""The columns of each table of the page: by head what its cells show of the row."""

from tests.seen import cells
from tests.seen.cells import LABELS, Check, Row, count, interval, label, plain, points, signed, text, words
from tests.seen.checking import ends, limits, says, value
from tests.seen.facts import COVARIATE_LABELS, ENDPOINTS, SUBSET_LABELS

SHARED = {
    "Endpoint": label,
    "Estimate": interval(*ends()),
    "Id": text("reported_id"),
    "Mean rate": interval(*ends()),
    "Mid-p": plain("pit"),
    "Model": words("model"),
    "New study": interval(*ends("new_")),
    "Note": text("note"),
    "Observed, %": plain("observed", scale=100),
    "Patients": plain("n"),
    "Predicted": interval(*ends()),
    "Predictive mid-p": plain("pit"),
    "Reason": text("reason"),
    "Report": text("report"),
    "Studies": plain("k_studies"),
    "Studies / patients": count("k_studies", "n_patients"),
    "Study": text("label"),
    "Subset": cells.subset,
    "Survival": interval(*ends()),
    "Tier": text("tier"),
    "Two-sided": plain("two_sided"),
    **{name.capitalize(): text(name) for name in ("absent", "benchmark", "covariate", "definition", "guideline",
                                                  "interval", "item", "other", "priors", "rule", "year")},
}
"""Heads that mean the same in every table that has no entry of its own for them."""


def _unit(row: Row) -> float:
    return 100.0 if {row.get("units"), row.get("unit")} & {"probability", "proportion"} else 1.0


def _survival(row: Row) -> float:
    return 100.0 if row["estimand"] == "survival" else 1.0


FACTS = {
    "Says": text("says"),
    "Number": text("statistic"),
    "Of": words("population"),
    "Beside the number": text("standing"),
    "Source": text("citation"),
    "Place": text("locator"),
    "Fact": text("fact_id"),
    "Endpoint": lambda head, cell, row: cell == LABELS.get(row["endpoint"], row["endpoint"].replace("_", " ")),
}
COMPARISON = {
    "Endpoint and subset": cells.starts(
        lambda row: LABELS[row["endpoint"]],
        lambda row: SUBSET_LABELS[row["subset"]],
        lambda row: f"at {row['time_months']} months" if row["time_months"] else "",
    ),
    "Published": lambda head, cell, row: says(
        cell, *(value(row[name]) for name in ("published", "published_lower", "published_upper") if row[name]),
        scale=_unit(row)),
    "Studies / patients": count("published_k", "published_n"),
    "Reanalysis": lambda head, cell, row: says(cell, *limits(row), scale=_unit(row)),
    "Studies / patients 2": count("k_studies", "n_patients"),
    "Difference": signed("difference", _unit),
    "Width ratio": plain("width_ratio"),
    "P(in published interval)": plain("probability_of_published_interval", scale=100),
}
SLOPES = {
    "Covariate, unit": cells.starts(lambda row: row["label"], lambda row: row["unit"]),
    "Analysis": lambda head, cell, row: cell == {
        "one_at_a_time": "one at a time", "together": "all together", "complete_case": "complete cases",
    }[row["analysis"]],
    "Studies (imputed)": plain("n_studies", "n_missing"),
    "Ratio": plain(*ends("ratio_")),
    "P(ratio > 1)": plain("probability_above_one", scale=100),
    "Prior SD per unit": plain("prior_sd", "prior_sd_per_sd"),
    "SD / prior SD": plain("sd_ratio"),
    "Heterogeneity without, with": cells.headed(
        lambda row: row["heterogeneity"], plain("heterogeneity_without", "heterogeneity_with")),
}


def _estimate(head: str, cell: str, row: Row) -> bool:
    """With its limits, or with dashes for them."""
    wanted = limits(row, middle="estimate")
    return says(cell, *wanted, scale=100) or (
        not row["lower"] and says(cell.split(" [")[0], wanted[0], scale=100) and cell.endswith("[–, –]"))


METHODS = {
    "Method": lambda head, cell, row: (
        cell == row["label"] + (" (the paper's kind)" if row["of_the_paper"] == "true" else "")),
    "Estimand": lambda head, cell, row: (
        cell == row["estimand"].replace("_", " ") + (f" at {row['time_months']} months" if row["time_months"] else "")),
    "Estimate, %": _estimate,
    "Heterogeneity": cells.headed(lambda row: row["heterogeneity_name"], plain("heterogeneity")),
}
STUDY = {
    "Base": text("population"),
    "Definition": text("population"),
    "Reported": text("statistic"),
    "n": plain("n"),
    "Raw": interval("raw", "raw_lower", "raw_upper"),
    "Shrunken": interval(*ends()),
}
CONVERSIONS = {
    "Study": cells.study,
    "Printed": text("statistic"),
    "Standard error from": text("rule"),
    "n": plain("patients"),
    "Effective n": plain("effective"),
    "Log hazard": lambda head, cell, row: (
        says(cell.replace("person-months", ""), value(row["events"]), value(row["person_months"]))
        if value(row["person_months"]) else says(cell, value(row["log_hazard"]))),
    "SE below": plain("se_lower"),
    "SE above": plain("se_upper"),
}
STEPS = {
    "Endpoint": cells.starts(
        lambda row: LABELS[row["endpoint"]],
        lambda row: SUBSET_LABELS[row["subset"]],
        lambda row: row["estimand"].replace("_", " "),
    ),
    "What": text("label"),
    "Estimate [interval]": interval(*ends(middle="estimate"), unit="unit"),
    "Change": lambda head, cell, row: points("change", scale=_unit(row))(head, cell, row),
    "Due to": lambda head, cell, row: cell == (row["step"] if row["change"] else ""),
}
TOTALS = {
    "Reading": lambda head, cell, row: cell == (
        f"{row['scenario'].replace('_', ' ')} {row['total_events']}/{row['total_n']}"),
    "Missing events / patients": plain("missing_events", "missing_n"),
    "Expected": plain("expected_events", "events_lower", "events_upper"),
    "P(this total)": plain("probability"),
    "mid-p": plain("mid_p"),
    "Without the total, %": interval(*ends("known_")),
    "With it, %": interval(*ends()),
}
BOUND_WORDS = {
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
}
BOUNDS = {
    "If": lambda head, cell, row: (
        row["scenario"].replace("_", " ") in cell and cell.startswith(BOUND_WORDS[row["bound"]])),
    "Studies / patients": count("known_k", "known_n"),
    "Missing studies / patients": count("missing_k", "missing_n"),
    "Missing events": text("missing_events"),
    "Interval": lambda head, cell, row: cell == f"{round(100 * value(row['level']))} % {row['interval']}",
}
LEFT_OUT = {
    "Without": text("label"),
    "Shift, points": points("shift"),
    "Shift, SD": signed("shift_sd"),
    "Heterogeneity": cells.headed(
        lambda row: row["heterogeneity"], plain("heterogeneity_median", "full_heterogeneity")),
    "Surprise, bits": plain("surprise_bits"),
    "Learned, bits": plain("information_bits"),
    "Pareto k": plain("pareto_k"),
    "Note": text("reason"),
}
SUBSETS = {
    "Subset": text("label"),
    "Studies / patients in it": count("subset_k", "subset_n"),
    "In it, %": interval(*ends("subset_")),
    "Studies / patients outside": count("rest_k", "rest_n"),
    "Outside, %": interval(*ends("rest_")),
    "Difference, points": points("difference", "difference_lower", "difference_upper"),
    "P(difference > 0)": plain("positive"),
}
SIZES = {
    "Slope per 1/√n": plain("slope"),
    "SE": plain("slope_se"),
    "p, normal": plain("slope_two_sided"),
    "p, t": plain("slope_two_sided_t"),
    "Ratio, 10 against 40 patients": plain("ratio", "ratio_lower", "ratio_upper"),
    "Ratio found 4 times in 5": plain("detectable_ratio"),
    "p, Egger (not level)": plain("egger_two_sided"),
    "Note": text("reason"),
}
PREDICTED = {"z": signed("z")}
JUDGED = {
    "Priors": text("which_priors"),
    "Prior SD of rates at 80 %, points": plain("prior_spread", scale=100),
    "elpd (leave-one-out)": plain("elpd_loo", "elpd_loo_se"),
    "difference (SE)": plain("elpd_difference", "elpd_difference_se"),
    "Weight": plain("weight"),
    "p, PIT uniform": plain("pit_uniform_p"),
}
SURPRISES = {
    "PIT (mid-p)": plain("pit"),
    "Two-sided probability": plain("two_sided"),
    "Log predictive density": plain("elpd_loo"),
}


def _unless_headline(check: Check) -> Check:
    return lambda head, cell, row: cell == "" if row["dimension"] == "headline" else check(head, cell, row)


CONCLUSIONS = {
    "moves": "moves by over half",
    "far": "moves by over 5 percentage points",
    "far_months": "median survival moves by over 2 months",
    "outside": "one median leaves",
    "crosses": "published estimate passes",
}
SENSITIVITY = {
    "Choice": cells.anything,
    "Variant": lambda head, cell, row: cell == ("" if row["dimension"] == "headline" else row["variant"]),
    "rho": plain("heterogeneity_median"),
    "tau": plain("heterogeneity_median"),
    "Change, points": _unless_headline(signed("change")),
    "Change of median, months": _unless_headline(signed("change_months")),
    "Conclusion": lambda head, cell, row: all(
        (told in cell) == (row[name] == "true") for name, told in CONCLUSIONS.items()),
}
POWERS = {
    "Scaled": lambda head, cell, row: row["scaled"] in cell or row["scaled"] == "prior" and "both" in cell,
    "Density": text("prior"),
    "Mean, %": plain("mean", scale=100),
    "Posterior SD, points": plain("sd", scale=100),
    "Shift of the mean, SD per doubling": signed("shift"),
    "Note": lambda head, cell, row: bool(cell) == (row["flat"] == "true"),
}
MOST = {
    "Moved most by": cells.anything,
    "Variant": text("variant"),
    "Change, points": signed("change"),
    "Conclusions that change": plain("changing", "of"),
    "Headline, %": interval(*ends("head_")),
    "Prior scaled, SD per doubling": signed("shift"),
}
CRUDE = {
    "Quantity": label,
    "Published": plain("published", scale=100),
    "Studies / patients": count("published_k", "published_n"),
    "Reanalysis": plain("median", scale=100),
    "Events / patients": plain("events", "n_patients"),
    "Difference, points": points("difference"),
}
UNCOMPARED = {
    "Quantity": cells.starts(
        lambda row: LABELS[row["endpoint"]],
        lambda row: ", ".join((SUBSET_LABELS[row["subset"] or "all"], row["statistic"].replace("_", " "),
                               row["reported_id"])),
    ),
    "Published": plain("published"),
    "Why not": text("reason"),
}
YEARS = {"Up to": text("year"), "New": plain("added"), "Note": text("reason")}
BEFORE = {
    "Earlier studies": plain("before"),
    "Observed": interval("observed"),
    "Note": text("reason"),
}
CERTAINTY = {head: cells.worded(head.lower(), *numbers) for head, numbers in (
    ("Imprecision", ("limits_ratio",)), ("Inconsistency", ("spread", "spread_lower", "spread_upper")),
    ("Indirectness", ("indirect_n", "n_patients")),
    ("Missing", ("missing_k", "eligible_k")))}
EXCEEDED = {
    "Value": lambda head, cell, row: says(
        cell, *(value(row[name]) for name in ("low", "high") if row[name]), scale=_unit(row)),
    "Quantity": cells.starts(lambda row: row["estimand"].removesuffix("_months"), lambda row: row["time_months"]),
    "P(pooled above)": plain("pooled"),
    "P(new study above)": plain("new_study"),
    "Place in the source": text("locator"),
}
CHECKLIST = {
    "Asks for": text("asks"),
    "Note": text("reason"),
    "Answered in": lambda head, cell, row: cell == (
        f"{row['file']}: {row['part']}" if row["status"] == "done" else ""),
}
UNUSED = {
    "Study": cells.study,
    "Where": lambda head, cell, row: cell == f"{row['table']} line {row['row']}",
    "Why": text("reason"),
}
PAIRS = {
    **{head: lambda head, cell, row: cell == COVARIATE_LABELS[row[head.lower()]] for head in ("Covariate", "Other")},
    "Studies": plain("n_studies"),
    "Correlation": plain("correlation"),
}
CHECKED = {
    "Reported, %": plain("observed", scale=100),
    "Prior, %": interval(*ends("prior_")),
    "Mid-p, prior": plain("prior_pit"),
    "Posterior, %": interval(*ends("posterior_")),
    "Mid-p, posterior": plain("posterior_pit"),
}
CHECKS = {
    **{f"Within, {name}": text(name) for name in ("prior", "posterior")},
    **{f"p, {name}": plain(name) for name in ("largest", "smallest", "spread")},
}
LATER = {
    "By chance": plain("chance_named"),
    "Log predictive": plain("log_predictive"),
}
SCORED = {
    "Reports": plain("predictions"),
    "Surprising": plain("named"),
    "By chance": plain("chance_named"),
    "Log predictive, sum": plain("elpd"),
}
PREDICTION = {
    "Estimand": cells.anything,
    "Pooled, %": interval(*ends()),
    "Heterogeneity": cells.headed(lambda row: row["spread"], plain(*ends("spread_"))),
}


def _variation(head: str, cell: str, row: Row) -> bool:
    parts = [f"{row['model'].replace('_', '-')} model"] if row["model"] == "logit_normal" else []
    parts += {"A": ["tier A"], "ABC": ["tiers A, B and C"]}.get(row["tiers"], [])
    parts += [] if row["early_landmarks"] == "true" else ["without early extrapolations"]
    return cell == (", ".join(parts) or "headline")


FITS = {
    "Fit": _variation,
    "rho": plain(*ends("spread_")),
    "tau": plain(*ends("spread_")),
}


def _of_model(model: str) -> Check:
    return lambda head, cell, row: (
        says(cell, *limits(row[model]), scale=_unit(row)) if model in row else cell in ("", "–"))


BY_MODEL = {
    "Studies": lambda head, cell, row: cell.split(" / ")[0] == row["k_studies"],
    "Estimand": lambda head, cell, row: not row["time_months"] or row["time_months"] in cell,
    "Constant hazard, medians": _of_model("log_hazard"),
    "Constant hazard, points": _of_model("exponential"),
    "Falling hazard": _of_model("weibull"),
    "Plateau": _of_model("mixture_cure"),
}
READINGS = {
    "Survival": lambda head, cell, row: cell == {
        "survival": f"at {row['time_months']} months, %", "median_months": "median, months",
        "rmst": "mean to 24 months"}[row["estimand"]],
    "Constant hazard": lambda head, cell, row: says(cell, *limits(row["constant"]), scale=_survival(row)),
    "May fall": lambda head, cell, row: says(cell, *limits(row), scale=_survival(row)),
    "Error rule": signed("error_rule", _survival),
    "Shape": signed("shape", _survival),
}
WITH_LATER = {"Endpoint": lambda head, cell, row: cell == LABELS[row["endpoint"]]
              + ", constant hazard" * (ENDPOINTS[row["endpoint"]]["kind"] == "survival"),
              "Without": interval(*ends("head_")), "With them": interval(*ends()),
              "Studies": count("k_studies", "n_patients")}
AMONG_20 = {"Of 20 patients": label,
            "Not surprising": lambda head, cell, row: cell == " to ".join(
                row[f"unsurprising_{end}"] for end in ("low", "high")),
            "Half of studies": lambda head, cell, row: cell == f"{row['likely_low']} to {row['likely_high']}"}
EACH_COUNT = {"Of 20 patients": lambda head, cell, row: cell == row["events"],
              **{LABELS[name]: plain(name) for name, row in ENDPOINTS.items() if row["kind"] == "rate"}}
MOVES_MOST = {"Study": lambda head, cell, row: cell == f"{row['label']}{row['doubts']}",
              "Without it": interval(*ends()), "Shift": points("shift")}


def _association(head: str, cell: str, row: Row) -> bool:
    slope = row[head]
    return not slope and not cell or (
        LABELS[slope["endpoint"]] in cell and says(cell.partition("]")[0] + "]", *limits(slope, "ratio_")))


ASSOCIATIONS = {"Covariate": cells.starts(lambda row: row["label"], lambda row: row["unit"]),
                "Of harms": _association, "Of benefits": _association}
